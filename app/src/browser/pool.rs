//! The pool of row elements: which lines it holds, and the room of those that it does not hold.

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use protocol::view::Line;
use web_sys::HtmlElement;

use super::dom::{elements_in, first_in};
use super::focus::keep_focus;
use super::lines::wrap;
use crate::live::mono_now_ms;
use crate::page::{Density, POOL};
use crate::pool;
use crate::state::Ui;
use crate::table::{Cell, Slot};

/// With more changes than this in sight nothing flashes: the glyphs are enough.
const MOST_FLASHES: usize = 20;

/// How many elements out of sight are filled at once.
const OUT_OF_SIGHT: usize = 10;

/// Rows in the pool beyond those that fill the window.
const OVERSCAN: usize = 20;

/// The height of a card, which a row is on a phone. The style sheet has the same.
const CARD: f64 = 112.0;

/// The cells that have the room of the rows before the pool, and after it.
const BEFORE: &str = ".space-before";
const AFTER: &str = ".space-after";

/// In a window like this rows are cards; in a low one too few of them would be in sight.
const CARDS: &str = "(max-width: 719px) and (min-height: 480px)";

/// The height of a line, in pixels.
pub(super) fn row_height(ui: Ui) -> f64 {
    if ui.cards.get_untracked() {
        return CARD;
    }
    match ui.choices.density.get_untracked() {
        Density::Compact => 28.0,
        Density::Default => 34.0,
        Density::Comfortable => 44.0,
    }
}

/// Moves rows into the pool's elements, whenever the table or the scroll position has changed: at
/// once into those in sight, then into the others.
pub(super) fn fill_pool(ui: Ui) {
    Effect::new(move |_| {
        ui.table.start.track();
        ui.table.pool.track();
        let known = ui.live.version.get() > 0;
        // A key in the search is shown at once, the rows that it leaves with the next frame.
        let filter = ui.table.filter.get_untracked();
        let (typed, fills) = ui.table.note(|table| {
            let typed = table.filled.as_ref().is_some_and(|old| *old != filter);
            table.filled = Some(filter);
            let fills = table.fills;
            table.fills |= typed;
            (typed, fills)
        });
        if typed && !fills {
            request_animation_frame(move || {
                ui.table.note(|table| table.fills = false);
                // Until the first rows have come those of the server are the truth.
                if ui.is_fed_untracked() {
                    fill_now(ui);
                }
            });
        }
        if known && !ui.table.recall(|table| table.fills) {
            fill_now(ui);
        }
    });
}

fn fill_now(ui: Ui) {
    // A row that has the focus may be out of sight.
    let at_once = if ui.table.recall(|table| table.follows) {
        usize::MAX
    } else {
        OUT_OF_SIGHT
    };
    if !fill(ui, at_once) {
        fill_rest(ui);
    }
}

fn fill_rest(ui: Ui) {
    if ui
        .table
        .note(|table| std::mem::replace(&mut table.fills_rest, true))
    {
        return;
    }
    set_timeout(
        move || {
            ui.table.note(|table| table.fills_rest = false);
            if !fill(ui, OUT_OF_SIGHT) {
                fill_rest(ui);
            }
        },
        Duration::ZERO,
    );
}

/// Fills the elements in sight, and so many of the others; whether that were all.
pub(super) fn fill(ui: Ui, mut others: usize) -> bool {
    let (start, pool) = (
        ui.table.start.get_untracked(),
        ui.table.pool.get_untracked(),
    );
    let filter = Arc::new(ui.table.filter.get_untracked());
    let now = mono_now_ms();
    let (first, below) = ui.table.recall(|table| table.sight);
    let mut all = true;
    ui.table.with_lines(|lines| {
        let start = start.min(lines.len().saturating_sub(pool));
        let lines: Vec<Line> = lines.range(start..start + pool).collect();
        let is_new = |line: &Line| {
            line.row()
                .and_then(|view| view.mark)
                .is_some_and(|mark| now.saturating_sub(mark.at_ms) < 1_000)
        };
        let calm = lines.iter().filter(|line| is_new(line)).count() <= MOST_FLASHES;
        ui.table.slots.with_value(|slots| {
            let places = arrange(ui, slots, &lines);
            let mut lines = lines.into_iter();
            for (index, place) in (start..).zip(places) {
                let slot = slots[place];
                let cell = lines.next().map(|line| Cell {
                    flash: calm && is_new(&line),
                    filter: filter.clone(),
                    line,
                });
                if slot.index.get_untracked() != index {
                    slot.index.set(index);
                }
                let same = slot.cell.with_untracked(|old| match (old, &cell) {
                    (Some(old), Some(new)) => old.line == new.line && old.filter == new.filter,
                    (None, None) => true,
                    _ => false,
                });
                if same {
                    continue;
                }
                // An element without a row gives its room to those below, so it does not wait.
                if cell.is_some() && !(first..below).contains(&index) {
                    if others == 0 {
                        all = false;
                        continue;
                    }
                    others -= 1;
                }
                slot.cell.set(cell);
            }
        });
    });
    if ui.table.recall(|table| table.follows) {
        request_animation_frame(move || keep_focus(ui));
    }
    stick(ui);
    mark_cut(ui);
    all
}

/// Notes, with the next frame, which names do not fit into their cells: those are cut in the
/// middle. All are read before any is written, so that the browser lays out once.
pub(super) fn mark_cut(ui: Ui) {
    if ui
        .table
        .note(|table| std::mem::replace(&mut table.marks_cut, true))
    {
        return;
    }
    request_animation_frame(move || {
        ui.table.note(|table| table.marks_cut = false);
        let Some(wrap) = wrap(ui) else { return };
        let names = elements_in(&wrap, ".mid");
        let is_cut = |name: &HtmlElement| name.scroll_width() > name.client_width();
        let cut: Vec<bool> = names.iter().map(is_cut).collect();
        for (name, cut) in names.iter().zip(cut) {
            if name.has_attribute("data-cut") != cut {
                let _ = name.toggle_attribute_with_force("data-cut", cut);
            }
        }
    });
}

