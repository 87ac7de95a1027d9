//! The search field: keys, and the list under it.

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlInputElement, KeyboardEvent};

use super::dom::{by_id, closest, elements, target};
use super::pool::to_top;
use crate::components::stats::Numbers;
use crate::live::mono_now_ms;
use crate::state::Ui;
use crate::suggest::{Search, last_word};

/// With more rows than this what is offered is looked for in slices, once no key follows.
const AT_ONCE: usize = 2_000;
/// Between a key and the search for what is offered, in milliseconds.
const PAUSE_MS: u64 = 120;
/// How long a slice may be, in milliseconds.
const SLICE_MS: u64 = 6;
/// Rows between two looks at the clock.
const ROWS: usize = 200;

/// Keeps what the list under the field offers. The last offers stay until the new ones are known.
pub(super) fn suggest(ui: Ui) {
    let latest = StoredValue::new(0_u64);
    Effect::new(move |_| {
        let open = ui.search.suggesting.get();
        let filter = ui.table.text.get();
        let typed = ui.search.typed.get();
        latest.update_value(|latest| *latest += 1);
        if !open {
            return ui.search.offers.set(None);
        }
        // A space after the last word begins another one.
        let text = if typed.is_empty() || typed.ends_with(' ') {
            format!("{filter} ")
        } else {
            filter
        };
        let mut search = Search::new(&text);
        let few = ui.live.totals.with_untracked(|totals| totals.rows) <= AT_ONCE;
        // Rows that change are looked at again where that is quick.
        if few {
            ui.live.version.track();
        }
        if few || !search.looks() {
            return ui.search.offers.set(Some(ui.live.with_store(|store| {
                while !search.step(store, usize::MAX) {}
                search.finish(store)
            })));
        }
        let mine = latest.get_value();
        set_timeout(
            move || look(ui, search, move || latest.get_value() == mine),
            Duration::from_millis(PAUSE_MS),
        );
    });
}

/// Looks for what is offered, one slice after the other, until it is known or not wanted.
fn look(ui: Ui, mut search: Search, is_wanted: impl Fn() -> bool + 'static) {
    if !is_wanted() {
        return;
    }
    let until = mono_now_ms() + SLICE_MS;
    let done = ui.live.with_store(|store| {
        loop {
            if search.step(store, ROWS) {
                return true;
            }
            if mono_now_ms() >= until {
                return false;
            }
        }
    });
    if done {
        let offers = ui.live.with_store(|store| search.finish(store));
        ui.search.offers.set(Some(offers));
    } else {
        set_timeout(move || look(ui, search, is_wanted), Duration::ZERO);
    }
}

/// Between a change and counting again, in milliseconds: a key must not wait for that.
const COUNT_MS: u64 = 50;

/// Keeps what the stat strip counts.
pub(super) fn keep_count(ui: Ui) {
    let waits = StoredValue::new(false);
    Effect::new(move |_| {
        let first = ui.live.version.get() <= 1;
        ui.table.filter.track();
        let count = move || {
            waits.set_value(false);
            let filter = ui.table.filter.get_untracked();
            let numbers = (ui.live)
                .with_store(|store| Numbers::of(&filter, |filter| store.totals_of(filter)));
            if ui.search.numbers.get_untracked() != numbers {
                ui.search.numbers.set(numbers);
            }
        };
        if first {
            count();
        } else if !waits.get_value() {
            waits.set_value(true);
            set_timeout(count, Duration::from_millis(COUNT_MS));
        }
    });
}

/// What is typed filters at once.
pub(super) fn typed(ui: Ui, input: &HtmlInputElement) {
    ui.search.suggesting.set(true);
    ui.type_search(&input.value());
}

/// The list is open while somebody is in the field.
pub(super) fn pressed(ui: Ui, event: &Event) {
    let in_field = target(event).is_some_and(|target| closest(&target, "#search").is_some());
    if in_field {
        ui.search.suggesting.set(true);
    }
}

/// A press on the list must not take the focus from the field.
pub(super) fn keep_focus(event: &Event) {
    if target(event).is_some_and(|target| closest(&target, ".sugm").is_some()) {
        event.prevent_default();
    }
}

/// Gives the focus to the search field.
pub(super) fn focus_search() {
    if let Some(search) = by_id("search") {
        let _ = search.focus();
    }
}

/// The focus leaves.
pub(super) fn left(ui: Ui, event: &Event) {
    if target(event).is_some_and(|target| target.id() == "search") {
        ui.search.suggesting.set(false);
        ui.search.suggestion.set(None);
    }
}

/// A key in the field; whether it is done with.
pub(super) fn key_pressed(ui: Ui, event: &KeyboardEvent) -> bool {
    let open = ui.search.suggesting.get_untracked();
    let offers = elements("[data-offer]");
    let chosen = ui.search.suggestion.get_untracked();
    let count = offers.len();
    match event.key().as_str() {
        "ArrowDown" | "ArrowUp" if !open => ui.search.suggesting.set(true),
        "ArrowDown" | "ArrowUp" if count > 0 => {
            let next = match (chosen, event.key() == "ArrowDown") {
                (None, true) => 0,
                (Some(at), true) => (at + 1) % count,
                (at, false) => (at.unwrap_or(0) + count - 1) % count,
            };
            ui.search.suggestion.set(Some(next));
            if let Some(offer) = by_id(&format!("offer-{next}")) {
                offer.scroll_into_view_with_bool(false);
            }
        }
        "Enter" | "Tab" if open && chosen.is_some() => {
            let word = chosen
                .and_then(|at| offers.get(at))
                .and_then(|offer| offer.get_attribute("data-offer"));
            if let Some(word) = word {
                take(ui, &word);
            }
        }
        // What is complete becomes tokens.
        "Enter" => {
            let text = ui.table.text.get_untracked();
            ui.set_search(&text);
            ui.search.suggesting.set(false);
        }
        "Backspace" => {
            let empty = ui.search.typed.with_untracked(String::is_empty);
            let Some(last) = ui
                .search
                .tokens
                .with_untracked(|tokens| tokens.last().cloned())
            else {
                return false;
            };
            if !empty {
                return false;
            }
            ui.search.tokens.update(|tokens| {
                tokens.pop();
            });
            ui.type_search(&last);
            to_top(ui);
        }
        _ => return false,
    }
    true
}

/// An offer takes the place of the last word.
pub(super) fn take(ui: Ui, word: &str) {
    let typed = ui.search.typed.get_untracked();
    let kept = &typed[..typed.len() - last_word(&typed).len()];
    // A key waits for its value.
    let end = if word.ends_with(':') { "" } else { " " };
    ui.type_search(&format!("{kept}{word}{end}"));
    ui.search.suggesting.set(word.ends_with(':'));
    to_top(ui);
    focus_search();
    // The element keeps what was typed where the state ends as it was.
    if let Some(input) = by_id("search").and_then(|field| field.dyn_into::<HtmlInputElement>().ok())
    {
        input.set_value(&ui.search.typed.get_untracked());
    }
}
