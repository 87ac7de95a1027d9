//! Rows keep their places while the pointer or the focus is in one of them.

use std::time::Duration;

use leptos::prelude::*;
use web_sys::Event;

use super::dom::target;
use super::focus::FOLLOWS;
use super::lines::place_at;
use crate::live::mono_now_ms;
use crate::state::Ui;

/// How long after the pointer and the focus have left the rows move again, in milliseconds.
const RELEASE_MS: u64 = 400;

/// Without a movement or a key for so long a hold ends, in milliseconds.
const LONGEST_HOLD_MS: u64 = 30_000;

thread_local! {
    /// When the pointer or a key last did something over the rows, on the monotonic clock.
    static HELD_AT: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

pub(super) fn hold_now() {
    HELD_AT.set(mono_now_ms());
}

/// The row under the pointer or the focus has its buttons, and holds the others in their places.
pub(super) fn point_at(ui: Ui, event: &Event) {
    let place = target(event).as_ref().and_then(place_at);
    if event.type_() == "focusin" {
        FOLLOWS.set(place.is_some());
    }
    ui.slots.with_value(|slots| {
        for (index, slot) in slots.iter().enumerate() {
            let here = Some(index) == place;
            if slot.active.get_untracked() != here {
                slot.active.set(here);
            }
        }
    });
    if let Some(place) = place {
        if event.type_() == "focusin" {
            let key = ui.slots.with_value(|slots| {
                slots[place]
                    .cell
                    .with_untracked(|cell| cell.as_ref().map(|cell| cell.line.key()))
            });
            if ui.current.with_untracked(|current| *current != key) {
                ui.current.set(key);
            }
        }
        hold_now();
        ui.live.hold(true);
        release_later(ui);
    }
}

/// Ends the hold once nothing is over the rows, or nothing has moved there for long.
fn release_later(ui: Ui) {
    thread_local! {
        static WAITING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    }
    if WAITING.replace(true) {
        return;
    }
    set_timeout(
        move || {
            WAITING.set(false);
            let over = document()
                .query_selector("tr[data-place]:hover, tr[data-place]:focus-within")
                .ok()
                .flatten()
                .is_some();
            let idle = mono_now_ms().saturating_sub(HELD_AT.get()) > LONGEST_HOLD_MS;
            if over && !idle {
                release_later(ui);
            } else {
                ui.live.hold(false);
            }
        },
        Duration::from_millis(RELEASE_MS),
    );
}