/// The head of the group in sight lies over the rows while it is scrolled away itself. Cards have
/// none.
fn stick(ui: Ui) {
    let (first, top) = ui.table.recall(|table| (table.sight.0, table.top));
    let group = ui.table.with_lines(|lines| match lines.get(first)? {
        Line::Group(_) if first as f64 * row_height(ui) >= top => None,
        _ => lines.group_at(first),
    });
    let group = group.filter(|_| !ui.cards.get_untracked());
    if ui.table.stuck.with_untracked(|old| *old != group) {
        ui.table.stuck.set(group);
    }
}

/// Puts the pool's elements into the order of these lines, and says which is for which. A line
/// keeps its element: to scroll by four rows is to write four rows.
fn arrange(ui: Ui, slots: &[Slot], lines: &[Line]) -> Vec<usize> {
    let key = |cell: &Option<Cell>| cell.as_ref().map(|cell| cell.line.key());
    let held: Vec<_> = slots
        .iter()
        .map(|slot| slot.cell.with_untracked(key))
        .collect();
    let lines: Vec<_> = lines.iter().map(Line::key).collect();
    let order = ui.table.recall(|table| table.order.clone());
    let places = pool::arrange(&order, &held, &lines);
    if places != order {
        move_elements(ui, &order, &places);
        ui.table.note(|table| table.order.clone_from(&places));
    }
    places
}

/// Moves the pool's elements from one order into another, and as few of them as will do: one that
/// moves loses the focus, and its animation starts again.
fn move_elements(ui: Ui, from: &[usize], to: &[usize]) {
    let Some(wrap) = wrap(ui) else { return };
    let elements = elements_in(&wrap, "tr[data-place]");
    let mut by_place: Vec<Option<HtmlElement>> = vec![None; from.len()];
    for (place, element) in from.iter().zip(elements) {
        by_place[*place] = Some(element);
    }
    let stays = pool::staying(from, to);
    let mut next = first_in(&wrap, AFTER).and_then(|cell| cell.parent_element());
    for (place, stays) in to.iter().zip(stays).rev() {
        let Some(element) = by_place[*place].take() else {
            continue;
        };
        if !stays && let Some(parent) = element.parent_element() {
            let _ = parent.insert_before(&element, next.as_deref());
        }
        next = Some(element.into());
    }
}

/// Which rows the pool holds, from the scroll position: what is in sight is in its middle.
pub(super) fn scrolled(ui: Ui) {
    let Some(table) = wrap(ui) else {
        return;
    };
    let height = row_height(ui);
    let top = f64::from(table.scroll_top());
    let first = (top / height) as usize;
    let shown = (f64::from(table.client_height()) / height) as usize + 1;
    // The table is lower than the window, but while it is hidden it has no height.
    let most = window()
        .inner_height()
        .ok()
        .and_then(|height| height.as_f64())
        .unwrap_or(900.0);
    let pool = ((most / height) as usize + OVERSCAN).min(POOL);
    if ui.table.pool.get_untracked() != pool {
        ui.table.pool.set(pool);
    }
    // A table that is hidden has no height, and may be shown by what comes next.
    let in_sight = if shown > 1 { shown + 1 } else { pool };
    ui.table.note(|table| {
        table.top = top;
        table.sight = (first, first + in_sight);
    });
    let before = pool.saturating_sub(shown) / 2;
    // In steps of four, so that a slow scroll does not move the pool with each row.
    let start = first.saturating_sub(before) / 4 * 4;
    let last = ui.table.lines.get_untracked().saturating_sub(pool);
    if ui.is_fed_untracked() {
        stick(ui);
        if start.min(last) != ui.table.start.get_untracked() {
            ui.table.start.set(start.min(last));
        }
    }
}

/// The room of the rows that are not in the pool.
pub(super) fn size_spacers(ui: Ui) {
    Effect::new(move |_| {
        ui.choices.density.track();
        ui.cards.track();
        let height = row_height(ui);
        let fed = ui.is_fed();
        let lines = ui.table.lines.get();
        let pool = ui.table.pool.get();
        let start = ui.table.start.get().min(lines.saturating_sub(pool));
        if !fed {
            return;
        }
        let after = lines.saturating_sub(start + pool);
        let Some(wrap) = wrap(ui) else { return };
        for (cell, rows) in [(BEFORE, start), (AFTER, after)] {
            let Some(cell) = first_in(&wrap, cell) else {
                continue;
            };
            let style = cell.style();
            let _ = style.set_property(
                "block-size",
                &format!("{}px", (rows as f64 * height) as u64),
            );
            let _ = style.set_property("padding", "0");
            let _ = style.set_property("border", "0");
            if let Some(row) = cell.parent_element() {
                let _ = row.toggle_attribute_with_force("hidden", rows == 0);
            }
        }
    });
}

/// Another filter or order starts at the top again.
pub(super) fn to_top(ui: Ui) {
    if let Some(table) = wrap(ui) {
        table.set_scroll_top(0);
    }
    ui.table.note(|table| {
        let (first, below) = table.sight;
        table.sight = (0, below - first);
        table.top = 0.0;
    });
    ui.table.start.set(0);
}

/// Whether the window is so narrow that rows are cards.
pub(super) fn measure(ui: Ui) {
    let cards = window()
        .match_media(CARDS)
        .ok()
        .flatten()
        .is_some_and(|query| query.matches());
    if ui.cards.get_untracked() != cards {
        ui.cards.set(cards);
    }
}
