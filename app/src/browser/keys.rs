//! What keys do.

use leptos::prelude::*;
use protocol::view::Line;
use web_sys::{Element, KeyboardEvent};

use super::details::{close_details, next_tab, turn_tab};
use super::dom::{by_id, closest, elements, first_of, target};
use super::focus::focused_key;
use super::holding::hold_now;
use super::lines::at;
use super::moving::{current_row, go_to, step, turn_page};
use super::popups::open_popup;
use super::{acts, copying, dragging, picking, searching};
use crate::actions::Opens;
use crate::live::mono_now_ms;
use crate::state::{Popup, Ui};

/// Single keys do nothing while a field has the focus, or with any modifier.
pub(super) fn key_pressed(ui: Ui, event: &KeyboardEvent) {
    let key = event.key();
    let target = target(event);
    let ui = target.as_ref().map_or(ui, |target| at(ui, target));
    let within = |selector: &str| {
        target
            .as_ref()
            .is_some_and(|target| closest(target, selector).is_some())
    };
    if within("#search") && searching::key_pressed(ui, event) {
        return event.prevent_default();
    }
    if key == "Escape" {
        return escape(ui, event);
    }
    let no_popup = ui.popup.with_untracked(Option::is_none);
    if key == "a" && (event.ctrl_key() || event.meta_key()) && no_popup && within("[data-table]") {
        picking::all(ui);
        return event.prevent_default();
    }
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        let all = ui.table.lines.get_untracked() <= ui.table.pool.get_untracked();
        if key == "f" && !event.alt_key() && !all {
            ui.finding.set(Some(mono_now_ms()));
        }
        return;
    }
    if let Some(target) = &target
        && dragging::key_pressed(ui, target, event)
    {
        return event.prevent_default();
    }
    let typing = within("input:not([type=checkbox]), textarea, select");
    if ui.popup.with_untracked(Option::is_some) {
        return in_popup(ui, event, typing);
    }
    if typing {
        return;
    }
    if let Some(tab) = target
        .as_ref()
        .and_then(|target| closest(target, "[role=tab]"))
    {
        let back = key == "ArrowLeft";
        if back || key == "ArrowRight" {
            event.prevent_default();
            return next_tab(ui, &tab, back);
        }
    }
    let in_table = within("[data-table]")
        || target
            .as_ref()
            .is_some_and(|target| target.tag_name() == "BODY");
    hold_now(ui);
    if in_table && key_in_table(ui, event, target.as_ref()) {
        return event.prevent_default();
    }
    if ui.choices.single_keys.get_untracked() && single_key(ui, &key) {
        event.prevent_default();
    }
}

/// Keys that are no letters; whether it was one of them.
fn key_in_table(ui: Ui, event: &KeyboardEvent, target: Option<&Element>) -> bool {
    match (event.key().as_str(), event.shift_key()) {
        ("ArrowDown", true) => picking::on(ui, true),
        ("ArrowUp", true) => picking::on(ui, false),
        ("F10", true) => match current_row(ui) {
            Some(row) => acts::menu_at_row(ui, row),
            None => return false,
        },
        ("ArrowDown", false) => step(ui, true),
        ("ArrowUp", false) => step(ui, false),
        ("Home", false) => go_to(ui, 0),
        ("PageDown", false) => turn_page(ui, true),
        ("PageUp", false) => turn_page(ui, false),
        ("End", false) => go_to(ui, ui.table.lines.get_untracked().saturating_sub(1)),
        ("Enter", false) => return open_current(ui, target),
        _ => return false,
    }
    true
}

/// Opens the line that the keys are at; whether it did. A name or a group's head that has the focus
/// answers by itself, but where keys come faster than frames the focus is still behind. A row that
/// was scrolled away has left its focus to the table.
fn open_current(ui: Ui, target: Option<&Element>) -> bool {
    let elsewhere = target.is_some_and(|target| {
        closest(target, "tr[data-place]").is_some() && closest(target, ".nm, .grp").is_none()
    });
    let Some(key) = ui.table.current.get_untracked() else {
        return false;
    };
    if elsewhere || focused_key(ui).as_ref() == Some(&key) {
        return false;
    }
    let line = ui.table.with_lines(|lines| lines.get(lines.line_of(&key)?));
    match line {
        Some(Line::Group(group)) => ui.table.toggle_group(&group.value),
        Some(Line::Row(_)) => ui.select(key.row().cloned()),
        // It is gone: whatever has taken its place is not what was meant.
        None => {}
    }
    true
}

