//! What buttons and menus do.

use super::{
    Arc, Element, Event, Field, Ingress, JsCast, JsFuture, Key, MouseEvent, Popup, Query, Scope,
    Tab, Ui, by_id, close_details, closest, line_of, picking, place_of, row_of, step, target,
    to_top, window,
};
use crate::format;
use crate::query::GROUPINGS;
use leptos::prelude::*;

/// Does what an element says of itself: to the row that it is in, or that its menu is of, else to
/// the one whose details are open.
pub(super) fn act_on(ui: Ui, act: &str, button: &Element) {
    let value = button.get_attribute("data-value").unwrap_or_default();
    let row = row_of(ui, button).or_else(|| {
        ui.popup.with_untracked(|popup| match popup {
            Some(Popup::Row(row, _)) => Some(row.clone()),
            _ => None,
        })
    });
    let key = row
        .as_ref()
        .map(|row| row.key())
        .or_else(|| ui.selected.get_untracked());
    let below = {
        let rect = button.get_bounding_client_rect();
        (rect.left(), rect.bottom() + 4.0)
    };
    if closest(button, "[role=menu]").is_some() {
        ui.popup.set(None);
    }
    if let Some(row) = &row
        && act_on_row(ui, act, row, below)
    {
        return;
    }
    if let Some(key) = key
        && act_on_object(ui, act, key)
    {
        return;
    }
    match act {
        "copy" => copy(ui, button.get_attribute("data-text").unwrap_or_default()),
        "close" => close_details(ui),
        "previous" => step(ui, false),
        "next" => step(ui, true),
        "close-popup" => ui.popup.set(None),
        "density" => ui.density.update(|density| *density = density.next()),
        "retry" => ui.live.retry_now(),
        "try-now" => try_now(ui),
        "release" => ui.live.hold(false),
        "watch-all" => ui.watch(Scope::All),
        "group" => {
            if let Some(cell) = line_of(ui, button) {
                ui.current.set(Some(cell.line.key()));
            }
            ui.live.toggle_group(&value);
        }
        "group-by" => {
            let grouping = GROUPINGS.into_iter().find(|(_, id, _)| *id == value);
            ui.live
                .set_grouping(grouping.map(|(grouping, ..)| grouping));
            ui.popup.set(None);
            to_top(ui);
        }
        "untoken" => {
            if let Ok(index) = value.parse::<usize>() {
                let mut tokens = ui.tokens.get_untracked();
                tokens.truncate(tokens.len().max(index));
                if index < tokens.len() {
                    tokens.remove(index);
                }
                let typed = ui.typed.get_untracked();
                ui.set_search(&format!("{} {typed}", tokens.join(" ")));
                super::focus_search();
                to_top(ui);
            }
        }
        // A word of the search, by its place.
        "without" => {
            let filter = ui.filter.get_untracked();
            ui.set_search(
                &filter
                    .without(value.parse().unwrap_or(usize::MAX))
                    .to_string(),
            );
            to_top(ui);
        }
        "clear" => {
            ui.set_search("");
            to_top(ui);
        }
        "let-in" => {
            let key = button.get_attribute("data-field").unwrap_or_default();
            if let Some(field) = Field::of_key(&key) {
                ui.let_in(field, &value);
                to_top(ui);
            }
            // The button is gone, and the focus with it.
            if let Some(input) = by_id(&format!("leave-out-{key}")) {
                let _ = input.focus();
            }
        }
        "unpick" => ui.picked.update(std::collections::BTreeSet::clear),
        "picked-names" => copy(ui, picking::lines(ui, |row| vec![row.name.clone()])),
        "picked-hosts" => copy(ui, picking::lines(ui, |row| row.hosts.clone())),
        "picked-urls" => copy(
            ui,
            picking::lines(ui, |row| format::url(row).into_iter().collect()),
        ),
        "picked-kubectl" => copy(ui, picking::kubectl(ui)),
        "reload" => {
            let _ = window().location().reload();
        }
        _ => {}
    }
}

/// Whether it is something that is done to a row.
fn act_on_row(ui: Ui, act: &str, row: &Arc<Ingress>, below: (f64, f64)) -> bool {
    match act {
        "hosts" => ui.popup.set(Some(Popup::Hosts(row.clone(), below))),
        "routes" => ui.popup.set(Some(Popup::Routes(row.clone(), below))),
        "menu" => ui.popup.set(Some(Popup::Row(row.clone(), below))),
        "host" => copy(ui, row.hosts.first().cloned().unwrap_or_default()),
        "all-hosts" => copy(ui, row.hosts.join("\n")),
        "url" => copy(ui, format::url(row).unwrap_or_default()),
        "path" => copy(
            ui,
            format::routes(row)
                .next()
                .map(|route| route.path)
                .unwrap_or_default(),
        ),
        "name" => copy(ui, row.name.clone()),
        "open-host" => open_host(row),
        "only-namespace" => narrow(ui, "ns", &row.namespace),
        "only-class" => narrow(
            ui,
            "class",
            row.ingress_class_name.as_deref().unwrap_or("none"),
        ),
        "pick" => picking::toggle(ui, row.key()),
        _ => return false,
    }
    true
}

