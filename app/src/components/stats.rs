//! Five numbers over the rows that the filter leaves. Two of them are filters.

use leptos::prelude::*;
use protocol::filter::{Field, Filter};
use protocol::store::Totals;

use super::icons::icon;
use crate::actions::{Action, Opens};
use crate::format::{count, percent};
use crate::state::Ui;
use crate::status::{Coverage, Currency};

/// What the fields count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Over what the whole filter leaves.
    pub all: Totals,
    /// Over what the filter leaves without its words about TLS.
    pub tls: Totals,
    /// The same without its words about classes.
    pub class: Totals,
}

impl Numbers {
    /// Counts with `totals_of`, no oftener than needed.
    pub fn of(filter: &Filter, totals_of: impl Fn(&Filter) -> Totals) -> Self {
        let all = totals_of(filter);
        let without = |field| match filter.term(field) {
            Some(_) => totals_of(&filter.with(field, false, Vec::new())),
            None => all,
        };
        Self {
            all,
            tls: without(Field::Tls),
            class: without(Field::Class),
        }
    }
}

/// The stat strip.
#[component]
pub fn Stats() -> impl IntoView {
    let ui = Ui::expect();
    let numbers = Memo::new(move |_| {
        if ui.is_fed() {
            return ui.search.numbers.get();
        }
        let all = ui.first.with_value(|rows| Totals {
            rows: rows.total,
            hosts: rows.hosts,
            wildcard_hosts: rows.wildcard_hosts,
            with_tls: rows.with_tls,
            partly_tls: rows.partly_tls,
            without_class: rows.without_class,
            namespaces: rows.namespaces,
        });
        Numbers {
            all,
            tls: all,
            class: all,
        }
    });
    let filtered = Memo::new(move |_| ui.table.filter.with(|filter| !filter.is_empty()));
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
    let class = move |read: fn(&Numbers) -> usize| {
        move || match ui.is_counted() && numbers.with(read) == 0 {
            true => "stat zero",
            false => "stat",
        }
    };
    let total = move || {
        if ui.is_counted() {
            count(ui.total())
        } else {
            "–".into()
        }
    };
    let no_rows = move || match ui.is_counted() && ui.total() == 0 {
        true => "stat zero",
        false => "stat",
    };
    let loaded = move || {
        if ui.currency.get() == Currency::Forbidden {
            return "no permission".into();
        }
        if !ui.is_known() {
            return "not loaded yet".into();
        }
        let (matching, total) = (ui.matching(), ui.total());
        if matching != total {
            return format!("{} match", count(matching));
        }
        match ui.facts().coverage() {
            Coverage::All | Coverage::Loaded => "all loaded".into(),
            Coverage::Partly(live) => format!("in {live}"),
            Coverage::AsOf(Some(time)) => format!("as of {time}"),
            Coverage::AsOf(None) => "old".into(),
        }
    };
    // What is made of the rows says nothing of none.
    let words = move |say: fn(&Numbers) -> String| {
        move || {
            if ui.is_counted() {
                numbers.with(say)
            } else {
                String::new()
            }
        }
    };
    // Those of the scope that there are.
    let watched = move || {
        let missing = ui.missing.with(Vec::len);
        ui.namespaces().saturating_sub(missing)
    };
    let namespaces = move || {
        if !ui.is_counted() {
            return "–".into();
        }
        count(if filtered.get() {
            numbers.with(|numbers| numbers.all.namespaces)
        } else {
            watched()
        })
    };
    let of_namespaces = move || {
        let watched = watched();
        if filtered.get() {
            return Some(format!("of {}", count(watched)));
        }
        (ui.first.with_value(|rows| rows.namespaces_total))
            .filter(|all| *all >= watched && ui.live.scope.with(|scope| scope.names().is_some()))
            .map(|all| format!("of {}", count(all)))
    };
    let pressed = move |word: &'static str| {
        move || {
            if ui.table.filter.with(|filter| filter.has(word)) {
                "true"
            } else {
                "false"
            }
        }
    };
    // On a phone the strip scrolls by itself, which has to be possible with keys too.
    view! {
        <div class="stats stats-5" role="group" aria-label="Numbers" tabindex=move || ui.cards.get().then_some("0")>
            <div class=no_rows>
                <span class="l">"Ingresses"</span>
                <span class="v">{total}</span>
                <span class="c">{loaded}</span>
            </div>
            <div class=class(|numbers| numbers.all.hosts)>
                <span class="l">"Hosts"</span>
                <span class="v">{number(|numbers| numbers.all.hosts)}</span>
                <span class="c">{words(|numbers| match numbers.all.wildcard_hosts {
                    1 => "1 wildcard".into(),
                    many => format!("{} wildcards", count(many)),
                })}</span>
            </div>
            <button
                class=class(|numbers| numbers.tls.with_tls)
                type="button"
                data-act=Action::ToggleWord.id()
                data-value="tls:yes"
                aria-pressed=pressed("tls:yes")
            >
                <span class="l">{icon("#i-lock")}"With TLS"</span>
                <span class="v">{number(|numbers| numbers.tls.with_tls)}</span>
                <span class="c">{words(|numbers| {
                    let percent = percent(numbers.tls.with_tls, numbers.tls.rows);
                    match numbers.tls.partly_tls {
                        0 => percent,
                        partly => format!("{percent}, {} only partly", count(partly)),
                    }
                })}</span>
            </button>
            <button
                class=class(|numbers| numbers.class.without_class)
                type="button"
                data-act=Action::ToggleWord.id()
                data-value="class:none"
                aria-pressed=pressed("class:none")
            >
                <span class="l">{icon("#i-idle")}"Without class"</span>
                <span class="v">{number(|numbers| numbers.class.without_class)}</span>
                <span class="c">{words(|numbers| match (numbers.class.without_class, numbers.class.rows) {
                    (_, 0) => String::new(),
                    (0, _) => "all have one".into(),
                    (1, 1) => "it has none".into(),
                    (none, rows) if none == rows => "none has one".into(),
                    _ => "class is not set".into(),
                })}</span>
            </button>
            <button class="stat" type="button" data-popup=Opens::Namespaces.id() aria-haspopup="dialog">
                <span class="l">{icon("#i-ns")}"Namespaces"</span>
                <span class="v">{namespaces}</span>
                <span class="c">{of_namespaces}</span>
            </button>
        </div>
    }
}
