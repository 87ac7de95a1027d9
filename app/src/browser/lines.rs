//! Which line an element of the pool shows, and which element shows a line.

use std::sync::Arc;

use leptos::prelude::*;
use protocol::Ingress;
use protocol::view::LineKey;
use web_sys::{Element, HtmlElement};

use super::dom::{by_id, closest, first_in};
use crate::state::Ui;
use crate::table::Cell;

pub(super) fn place_at(element: &Element) -> Option<usize> {
    let row = element.closest("tr[data-place]").ok().flatten()?;
    row.get_attribute("data-place")?.parse().ok()
}

/// The line that an element is in.
pub(super) fn line_of(ui: Ui, element: &Element) -> Option<Cell> {
    let place = place_at(element)?;
    ui.table
        .slots
        .with_value(|slots| slots.get(place).and_then(|slot| slot.cell.get_untracked()))
}

/// The row that an element is in.
pub(super) fn row_of(ui: Ui, element: &Element) -> Option<Arc<Ingress>> {
    line_of(ui, element)?.ingress().cloned()
}

pub(super) fn place_of(ui: Ui, key: &LineKey) -> Option<usize> {
    let (first, below) = ui.table.recall(|table| table.sight);
    ui.table.slots.with_value(|slots| {
        let mut places = slots.iter().enumerate().filter_map(|(place, slot)| {
            slot.cell.with_untracked(|cell| {
                cell.as_ref().filter(|cell| cell.line.key() == *key)?;
                let index = slot.index.get_untracked();
                Some((!(first..below).contains(&index), place))
            })
        });
        // What is out of sight may still hold what it held before.
        let best = places.next()?;
        Some(places.fold(best, std::cmp::min).1)
    })
}

/// The element of a row that takes the focus: its name, or the head of a group.
pub(super) fn name_at(ui: Ui, place: usize) -> Option<HtmlElement> {
    let wrap = wrap(ui)?;
    first_in(&wrap, &format!("tr[data-place=\"{place}\"] :is(.nm, .grp)"))
}

/// The element of the table that scrolls.
pub(super) fn wrap(ui: Ui) -> Option<HtmlElement> {
    by_id(&ui.table.element_id())
}

/// The page as the table sees it that an element is in; outside of all tables as it is.
pub(super) fn at(ui: Ui, element: &Element) -> Ui {
    let number = closest(element, "[data-table]")
        .and_then(|table| table.get_attribute("data-table"))
        .and_then(|number| number.parse().ok());
    number.map_or(ui, |number| ui.of_table(number))
}
