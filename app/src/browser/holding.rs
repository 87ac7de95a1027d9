//! Rows keep their places while the pointer or the focus is in one of them.

use std::time::Duration;

use leptos::prelude::*;
use web_sys::Event;

use super::dom::target;
use super::each_table;
use super::lines::{at, place_at};
use crate::live::mono_now_ms;
use crate::state::{Input, Ui};

/// How long after the pointer and the focus have left the rows move again, in milliseconds.
const RELEASE_MS: u64 = 400;

/// Without a movement or a key for so long a hold ends, in milliseconds.
const LONGEST_HOLD_MS: u64 = 30_000;

/// The pointer or a key did something over the rows.
pub(super) fn hold_now(ui: Ui) {
    ui.input
        .update_value(|input| input.held_at_ms = mono_now_ms());
}

/// The row under the pointer or the focus has its buttons, and holds the others in their places.
pub(super) fn point_at(ui: Ui, event: &Event) {
    let target = target(event);
    let here = target.as_ref().map(|target| at(ui, target));
    // What is in one table is in no other.
    each_table(ui, |ui| {
        let is_here = here.is_some_and(|here| here.table.number == ui.table.number);
        let place = target.as_ref().filter(|_| is_here).and_then(place_at);
        point_in(ui, event, place);
    });
}

fn point_in(ui: Ui, event: &Event, place: Option<usize>) {
    if event.type_() == "focusin" {
        ui.table.note(|table| table.follows = place.is_some());
    }
    ui.table.slots.with_value(|slots| {
        for (index, slot) in slots.iter().enumerate() {
            let here = Some(index) == place;
            if slot.active.get_untracked() != here {
                slot.active.set(here);
            }
        }
    });
    if let Some(place) = place {
        if event.type_() == "focusin" {
            let key = ui.table.slots.with_value(|slots| {
                slots[place]
                    .cell
                    .with_untracked(|cell| cell.as_ref().map(|cell| cell.line.key()))
            });
            if ui.table.current.with_untracked(|current| *current != key) {
                ui.table.current.set(key);
            }
        }
        hold_now(ui);
        ui.live.hold(true);
        release_later(ui);
    }
}

/// Ends the hold once nothing is over the rows, or nothing has moved there for long.
fn release_later(ui: Ui) {
    let waits = |input: &mut Input| std::mem::replace(&mut input.waits_for_release, true);
    if ui.input.try_update_value(waits).unwrap_or_default() {
        return;
    }
    set_timeout(
        move || {
            ui.input
                .update_value(|input| input.waits_for_release = false);
            let over = document()
                .query_selector("tr[data-place]:hover, tr[data-place]:focus-within")
                .ok()
                .flatten()
                .is_some();
            let held_at_ms = ui.input.with_value(|input| input.held_at_ms);
            let idle = mono_now_ms().saturating_sub(held_at_ms) > LONGEST_HOLD_MS;
            if over && !idle {
                release_later(ui);
            } else {
                ui.live.hold(false);
            }
        },
        Duration::from_millis(RELEASE_MS),
    );
}
