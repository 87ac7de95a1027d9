//! The band at the bottom: how many, in which order, what waits, as of when, the keys.

use leptos::prelude::*;

use super::icons::small_icon;
use crate::actions::Action;
use crate::format::{count, counted};
use crate::state::Ui;

/// How long it is said what the browser's own search finds, in milliseconds.
const FINDING_MS: u64 = 20_000;

/// The status bar.
#[component]
pub fn Footer() -> impl IntoView {
    let ui = Ui::expect();
    let total = Memo::new(move |_| ui.total());
    let matching = Memo::new(move |_| ui.matching());
    let number = move || {
        if !ui.is_counted() {
            return String::new();
        }
        let (total, matching) = (total.get(), matching.get());
        if total == matching {
            count(total)
        } else {
            count(matching)
        }
    };
    let noun = move || {
        if !ui.is_counted() {
            return "No data yet".to_owned();
        }
        let (total, matching) = (total.get(), matching.get());
        if total == matching {
            (if total == 1 { " ingress" } else { " ingresses" }).to_owned()
        } else {
            format!(" of {} match", counted(total, "ingress", "ingresses"))
        }
    };
    let as_of =
        move || {
            let facts = ui.facts();
            ui.currency.get().is_old().then(|| facts.as_of()).flatten().map(|time| {
            view! {
                <span class="sep"></span>
                <span class="asofbar">{small_icon("#i-clock")}{format!("As of {time}")}</span>
            }
        })
        };
    let waiting = move || {
        let waiting = ui.live.waiting.get();
        (waiting > 0).then(|| {
            view! {
                <span class="sep"></span>
                <button class="waiting" type="button" data-act=Action::Release.id()>
                    {counted(waiting, "update waiting", "updates waiting")}
                </button>
            }
        })
    };
    let order = move || {
        let sort = ui.sort().words();
        let grouped = ui.grouped();
        ui.table.filter.with(|filter| match filter.host_asked() {
            Some(host) => format!("What takes {host} first, then by {sort}{grouped}"),
            None => format!("Sorted by {sort}{grouped}"),
        })
    };
    let build = move || {
        ui.live.new_build.get().map(|_| {
            view! {
                <span class="sep"></span>
                <span class="build">
                    {small_icon("#i-refresh")}
                    "A new version is ready."
                    <button class="btn-link" type="button" data-act=Action::Reload.id()>"Reload"</button>
                </span>
            }
        })
    };
    let finding = move || {
        let since = ui.clock.mono.get().saturating_sub(ui.finding.get()?);
        (since < FINDING_MS).then(|| {
            view! {
                <span class="sep"></span>
                <span class="asofbar">
                    {small_icon("#i-search")}
                    "The browser searches the rows near the window only. "<kbd class="kbd">"/"</kbd>" searches all."
                </span>
            }
        })
    };
    view! {
        <footer class="foot">
            <span><b class="semi">{number}</b>{noun}</span>
            <span class="sep"></span>
            <span>{order}</span>
            {finding}
            {waiting}
            {as_of}
            {build}
            <span class="keys" aria-hidden="true">
                <span><kbd class="kbd">"j"</kbd><kbd class="kbd">"k"</kbd>"move"</span>
                <span><kbd class="kbd">"Enter"</kbd>"open"</span>
                <span><kbd class="kbd">"/"</kbd>"filter"</span>
                <span><kbd class="kbd">"n"</kbd>"namespaces"</span>
                <span><kbd class="kbd">"?"</kbd>"all keys"</span>
            </span>
        </footer>
    }
}
