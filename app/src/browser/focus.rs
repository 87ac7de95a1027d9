//! The focus of the keys: it belongs to a line, not to the element that shows the line.

use leptos::prelude::*;
use protocol::view::LineKey;

use super::dom::closest;
use super::lines::{line_of, name_at, place_of, wrap};
use crate::state::Ui;

/// The line that has the focus, if any has.
pub(super) fn focused_key(ui: Ui) -> Option<LineKey> {
    let active = document().active_element()?;
    // The focus may be in another table.
    let here = closest(&active, "[data-table]")?.id() == ui.table.element_id();
    line_of(ui, &active)
        .filter(|_| here)
        .map(|cell| cell.line.key())
}

/// Gives the focus to the current row if it is that row's, and to the table as long as no element
/// holds the row.
pub(super) fn keep_focus(ui: Ui) {
    let Some(mut key) = ui
        .table
        .current
        .get_untracked()
        .filter(|_| ui.table.recall(|table| table.follows))
    else {
        return;
    };
    let next = ui.table.with_lines(|lines| match lines.line_of(&key) {
        Some(at) => {
            ui.table.note(|table| table.at = at);
            None
        }
        // It is gone: the focus goes to the one that has taken its place.
        None => {
            let at = ui.table.recall(|table| table.at);
            lines.get(at.min(lines.len().checked_sub(1)?))
        }
    });
    if let Some(next) = next {
        key = next.key();
        ui.table.current.set(Some(key.clone()));
    }
    if focused_key(ui).as_ref() == Some(&key) {
        return;
    }
    let element = match place_of(ui, &key) {
        Some(place) => name_at(ui, place),
        None => wrap(ui),
    };
    if let Some(element) = element {
        let options = web_sys::FocusOptions::new();
        options.set_prevent_scroll(true);
        let _ = element.focus_with_options(&options);
        ui.table.note(|table| table.follows = true);
    }
}

/// Makes a line the current one and brings the focus to it, with the next frame: the line may only
/// now get its element.
pub(super) fn focus_line(ui: Ui, key: LineKey) {
    ui.table.current.set(Some(key));
    ui.table.note(|table| table.follows = true);
    request_animation_frame(move || keep_focus(ui));
}
