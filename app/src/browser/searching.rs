//! The search field: keys, and the list under it.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlInputElement, KeyboardEvent};

use super::{by_id, closest, elements, target, to_top};
use crate::state::Ui;
use crate::suggest::last_word;

/// What is typed filters at once.
pub(super) fn typed(ui: Ui, input: &HtmlInputElement) {
    ui.suggesting.set(true);
    ui.type_search(&input.value());
}

/// The list is open while somebody is in the field.
pub(super) fn pressed(ui: Ui, event: &Event) {
    let in_field = target(event).is_some_and(|target| closest(&target, "#search").is_some());
    if in_field {
        ui.suggesting.set(true);
    }
}

/// A press on the list must not take the focus from the field.
pub(super) fn keep_focus(event: &Event) {
    if target(event).is_some_and(|target| closest(&target, ".sugm").is_some()) {
        event.prevent_default();
    }
}

/// The focus leaves.
pub(super) fn left(ui: Ui, event: &Event) {
    if target(event).is_some_and(|target| target.id() == "search") {
        ui.suggesting.set(false);
        ui.suggestion.set(None);
    }
}

/// A key in the field; whether it is done with.
pub(super) fn key_pressed(ui: Ui, event: &KeyboardEvent) -> bool {
    let open = ui.suggesting.get_untracked();
    let offers = elements("[data-offer]");
    let chosen = ui.suggestion.get_untracked();
    let count = offers.len();
    match event.key().as_str() {
        "ArrowDown" | "ArrowUp" if !open => ui.suggesting.set(true),
        "ArrowDown" | "ArrowUp" if count > 0 => {
            let next = match (chosen, event.key() == "ArrowDown") {
                (None, true) => 0,
                (Some(at), true) => (at + 1) % count,
                (at, false) => (at.unwrap_or(0) + count - 1) % count,
            };
            ui.suggestion.set(Some(next));
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
            let text = ui.live.filter.get_untracked();
            ui.set_search(&text);
            ui.suggesting.set(false);
        }
        "Backspace" => {
            let empty = ui.typed.with_untracked(String::is_empty);
            let Some(last) = ui.tokens.with_untracked(|tokens| tokens.last().cloned()) else {
                return false;
            };
            if !empty {
                return false;
            }
            ui.tokens.update(|tokens| {
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
    let typed = ui.typed.get_untracked();
    let kept = &typed[..typed.len() - last_word(&typed).len()];
    // A key waits for its value.
    let end = if word.ends_with(':') { "" } else { " " };
    ui.type_search(&format!("{kept}{word}{end}"));
    ui.suggesting.set(word.ends_with(':'));
    to_top(ui);
    super::focus_search();
    // The element keeps what was typed where the state ends as it was.
    if let Some(input) = by_id("search").and_then(|field| field.dyn_into::<HtmlInputElement>().ok())
    {
        input.set_value(&ui.typed.get_untracked());
    }
}
