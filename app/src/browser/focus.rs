//! The focus of the keys: it belongs to a line, not to the element that shows the line.

use leptos::prelude::*;
use protocol::table::LineKey;

use super::dom::by_id;
use super::lines::{line_of, name_at, place_of};
use crate::state::Ui;

thread_local! {
    /// The line that the current row was last at: where it is gone, the next one is there.
    pub(super) static AT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    /// Whether the focus belongs to the current row: it goes where that row goes, and waits on the
    /// table while no element holds that row.
    pub(super) static FOLLOWS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// The line that has the focus, if any has.
pub(super) fn focused_key(ui: Ui) -> Option<LineKey> {
    line_of(ui, &document().active_element()?).map(|cell| cell.line.key())
}

/// Gives the focus to the current row if it is that row's, and to the table as long as no element
/// holds the row.
pub(super) fn keep_focus(ui: Ui) {
    let Some(mut key) = ui.current.get_untracked().filter(|_| FOLLOWS.get()) else {
        return;
    };
    let next = ui.live.with_table(|table| match table.line_of(&key) {
        Some(at) => {
            AT.set(at);
            None
        }
        // It is gone: the focus goes to the one that has taken its place.
        None => table.line(AT.get().min(table.line_count().checked_sub(1)?)),
    });
    if let Some(next) = next {
        key = next.key();
        ui.current.set(Some(key.clone()));
    }
    if focused_key(ui).as_ref() == Some(&key) {
        return;
    }
    let element = match place_of(ui, &key) {
        Some(place) => name_at(place),
        None => by_id("tablewrap"),
    };
    if let Some(element) = element {
        let options = web_sys::FocusOptions::new();
        options.set_prevent_scroll(true);
        let _ = element.focus_with_options(&options);
        FOLLOWS.set(true);
    }
}

/// Makes a line the current one and brings the focus to it, with the next frame: the line may only
/// now get its element.
pub(super) fn focus_line(ui: Ui, key: LineKey) {
    ui.current.set(Some(key));
    FOLLOWS.set(true);
    request_animation_frame(move || keep_focus(ui));
}