/// What a letter does; whether it does something.
fn single_key(ui: Ui, key: &str) -> bool {
    let press = |opens: Opens| {
        if let Some(opener) = first_of(&format!("[data-popup={}]", opens.id())) {
            open_popup(ui, &opener);
        }
    };
    match key {
        "/" => {
            if let Some(search) = by_id("search") {
                let _ = search.focus();
                ui.search.suggesting.set(true);
            }
        }
        "n" => ui.popup.set(Some(Popup::Namespaces)),
        "?" => ui.popup.set(Some(Popup::Help)),
        "," => ui.popup.set(Some(Popup::Settings)),
        "g" => press(Opens::Group),
        "v" => press(Opens::Columns),
        "t" => press(Opens::Theme),
        "j" => step(ui, true),
        "k" => step(ui, false),
        "[" | "]" if ui.details.selected.with_untracked(Option::is_some) => {
            turn_tab(ui, ui.details.tab.get_untracked(), key == "[");
        }
        "." => ui.live.hold(false),
        "0" => ui.show_namespaces(std::collections::BTreeSet::new(), false),
        _ if key.len() == 1 && key.as_bytes()[0].is_ascii_digit() => {
            let index = usize::from(key.as_bytes()[0] - b'1');
            let set = ui
                .choices
                .sets
                .with_untracked(|sets| sets.get(index).cloned());
            match set.filter(|set| !set.is_empty()) {
                Some(set) => ui.show_namespaces(set, false),
                None => copying::say(
                    ui,
                    &format!("No set {key}: keep one where namespaces are chosen"),
                ),
            }
        }
        "d" => ui
            .choices
            .density
            .update(|density| *density = density.next()),
        "x" | "c" | "y" | "o" => {
            let Some(row) = current_row(ui) else {
                return false;
            };
            match key {
                "x" => picking::toggle(ui, row.key()),
                "c" => copying::copy_kubectl(ui, &row.key()),
                "y" => copying::copy_yaml(ui, row.key()),
                _ => acts::open_host(&row),
            }
        }
        _ => return false,
    }
    true
}

/// What the arrow keys go through while namespaces are chosen.
const PICKER: &str = ".nspop :is(#find-namespace, .nslist .check)";

/// Keys while something floats over the page.
fn in_popup(ui: Ui, event: &KeyboardEvent, typing: bool) {
    let key = event.key();
    let closes = ui.popup.with_untracked(|popup| match popup {
        Some(Popup::Help) => key == "?",
        Some(Popup::Settings) => key == ",",
        _ => false,
    });
    if closes && !typing {
        event.prevent_default();
        return ui.popup.set(None);
    }
    let modal = first_of(".pop [aria-modal]").is_some();
    let picker = ui
        .popup
        .with_untracked(|popup| *popup == Some(Popup::Namespaces));
    let (selector, forward) = match key.as_str() {
        "ArrowDown" if picker => (PICKER, true),
        "ArrowUp" if picker => (PICKER, false),
        "ArrowDown" => (".pop [role=menu] .mi", true),
        "ArrowUp" => (".pop [role=menu] .mi", false),
        // The focus stays in what is modal.
        "Tab" if modal => (
            ".pop [aria-modal] :is(button, input, pre)",
            !event.shift_key(),
        ),
        _ => return,
    };
    let items = elements(selector);
    let active = document().active_element();
    let at = items
        .iter()
        .position(|item| active.as_ref() == Some(item.as_ref()));
    let count = items.len();
    let next = match (at, forward) {
        _ if count == 0 => return,
        (None, true) => 0,
        (Some(at), true) => (at + 1) % count,
        (at, false) => (at.unwrap_or(0) + count - 1) % count,
    };
    event.prevent_default();
    let _ = items[next].focus();
}

/// Closes the top layer, then empties the search: its text, then one token with each press.
fn escape(ui: Ui, event: &KeyboardEvent) {
    if ui.popup.with_untracked(Option::is_some) {
        event.prevent_default();
        ui.popup.set(None);
    } else if ui.search.suggesting.get_untracked() {
        event.prevent_default();
        ui.search.suggesting.set(false);
    } else if ui.table.picked.with_untracked(|picked| !picked.is_empty()) {
        event.prevent_default();
        ui.table.picked.update(std::collections::BTreeSet::clear);
    } else if ui.details.selected.with_untracked(Option::is_some) {
        event.prevent_default();
        close_details(ui);
    } else if ui.search.typed.with_untracked(|typed| !typed.is_empty()) {
        event.prevent_default();
        acts::clear_to(
            ui,
            &ui.search.tokens.with_untracked(|tokens| tokens.join(" ")),
        );
    } else if ui.search.tokens.with_untracked(|tokens| !tokens.is_empty()) {
        event.prevent_default();
        let mut tokens = ui.search.tokens.get_untracked();
        tokens.pop();
        acts::clear_to(ui, &tokens.join(" "));
    }
}
