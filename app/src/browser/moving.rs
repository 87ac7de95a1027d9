//! Going through the lines with keys.

use std::sync::Arc;

use leptos::prelude::*;
use protocol::Ingress;
use protocol::view::{Line, LineKey};
use web_sys::Element;

use super::dom::first_of;
use super::focus::{focus_line, focused_key};
use super::lines::wrap;
use super::pool::{row_height, scrolled};
use crate::state::Ui;

/// Brings line `index` of the view into sight and the focus to it.
pub(super) fn go_to(ui: Ui, index: usize) {
    let Some(line) = ui.table.with_lines(|lines| lines.get(index)) else {
        return;
    };
    let Some(table) = wrap(ui) else {
        return;
    };
    let height = row_height(ui);
    let (top, bottom) = (index as f64 * height, (index + 1) as f64 * height);
    let shown = height_of_rows(&table);
    let at = f64::from(table.scroll_top());
    // The head of a group lies over the first row.
    let covered = match &line {
        Line::Row(_) if ui.table.grouping.get_untracked().is_some() => height,
        _ => 0.0,
    };
    if top - covered < at {
        table.set_scroll_top((top - covered) as i32);
    } else if bottom > at + shown {
        table.set_scroll_top((bottom - shown).ceil() as i32);
    }
    scrolled(ui);
    ui.table.note(|table| table.at = index);
    // In a low window the page scrolls as well.
    table.scroll_into_view_with_bool(false);
    let key = line.key();
    if let LineKey::Row(row) = &key
        && ui.details.selected.with_untracked(Option::is_some)
    {
        ui.details.selected.set(Some(row.clone()));
    }
    // A person who goes through the rows from within the details stays there.
    if first_of(".drawer :focus").is_some() {
        ui.table.current.set(Some(key));
    } else {
        focus_line(ui, key);
    }
}

/// How much of the table's height is rows, in pixels.
fn height_of_rows(table: &Element) -> f64 {
    const HEAD: f64 = 30.0;
    f64::from(table.client_height()) - HEAD
}

/// As many rows on as the window shows, or back; from the first in sight where none is current.
pub(super) fn turn_page(ui: Ui, forward: bool) {
    let Some(table) = wrap(ui) else {
        return;
    };
    let rows = ((height_of_rows(&table) / row_height(ui)) as usize).max(1);
    let (at, len) = current_line(ui);
    let at = at.unwrap_or(ui.table.recall(|table| table.sight.0));
    let index = if forward {
        (at + rows).min(len.saturating_sub(1))
    } else {
        at.saturating_sub(rows)
    };
    go_to(ui, index);
}

/// One row on, or back.
pub(super) fn step(ui: Ui, forward: bool) {
    let (at, len) = current_line(ui);
    let index = match (at, forward) {
        // None was, or it is gone.
        (None, _) => ui.table.recall(|table| table.sight.0),
        (Some(at), true) => at + 1,
        (Some(at), false) => at.saturating_sub(1),
    };
    if index < len {
        go_to(ui, index);
    }
}

/// The line that the keys are at. The focus follows a frame later: it is behind where keys come
/// faster than frames.
pub(super) fn current_key(ui: Ui) -> Option<LineKey> {
    ui.table
        .current
        .get_untracked()
        .or_else(|| ui.details.selected.get_untracked().map(LineKey::Row))
        .or_else(|| focused_key(ui))
}

/// Where in the view the keys are, and how many lines it has.
fn current_line(ui: Ui) -> (Option<usize>, usize) {
    let key = current_key(ui);
    ui.table.with_lines(|lines| {
        let at = key.and_then(|key| lines.line_of(&key));
        (at, lines.len())
    })
}

/// The row that the keys are at.
pub(super) fn current_row(ui: Ui) -> Option<Arc<Ingress>> {
    let key = current_key(ui)?;
    let view = ui.live.with_store(|store| store.get(key.row()?))?;
    Some(view.ingress)
}
