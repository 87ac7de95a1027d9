//! What a press of the pointer does.

use std::time::Duration;

use leptos::prelude::*;
use protocol::Key;
use protocol::columns::Column;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, MouseEvent};

use super::details::{choose_tab, focus_details};
use super::dom::{closest, target};
use super::lines::{at, row_of};
use super::pool::to_top;
use super::popups::open_popup;
use super::{acts, dragging, picking, searching};
use crate::actions::Action;
use crate::page::Theme;
use crate::query::Sort;
use crate::state::Ui;

pub(super) fn clicked(ui: Ui, event: &Event) {
    let Some(target) = target(event) else { return };
    let ui = at(ui, &target);
    let mouse = event.dyn_ref::<MouseEvent>();
    let modified = mouse.is_some_and(|mouse| {
        mouse.ctrl_key() || mouse.meta_key() || mouse.shift_key() || mouse.button() != 0
    });
    // A button of a popup may be gone by now: its own listener came first.
    if target.is_connected()
        && closest(&target, ".pop").is_none()
        && closest(&target, "[data-popup], [data-act]").is_none()
    {
        ui.popup.set(None);
    }
    if target.class_list().contains("scrim") {
        return ui.popup.set(None);
    }
    if let Some(offer) = closest(&target, "[data-offer]") {
        return searching::take(ui, &offer.get_attribute("data-offer").unwrap_or_default());
    }
    if let Some(opener) = closest(&target, "[data-popup]") {
        return open_popup(ui, &opener);
    }
    if let Some(choice) = closest(&target, "[data-theme-choice]") {
        let id = choice
            .get_attribute("data-theme-choice")
            .unwrap_or_default();
        let theme = Theme::ALL
            .into_iter()
            .find(|theme| theme.id() == id)
            .unwrap_or_default();
        ui.choices.theme.set(theme);
        return ui.popup.set(None);
    }
    if let Some(tab) = closest(&target, "[data-tab]") {
        return choose_tab(ui, &tab);
    }
    if let Some(heading) = closest(&target, "[data-sort]") {
        event.prevent_default();
        return sort_by(ui, &heading);
    }
    if let Some(button) = closest(&target, "[data-act]") {
        let id = button.get_attribute("data-act").unwrap_or_default();
        let Some(action) = Action::of(&id) else {
            return;
        };
        // It is a link, which opens elsewhere.
        if action == Action::Clear && modified {
            return;
        }
        event.prevent_default();
        let alt = mouse.is_some_and(MouseEvent::alt_key);
        return acts::act_on(ui, action, &button, alt);
    }
    if let (Some(mouse), Some(row)) = (mouse, row_of(ui, &target))
        && closest(&target, ".host").is_none()
        && mouse.button() == 0
    {
        let on_link = closest(&target, "a").is_some();
        if mouse.shift_key() {
            event.prevent_default();
            return picking::up_to(ui, &row.key());
        }
        if (mouse.ctrl_key() || mouse.meta_key()) && !on_link {
            return picking::toggle(ui, row.key());
        }
    }
    if modified || closest(&target, ".host, button, input, label").is_some() {
        return;
    }
    let selecting = window()
        .get_selection()
        .ok()
        .flatten()
        .is_some_and(|selection| !selection.is_collapsed());
    let Some(row) = row_of(ui, &target) else {
        return;
    };
    let key = row.key();
    let presses = mouse.map_or(0, |mouse| mouse.detail());
    if closest(&target, ".nm").is_some() {
        event.prevent_default();
        ui.table.current.set(Some(key.clone().into()));
        // Enter on a row whose details are open goes into them.
        if presses == 0
            && ui
                .details
                .selected
                .with_untracked(|open| open.as_ref() == Some(&key))
        {
            focus_details();
        }
        ui.select(Some(key));
    } else {
        ui.table.current.set(Some(key.clone().into()));
        open_soon(ui, key, !selecting && presses < 2);
    }
}

/// Between the two presses that select a text, in milliseconds.
const TWICE_MS: u64 = 250;

/// Opens the details of a row that was pressed beside its name, unless another press follows: a
/// second one selects what is in the cell. Nor does one that selects open anything.
fn open_soon(ui: Ui, key: Key, alone: bool) {
    let press = ui.input.try_update_value(|input| {
        input.press = input.press.wrapping_add(1);
        input.press
    });
    if !alone {
        return;
    }
    set_timeout(
        move || {
            if ui.input.try_with_value(|input| input.press) == press {
                ui.select(Some(key));
            }
        },
        Duration::from_millis(TWICE_MS),
    );
}

/// A second press selects the whole text of a cell, not the part between two hyphens; on the edge
/// of a heading it makes the column as wide as what is in it.
pub(super) fn pressed_twice(ui: Ui, event: &Event) {
    let Some(target) = target(event) else { return };
    let ui = at(ui, &target);
    if dragging::fit(ui, &target) || closest(&target, "tr[data-place]").is_none() {
        return;
    }
    let text = closest(&target, ".mid, .host-text, .path, .svc, .cls");
    if let (Some(text), Ok(Some(selection))) = (text, window().get_selection()) {
        let _ = selection.select_all_children(&text);
    }
}

fn sort_by(ui: Ui, heading: &Element) {
    let id = heading.get_attribute("data-sort").unwrap_or_default();
    if let Some(column) = Column::of_id(&id) {
        let sort = Sort::of(ui.table.sort.get_untracked()).pressed(column);
        ui.table.set_sort(sort.column, sort.direction);
        to_top(ui);
        ui.announce(format!("Sorted by {}", sort.words()));
    }
}
