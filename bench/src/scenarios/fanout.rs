//! Changes that many clients get: one at a time, many at once, and such that concern few of them.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::{AT_ONCE, Bench, Changes, Reference, one_each, scope};
use crate::client::Fleet;
use crate::reference::Order;
use crate::report::{Figure, ms, quantile};
use crate::server::Process;

/// How one sender did.
struct Measured {
    /// For each change, until the last client had it, in milliseconds.
    last: Vec<f64>,
    /// For each change and client, in milliseconds.
    each: Vec<f64>,
    /// Seconds of processor time of the sender.
    cpu: f64,
    frames: u64,
}

impl Measured {
    fn frame_us(&self) -> f64 {
        self.cpu * 1e6 / self.frames as f64
    }
}

/// Sends changes and waits for them, while the sender's processor time is read.
fn measure(
    fleet: &Fleet,
    sender: &Process,
    changes: impl FnOnce() -> Result<Vec<Vec<Duration>>>,
) -> Result<Measured> {
    let (frames, cpu) = (fleet.frames(), sender.cpu()?);
    let arrivals = changes()?;
    Ok(Measured {
        cpu: sender.cpu()?.since(&cpu),
        frames: fleet.frames() - frames,
        last: arrivals
            .iter()
            .filter_map(|all| all.last().copied())
            .map(ms)
            .collect(),
        each: arrivals.into_iter().flatten().map(ms).collect(),
    })
}

/// One change at a time: the next is made when all clients have the one before, and some time has
/// passed.
fn paced(
    fleet: &Fleet,
    clients: usize,
    numbers: impl Iterator<Item = u32>,
    pause: Duration,
    send: impl Fn(u32) -> Result<()>,
) -> Result<Vec<Vec<Duration>>> {
    let mut arrivals = Vec::new();
    for number in numbers {
        fleet.expect(number, clients);
        send(number)?;
        arrivals.extend(fleet.arrivals()?);
        sleep(pause);
    }
    Ok(arrivals)
}

pub(super) fn one_change(bench: &Bench, clients: usize) -> Result<Vec<Figure>> {
    let many = clients >= 10_000;
    let clients = bench.size(clients, clients / 50);
    let count = bench.size(20, 5);
    let pause = Duration::from_millis(bench.size(300, 20));

    let api = bench.api(4, 20)?;
    let dashboard = bench.dashboard(&api)?;
    let fleet = bench.everything(&dashboard, clients)?;
    let changes = Changes::of(&api.cluster);
    // The first change finds cold caches on both sides.
    fleet.expect(1, clients);
    changes.apply(0, 1);
    fleet.arrivals()?;
    let mut ours = measure(&fleet, &dashboard, || {
        paced(&fleet, clients, 2..2 + count, pause, |number| {
            changes.apply(0, number);
            Ok(())
        })
    })?;
    fleet.check(&api.cluster)?;
    let sample = fleet.last_row();
    drop((fleet, dashboard, api));

    let reference = Reference::like(sample)?;
    let fleet = bench.everything(&reference.process, clients)?;
    let frames: Vec<_> = (1..2 + count)
        .map(|number| reference.frame(number))
        .collect();
    let send = |number: u32| {
        let frames = vec![frames[number as usize - 1].clone()];
        reference.process.order(&Order::Send {
            namespace: None,
            frames,
            together: false,
        })
    };
    fleet.expect(1, clients);
    send(1)?;
    fleet.arrivals()?;
    let mut raw = measure(&fleet, &reference.process, || {
        paced(&fleet, clients, 2..2 + count, pause, send)
    })?;

    // Goals and references where they were set, at 1,000 and at 10,000 clients. Processor time is
    // to be 1.3 times that of the reference, and no more than 1.5 times.
    let pick = |at_1000: [f64; 3], at_10000: [f64; 3]| if many { at_10000 } else { at_1000 };
    let figure = |what: &str, unit, ours: f64, raw: f64, [goal, reject, reference]: [f64; 3]| {
        Figure::new(what, unit, ours)
            .reference(raw)
            .goal(goal, reject)
            .goal_reference(reference)
    };
    Ok(vec![
        figure(
            "last client, p50",
            "ms",
            quantile(&mut ours.last, 0.5),
            quantile(&mut raw.last, 0.5),
            pick([13.0, 17.0, 16.9], [110.0, 140.0, 135.0]),
        ),
        figure(
            "last client, slowest change",
            "ms",
            quantile(&mut ours.last, 0.99),
            quantile(&mut raw.last, 0.99),
            pick([25.0, 40.0, 23.0], [150.0, 200.0, 168.0]),
        ),
        figure(
            "each client, p99",
            "ms",
            quantile(&mut ours.each, 0.99),
            quantile(&mut raw.each, 0.99),
            pick([22.0, 30.0, 23.0], [130.0, 170.0, 155.0]),
        ),
        figure(
            "processor time per frame",
            "us",
            ours.frame_us(),
            raw.frame_us(),
            [17.0, 20.0, 13.1],
        ),
        Figure::new("frame", "bytes", reference.frame(1).len() as f64),
    ])
}

