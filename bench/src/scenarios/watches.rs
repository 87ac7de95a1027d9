//! Watches are shared, and a namespace's change is its own clients' only.

use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;

use super::{AT_ONCE, Bench, Changes, one_each, scope};
use crate::report::{Figure, ms, quantile};

pub(super) fn shared(bench: &Bench) -> Result<Vec<Figure>> {
    const CLIENTS: usize = 50;
    const NAMESPACES: usize = 20;
    let api = bench.api(0, 0)?;
    let names = one_each(&api, 2 * NAMESPACES);
    let watched: Vec<_> = names.iter().take(NAMESPACES).map(String::as_str).collect();
    let mut figures = Vec::new();
    // The numbers of changes go on: the same number again would be no change.
    let mut numbers = 1..;
    for (how, goal) in [("with", 1.0), ("without", NAMESPACES as f64)] {
        if how == "without" {
            api.cluster.rules().deny("*", "ingresses", None);
            for name in &names {
                api.cluster.rules().allow("*", "ingresses", Some(name));
            }
        }
        let dashboard = bench.dashboard(&api)?;
        let fleet = bench.fleet(&dashboard, vec![scope(&watched); CLIENTS], AT_ONCE)?;
        fleet.synced()?;
        let changes = Changes::of(&api.cluster);
        for (row, number) in numbers.by_ref().take(NAMESPACES).enumerate() {
            fleet.expect(number, CLIENTS);
            changes.apply(row, number);
        }
        fleet.arrivals()?;
        let watches = api.cluster.open_watches_of("ingresses") as f64;
        fleet.check(&api.cluster)?;
        let what = format!("watches on ingresses {how} cluster permission");
        figures.push(Figure::new(what, "", watches).goal(goal, goal));
    }
    Ok(figures)
}

pub(super) fn isolated(bench: &Bench) -> Result<Vec<Figure>> {
    const DELIVERY: &str = "ingress_dash_delivery_seconds";
    let clients = bench.size(200, 20);
    let api = bench.api(0, 0)?;
    let names = one_each(&api, clients);
    let dashboard = bench.dashboard(&api)?;
    let scopes = names.iter().map(|name| scope(&[name]));
    let fleet = bench.fleet(&dashboard, scopes, AT_ONCE)?;
    fleet.synced()?;
    let changes = Changes::of(&api.cluster);
    let before = dashboard.histogram(DELIVERY)?;
    let change = |number: u32| {
        fleet.expect(number, 1);
        changes.apply(number as usize - 1, number);
    };
    let count = clients as u32;
    for number in 1..=count {
        change(number);
        sleep(Duration::from_millis(5));
    }
    let all = |arrivals: Vec<Vec<Duration>>| -> Vec<_> {
        arrivals.into_iter().flatten().map(ms).collect()
    };
    let mut one_by_one = all(fleet.arrivals()?);
    let inside = share_below(&before, &dashboard.histogram(DELIVERY)?, 0.99);
    for number in count + 1..=2 * count {
        fleet.expect(number, 1);
        changes.apply((number - count) as usize - 1, number);
    }
    let mut together = all(fleet.arrivals()?);
    fleet.check(&api.cluster)?;
    Ok(vec![
        Figure::new(
            "receipt to socket, p99 (a bound of the server's histogram)",
            "ms",
            inside * 1e3,
        )
        .goal(20.0, 20.0),
        Figure::new(
            "from API server to client, p50",
            "ms",
            quantile(&mut one_by_one, 0.5),
        ),
        Figure::new(
            "from API server to client, p99",
            "ms",
            quantile(&mut one_by_one, 0.99),
        ),
        Figure::new(
            "all at once: from API server to client, p99",
            "ms",
            quantile(&mut together, 0.99),
        ),
    ])
}

/// The lowest bucket bound that this share of the new observations does not exceed.
fn share_below(before: &[(f64, f64)], after: &[(f64, f64)], share: f64) -> f64 {
    let counts = after
        .iter()
        .zip(before)
        .map(|((bound, now), (_, then))| (*bound, now - then));
    let counts: Vec<_> = counts.collect();
    let total = counts.last().map_or(0.0, |(_, count)| *count);
    let bound = counts.iter().find(|(_, count)| *count >= share * total);
    bound
        .filter(|_| total > 0.0)
        .map_or(f64::NAN, |(bound, _)| *bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_observed_in_between_counts() {
        let before = [(0.5, 100.0), (1.0, 100.0), (f64::INFINITY, 100.0)];
        let after = [(0.5, 100.0), (1.0, 199.0), (f64::INFINITY, 200.0)];
        assert!((share_below(&before, &after, 0.99) - 1.0).abs() < f64::EPSILON);
        assert!(share_below(&before, &before, 0.99).is_nan());
    }
}
