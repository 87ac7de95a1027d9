//! Which line an element of the pool shows, and which element shows a line.

use std::sync::Arc;

use leptos::prelude::*;
use protocol::Ingress;
use protocol::table::LineKey;
use web_sys::{Element, HtmlElement};

use super::dom::first_of;
use crate::state::{Cell, Ui};

thread_local! {
    /// The first line in sight, and the first below.
    pub(super) static SIGHT: std::cell::Cell<(usize, usize)> = const { std::cell::Cell::new((0, 40)) };
}

pub(super) fn place_at(element: &Element) -> Option<usize> {
    let row = element.closest("tr[data-place]").ok().flatten()?;
    row.get_attribute("data-place")?.parse().ok()
}

/// The line that an element is in.
pub(super) fn line_of(ui: Ui, element: &Element) -> Option<Cell> {
    let place = place_at(element)?;
    ui.slots
        .with_value(|slots| slots.get(place).and_then(|slot| slot.cell.get_untracked()))
}

/// The row that an element is in.
pub(super) fn row_of(ui: Ui, element: &Element) -> Option<Arc<Ingress>> {
    line_of(ui, element)?.ingress().cloned()
}

pub(super) fn place_of(ui: Ui, key: &LineKey) -> Option<usize> {
    let (first, below) = SIGHT.get();
    ui.slots.with_value(|slots| {
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
pub(super) fn name_at(place: usize) -> Option<HtmlElement> {
    first_of(&format!("tr[data-place=\"{place}\"] :is(.nm, .grp)"))
}