pub(super) fn burst(bench: &Bench) -> Result<Vec<Figure>> {
    let clients = bench.size(1_000, 20);
    let count = bench.size(200, 50);

    let api = bench.api(4, 250)?;
    let dashboard = bench.dashboard(&api)?;
    let fleet = bench.everything(&dashboard, clients)?;
    let changes = Changes::of(&api.cluster);
    let numbers = |round: u32| round * count + 1..=(round + 1) * count;
    let mut written = Duration::ZERO;
    let mut once = |round| {
        numbers(round).for_each(|number| fleet.expect(number, clients));
        let start = Instant::now();
        numbers(round).for_each(|number| changes.apply((number % count) as usize, number));
        written = start.elapsed();
        fleet.arrivals()
    };
    once(0)?;
    sleep(Duration::from_millis(500));
    let before = dashboard.rss()?;
    let mut ours = measure(&fleet, &dashboard, || once(1))?;
    let growth = dashboard.rss()? - before;
    fleet.check(&api.cluster)?;
    let sample = fleet.last_row();
    drop((fleet, dashboard, api));

    let reference = Reference::like(sample)?;
    let fleet = bench.everything(&reference.process, clients)?;
    let once = |round| {
        let frames = numbers(round)
            .map(|number| reference.frame(number))
            .collect();
        let order = Order::Send {
            namespace: None,
            frames,
            together: true,
        };
        numbers(round).for_each(|number| fleet.expect(number, clients));
        reference.process.order(&order)?;
        fleet.arrivals()
    };
    once(0)?;
    sleep(Duration::from_millis(500));
    let mut raw = measure(&fleet, &reference.process, || once(1))?;

    Ok(vec![
        Figure::new(
            "all changes at all clients",
            "ms",
            quantile(&mut ours.last, 1.0),
        )
        .reference(quantile(&mut raw.last, 1.0))
        .goal(80.0, 180.0)
        .goal_reference(59.0),
        Figure::new("processor time per frame", "us", ours.frame_us())
            .reference(raw.frame_us())
            .goal(0.35, 1.3)
            .goal_reference(0.22),
        Figure::new("the simulator's own writing", "ms", ms(written)),
        Figure::new("growth of RSS", "MB", growth / 1e6),
    ])
}

pub(super) fn interest(bench: &Bench) -> Result<Vec<Figure>> {
    let clients = bench.size(10_000, 200);
    let namespaces = bench.size(3_200, 64);
    let count: u32 = bench.size(500, 50);
    let gap = Duration::from_millis(10);

    let api = bench.api(0, 0)?;
    let names = one_each(&api, namespaces);
    // A prime stride: every namespace has its share of clients, and no client names one twice.
    let place = |client: usize, which: usize| (3 * client + which) * 1_103 % namespaces;
    let scopes: Vec<_> = (0..clients)
        .map(|client| scope(&[0, 1, 2].map(|which| names[place(client, which)].as_str())))
        .collect();
    let mut interested = vec![0; namespaces];
    for client in 0..clients {
        (0..3).for_each(|which| interested[place(client, which)] += 1);
    }
    let dashboard = bench.dashboard(&api)?;
    let fleet = bench.fleet(&dashboard, scopes.iter().cloned(), AT_ONCE)?;
    fleet.synced()?;
    let changes = Changes::of(&api.cluster);
    let changed = |number: u32| number as usize * 37 % namespaces;
    // One that is not measured, for the caches and the sample.
    fleet.expect(1, interested[changed(1)]);
    changes.apply(changed(1), 1);
    fleet.arrivals()?;
    let steady = |fleet: &Fleet, send: &dyn Fn(u32) -> Result<()>| {
        let mut due = Instant::now();
        for number in 2..2 + count {
            sleep(due.saturating_duration_since(Instant::now()));
            due += gap;
            fleet.expect(number, interested[changed(number)]);
            send(number)?;
        }
        fleet.arrivals()
    };
    let mut ours = measure(&fleet, &dashboard, || {
        steady(&fleet, &|number| {
            changes.apply(changed(number), number);
            Ok(())
        })
    })?;
    fleet.check(&api.cluster)?;
    let sample = fleet.last_row();
    drop((fleet, dashboard, api));

    let reference = Reference::like(sample)?;
    let fleet = bench.fleet(&reference.process, scopes, AT_ONCE)?;
    fleet.synced()?;
    let frames: Vec<_> = (2..2 + count)
        .map(|number| reference.frame(number))
        .collect();
    let mut raw = measure(&fleet, &reference.process, || {
        steady(&fleet, &|number| {
            reference.process.order(&Order::Send {
                namespace: Some(names[changed(number)].clone()),
                frames: vec![frames[number as usize - 2].clone()],
                together: false,
            })
        })
    })?;

    let per_change = |cpu: f64| cpu * 1e3 / f64::from(count);
    let figure = |what: &str, ours, raw| Figure::new(what, "ms", ours).reference(raw);
    Ok(vec![
        figure(
            "processor time per change",
            per_change(ours.cpu),
            per_change(raw.cpu),
        )
        .goal(0.6, 2.0)
        .goal_reference(0.21),
        figure(
            "last interested client, p50",
            quantile(&mut ours.last, 0.5),
            quantile(&mut raw.last, 0.5),
        )
        .goal(0.4, f64::INFINITY)
        .goal_reference(0.28),
        figure(
            "last interested client, p99",
            quantile(&mut ours.last, 0.99),
            quantile(&mut raw.last, 0.99),
        )
        .goal(5.0, f64::INFINITY)
        .goal_reference(1.8),
    ])
}
