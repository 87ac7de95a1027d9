//! Starts: of the server before a large cluster, and of many clients at once.

use std::time::Instant;

use anyhow::Result;
use protocol::Scope;

use super::{Bench, Changes, Reference};
use crate::report::Figure;

pub(super) fn cold(bench: &Bench) -> Result<Vec<Figure>> {
    let (namespaces, ingresses) = bench.size((3_200, 10_500), (64, 210));
    let api = bench.api(namespaces, ingresses)?;
    let dashboard = bench.dashboard(&api)?;
    let listening = dashboard.started.elapsed().as_secs_f64();
    let fleet = bench.everything(&dashboard, 1)?;
    let synced = dashboard.started.elapsed().as_secs_f64();
    fleet.check(&api.cluster)?;
    Ok(vec![
        Figure::new("from start to `synced` at a client", "s", synced).goal(2.0, 2.0),
        Figure::new("of which until it listens", "s", listening),
    ])
}

pub(super) fn storm(bench: &Bench) -> Result<Vec<Figure>> {
    let (clients, ingresses) = bench.size((1_000, 1_000), (50, 100));
    let api = bench.api(20, ingresses)?;
    let dashboard = bench.dashboard(&api)?;
    let first = bench.everything(&dashboard, 1)?;
    // A row to copy, with a number in it; the count of rows stays.
    first.expect(1, 1);
    Changes::of(&api.cluster).apply(0, 1);
    first.arrivals()?;
    let sample = first.last_row();
    drop(first);
    let encodings = dashboard.metric("ingress_dash_encodings_total")?;
    let bytes = dashboard.metric("ingress_dash_stream_bytes_total")?;
    let rss = dashboard.rss()?;
    dashboard.forget_peak()?;
    let cpu = dashboard.cpu()?;

    let everything = || vec![Scope::All; clients];
    let start = Instant::now();
    let fleet = bench.fleet(&dashboard, everything(), clients)?;
    fleet.synced()?;
    let took = start.elapsed().as_secs_f64();
    let cpu = dashboard.cpu()?.since(&cpu);
    let peak = dashboard.rss_peak()? - rss;
    let again = dashboard.metric("ingress_dash_encodings_total")? - encodings;
    let bytes = dashboard.metric("ingress_dash_stream_bytes_total")? - bytes;
    fleet.check(&api.cluster)?;
    drop((fleet, dashboard, api));

    let bytes = bytes / clients as f64;
    let reference = Reference::greeting(sample, bytes as usize)?;
    let raw_cpu = reference.process.cpu()?;
    let start = Instant::now();
    let fleet = bench.fleet(&reference.process, everything(), clients)?;
    fleet.synced()?;
    let raw_took = start.elapsed().as_secs_f64();
    let raw_cpu = reference.process.cpu()?.since(&raw_cpu);

    Ok(vec![
        Figure::new("until all are synced", "s", took).reference(raw_took),
        Figure::new("processor time", "s", cpu).reference(raw_cpu),
        Figure::new("growth of RSS at its peak", "MB", peak / 1e6),
        Figure::new("rows encoded at the start", "", encodings),
        Figure::new("rows encoded again", "", again).goal(0.0, 0.0),
        Figure::new("one replay", "KB", bytes / 1024.0),
    ])
}