/// Whether it is something that needs no more than the object's name.
fn act_on_object(ui: Ui, act: &str, key: Key) -> bool {
    match act {
        "kubectl" => copy(ui, format::kubectl(&key.namespace, [key.name.as_str()])),
        "open" => {
            ui.current.set(Some(key.clone()));
            ui.select(Some(key));
        }
        "yaml" => {
            ui.tab.set(Tab::Yaml);
            ui.select(Some(key));
        }
        "copy-yaml" => copy_yaml(ui, key),
        "link" => {
            let origin = window().location().origin().unwrap_or_default();
            let path = untrack(|| ui.href(|query: &mut Query| query.selected = Some(key)));
            copy(ui, format!("{origin}{path}"));
        }
        _ => return false,
    }
    true
}

/// Leaves the rows with this value of a field.
fn narrow(ui: Ui, key: &str, value: &str) {
    let Some(field) = Field::of_key(key) else {
        return;
    };
    let filter = ui
        .filter
        .with_untracked(|filter| filter.with(field, false, vec![value.to_lowercase()]));
    ui.set_search(&filter.to_string());
    to_top(ui);
}

/// Copies the command for what is picked, else for this row.
pub(super) fn copy_kubectl(ui: Ui, key: &Key) {
    if ui
        .picked
        .with_untracked(std::collections::BTreeSet::is_empty)
    {
        copy(ui, format::kubectl(&key.namespace, [key.name.as_str()]));
    } else {
        copy(ui, picking::kubectl(ui));
    }
}

/// Copies the object, as it is now.
pub(super) fn copy_yaml(ui: Ui, key: Key) {
    leptos::task::spawn_local(async move {
        match crate::yaml::ingress_yaml(key.namespace, key.name).await {
            Ok(text) => copy(ui, text),
            Err(_) => ui.announce("The object could not be read"),
        }
    });
}

/// Has the server ask the API server at once.
fn try_now(ui: Ui) {
    leptos::task::spawn_local(async move {
        ui.announce(match crate::hurry::try_now().await {
            Ok(true) => "Trying now",
            Ok(false) => "Tried a moment ago",
            Err(_) => "The server could not be reached",
        });
    });
}

/// Opens the first host of a row that can be opened.
pub(super) fn open_host(row: &Ingress) {
    if let Some(url) = row
        .hosts
        .iter()
        .find_map(|host| format::host_url(host, row.tls))
    {
        let _ =
            window().open_with_url_and_target_and_features(&url, "_blank", "noopener,noreferrer");
    }
}

/// The menu of the row under the pointer. Links keep the browser's own.
pub(super) fn context_menu(ui: Ui, event: &Event) {
    let (Some(target), Some(mouse)) = (target(event), event.dyn_ref::<MouseEvent>()) else {
        return;
    };
    // A key has no pointer; it is answered where keys are.
    if mouse.button() != 2 || closest(&target, ".host").is_some() {
        return;
    }
    if let Some(row) = row_of(ui, &target) {
        event.prevent_default();
        let at = (f64::from(mouse.client_x()), f64::from(mouse.client_y()));
        ui.popup.set(Some(Popup::Row(row, at)));
    }
}

/// The menu of a row, below its name.
pub(super) fn menu_at_row(ui: Ui, row: Arc<Ingress>) {
    let name = place_of(ui, &row.key()).and_then(super::name_at);
    let at = name.map_or((64.0, 160.0), |name| {
        let rect = name.get_bounding_client_rect();
        (rect.left(), rect.bottom() + 4.0)
    });
    ui.popup.set(Some(Popup::Row(row, at)));
}

/// Copies a text, or shows it where the browser keeps the clipboard closed (plain http).
pub(super) fn copy(ui: Ui, text: String) {
    if text.is_empty() {
        return;
    }
    let clipboard = js_sys::Reflect::get(&window().navigator(), &"clipboard".into())
        .ok()
        .and_then(|clipboard| clipboard.dyn_into::<web_sys::Clipboard>().ok());
    leptos::task::spawn_local(async move {
        let copied = match clipboard {
            Some(clipboard) => JsFuture::from(clipboard.write_text(&text)).await.is_ok(),
            None => false,
        };
        if copied {
            ui.announce("Copied");
        } else {
            ui.popup.set(Some(Popup::Copy(text)));
        }
    });
}
