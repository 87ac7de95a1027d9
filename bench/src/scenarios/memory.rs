//! What clients and rows cost in memory.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Bench, Changes};
use crate::report::Figure;
use crate::server::{Process, kernel_tcp_memory};

/// Until what was freed is given back.
fn settle(bench: &Bench) {
    sleep(Duration::from_millis(bench.size(2_000, 200)));
}

/// Waits until the dashboard has noticed that its clients are gone.
fn deserted(dashboard: &Process) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(60);
    while dashboard.metric("ingress_dash_streams")? > 0.0 {
        ensure!(
            Instant::now() < deadline,
            "streams of closed connections stay open"
        );
        sleep(Duration::from_millis(50));
    }
    Ok(())
}

pub(super) fn idle(bench: &Bench) -> Result<Vec<Figure>> {
    const ROUNDS: usize = 4;
    let clients = bench.size(10_000, 200);
    let api = bench.api(4, 20)?;
    let dashboard = bench.dashboard(&api)?;
    // One client first: what is made once is not counted.
    drop(bench.everything(&dashboard, 1)?);
    deserted(&dashboard)?;
    settle(bench);
    let before = dashboard.rss()?;
    let mut per_client = Vec::new();
    for _ in 0..ROUNDS {
        let fleet = bench.everything(&dashboard, clients)?;
        settle(bench);
        per_client.push((dashboard.rss()? - before) / clients as f64 / 1024.0);
        fleet.check(&api.cluster)?;
        drop(fleet);
        deserted(&dashboard)?;
    }
    // What is freed is given back within a minute.
    sleep(Duration::from_secs(bench.size(60, 1)));
    let left = dashboard.rss()? - before;
    Ok(vec![
        Figure::new("RSS per client, first", "KB", per_client[0]).goal(12.0, 20.0),
        Figure::new("RSS per client, after churn", "KB", per_client[ROUNDS - 1]).goal(16.0, 30.0),
        Figure::new("RSS left a minute after the clients", "MB", left / 1e6).goal(30.0, 60.0),
    ])
}

pub(super) fn stalled(bench: &Bench) -> Result<Vec<Figure>> {
    /// The next changes are made when the clients that read have these.
    const TOGETHER: u32 = 500;
    let count: u32 = bench.size(100_000, 2_000);
    let warm_up: u32 = bench.size(20_000, 1_000);
    let (stalling, reading) = (100, 10);

    let api = bench.api(50, 1_000)?;
    let dashboard = bench.dashboard(&api)?;
    let readers = bench.everything(&dashboard, reading)?;
    let stalled = bench.everything(&dashboard, stalling)?;
    let changes = Changes::of(&api.cluster);
    let emit = |from: u32, to: u32| -> Result<()> {
        for number in from..to {
            let last = number % TOGETHER == 0;
            if last {
                readers.expect(number, reading);
            }
            changes.apply(number as usize, number);
            if last {
                readers.arrivals()?;
            }
        }
        Ok(())
    };
    emit(1, warm_up + 1)?;
    stalled.check(&api.cluster)?;
    stalled.stall(true);
    settle(bench);
    dashboard.forget_peak()?;
    let (rss, kernel, cpu) = (dashboard.rss()?, kernel_tcp_memory()?, dashboard.cpu()?);
    let start = Instant::now();
    emit(warm_up + 1, warm_up + count + 1)?;
    let took = start.elapsed().as_secs_f64();
    let cpu = dashboard.cpu()?.since(&cpu);
    // The peak: on a slow machine some clients have been cut by now.
    let rss = dashboard.rss_peak()? - rss;
    let kernel = kernel_tcp_memory()? - kernel;
    let open = dashboard.metric("ingress_dash_streams")? - f64::from(reading as u32);

    stalled.stall(false);
    readers.check(&api.cluster)?;
    stalled.check(&api.cluster)?;
    let each = 1024.0 * stalling as f64;
    Ok(vec![
        Figure::new("growth of RSS in all, at its peak", "MB", rss / 1e6).goal(10.0, 10.0),
        Figure::new("RSS per stalled client", "KB", rss / each).goal(10.0, 100.0),
        Figure::new("kernel memory per stalled client", "KB", kernel / each).goal(256.0, 1024.0),
        Figure::new("stalled streams still open at the end", "of 100", open),
        Figure::new(
            "connections replaced afterwards",
            "",
            stalled.reconnects() as f64,
        ),
        Figure::new("the changes took", "s", took),
        Figure::new("processor time meanwhile", "s", cpu),
    ])
}

pub(super) fn footprint(bench: &Bench) -> Result<Vec<Figure>> {
    let (namespaces, ingresses) = bench.size((3_200, 10_500), (64, 210));
    let clients = bench.size(100, 10);
    let api = bench.api(namespaces, ingresses)?;
    let dashboard = bench.dashboard(&api)?;
    drop(bench.everything(&dashboard, 1)?);
    deserted(&dashboard)?;
    settle(bench);
    let alone = dashboard.rss()?;
    let fleet = bench.everything(&dashboard, clients)?;
    fleet.check(&api.cluster)?;
    sleep(Duration::from_secs(bench.size(5, 0)));
    let steady = dashboard.rss()?;
    Ok(vec![
        Figure::new("RSS with the clients, steady", "MB", steady / 1e6).goal(60.0, 60.0),
        Figure::new("RSS before the clients", "MB", alone / 1e6),
        Figure::new(
            "most RSS since the start",
            "MB",
            dashboard.rss_peak()? / 1e6,
        ),
    ])
}
