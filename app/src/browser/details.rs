//! The details of an ingress: their object, their tabs, and how they close.

use leptos::prelude::*;
use web_sys::Element;

use super::dom::by_id;
use super::focus::focus_line;
use crate::query::Tab;
use crate::state::{Detail, Ui};

/// The details show the newest state of their object, and say when it is gone.
pub(super) fn follow_selection(ui: Ui) {
    Effect::new(move |_| {
        ui.live.version.track();
        let Some(key) = ui.details.selected.get() else {
            return;
        };
        let found = ui.live.with_store(|store| store.get(&key));
        let held =
            ui.details.detail.get_untracked().filter(|detail| {
                detail.row.name == key.name && detail.row.namespace == key.namespace
            });
        let detail = match (found, held) {
            (Some(view), held) if view.deleted => Some(Detail {
                row: view.ingress,
                deleted_at: held
                    .and_then(|held| held.deleted_at)
                    .or(Some(js_sys::Date::now() as i64)),
            }),
            (Some(view), _) => Some(Detail {
                row: view.ingress,
                deleted_at: None,
            }),
            // Outside the scope, or before the first rows, nothing is known about it.
            (None, Some(held))
                if ui.live.complete.get()
                    && ui.live.scope.with(|scope| scope.contains(&key.namespace)) =>
            {
                Some(Detail {
                    deleted_at: held.deleted_at.or(Some(js_sys::Date::now() as i64)),
                    ..held
                })
            }
            (None, held) => held,
        };
        if ui.details.detail.with_untracked(|old| *old != detail) {
            ui.details.detail.set(detail);
        }
    });
}

pub(super) fn focus_details() {
    if let Some(details) = by_id("details") {
        let _ = details.focus();
    }
}

/// Closes the details; the focus goes back to their row.
pub(super) fn close_details(ui: Ui) {
    let key = ui.details.selected.get_untracked();
    ui.select(None);
    if let Some(key) = key {
        focus_line(ui, key.into());
    }
}

pub(super) fn choose_tab(ui: Ui, element: &Element) {
    let id = element.get_attribute("data-tab").unwrap_or_default();
    if let Some(tab) = Tab::ALL.into_iter().find(|tab| tab.id() == id) {
        ui.details.tab.set(tab);
    }
}

pub(super) fn next_tab(ui: Ui, tab: &Element, back: bool) {
    let id = tab.get_attribute("data-tab").unwrap_or_default();
    let Some(tab) = Tab::ALL.into_iter().find(|tab| tab.id() == id) else {
        return;
    };
    let next = turn_tab(ui, tab, back);
    if let Some(tab) = by_id(&format!("t-{}", next.id())) {
        let _ = tab.focus();
    }
}

/// The tab after this one, or before it.
pub(super) fn turn_tab(ui: Ui, tab: Tab, back: bool) -> Tab {
    let count = Tab::ALL.len();
    let at = Tab::ALL.iter().position(|other| *other == tab).unwrap_or(0);
    let next = Tab::ALL[(at + if back { count - 1 } else { 1 }) % count];
    ui.details.tab.set(next);
    next
}
