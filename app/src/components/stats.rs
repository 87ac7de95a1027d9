//! Five numbers over all rows of the scope.

use leptos::prelude::*;

use super::icons::icon;
use crate::format::count;
use crate::state::Ui;
use crate::status::{Coverage, Currency};

#[derive(Clone, PartialEq)]
struct Numbers {
    rows: usize,
    matching: usize,
    hosts: usize,
    wildcards: usize,
    tls: usize,
    partly: usize,
    classless: usize,
    namespaces: usize,
}

/// The stat strip.
#[component]
pub fn Stats() -> impl IntoView {
    let ui = Ui::expect();
    let numbers = Memo::new(move |_| {
        let matching = ui.matching();
        if ui.is_fed() {
            let totals = ui.live.totals.get();
            Numbers {
                rows: totals.rows,
                matching,
                hosts: totals.hosts,
                wildcards: totals.wildcard_hosts,
                tls: totals.with_tls,
                partly: totals.partly_tls,
                classless: totals.without_class,
                namespaces: ui.namespaces(),
            }
        } else {
            ui.first.with_value(|rows| Numbers {
                rows: rows.total,
                matching,
                hosts: rows.hosts,
                wildcards: rows.wildcard_hosts,
                tls: rows.with_tls,
                partly: rows.partly_tls,
                classless: rows.without_class,
                namespaces: ui.namespaces(),
            })
        }
    });
    // What is not known is no zero.
    let number = move |read: fn(&Numbers) -> usize| {
        move || {
            if ui.is_counted() {
                numbers.with(|numbers| count(read(numbers)))
            } else {
                "–".into()
            }
        }
    };
    let loaded = move || {
        if ui.currency.get() == Currency::Forbidden {
            return "no permission".into();
        }
        if !ui.is_known() {
            return "not loaded yet".into();
        }
        numbers.with(|numbers| {
            if numbers.matching != numbers.rows {
                return format!("{} match", count(numbers.matching));
            }
            match ui.facts().coverage() {
                Coverage::All | Coverage::Loaded => "all loaded".into(),
                Coverage::Partly(live) => format!("in {live}"),
                Coverage::AsOf(Some(time)) => format!("as of {time}"),
                Coverage::AsOf(None) => "old".into(),
            }
        })
    };
    let wildcards = move || {
        if !ui.is_counted() {
            return String::new();
        }
        numbers.with(|numbers| match numbers.wildcards {
            1 => "1 wildcard".into(),
            many => format!("{} wildcards", count(many)),
        })
    };
    let coverage = move || {
        if !ui.is_counted() {
            return String::new();
        }
        numbers.with(|numbers| {
            let percent = (numbers.tls * 100).checked_div(numbers.rows).unwrap_or(0);
            match numbers.partly {
                0 => format!("{percent} %"),
                partly => format!("{percent} %, {} only partly", count(partly)),
            }
        })
    };
    let all = move || {
        ui.first
            .with_value(|rows| rows.namespaces_total)
            .filter(|all| *all >= ui.namespaces())
            .map(|all| format!("of {}", count(all)))
    };
    // On a phone the strip scrolls by itself, which has to be possible with keys too.
    view! {
        <dl class="stats stats-5" tabindex=move || ui.cards.get().then_some("0")>
            <div class="stat">
                <dt class="l">"Ingresses"</dt>
                <dd class="v">{number(|numbers| numbers.rows)}</dd>
                <dd class="c">{loaded}</dd>
            </div>
            <div class="stat">
                <dt class="l">"Hosts"</dt>
                <dd class="v">{number(|numbers| numbers.hosts)}</dd>
                <dd class="c">{wildcards}</dd>
            </div>
            <div class="stat">
                <dt class="l">{icon("#i-lock")}"With TLS"</dt>
                <dd class="v">{number(|numbers| numbers.tls)}</dd>
                <dd class="c">{coverage}</dd>
            </div>
            <div class="stat">
                <dt class="l">{icon("#i-idle")}"Without class"</dt>
                <dd class="v">{number(|numbers| numbers.classless)}</dd>
                <dd class="c">"class is not set"</dd>
            </div>
            <div class="stat">
                <dt class="l">{icon("#i-ns")}"Namespaces"</dt>
                <dd class="v">{number(|numbers| numbers.namespaces)}</dd>
                <dd class="c">{all}</dd>
            </div>
        </dl>
    }
}
