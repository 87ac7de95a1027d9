//! The actions of buttons and menus.

use std::collections::BTreeSet;
use std::sync::Arc;

use leptos::prelude::*;
use protocol::filter::Field;
use protocol::view::{Grouping, LineKey};
use protocol::{Ingress, Key, Scope};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, MouseEvent};

use super::copying::{GONE, copy, copy_yaml, link, report, say};
use super::details::close_details;
use super::dom::{by_id, closest, target};
use super::lines::{at, line_of, name_at, place_of, row_of};
use super::moving::{go_to, step};
use super::pool::to_top;
use super::{picking, searching};
use crate::actions::Action;
use crate::format::{self, counted};
use crate::incident;
use crate::query::{Query, Tab};
use crate::state::{Popup, Ui};

/// Does what a button says: to the row that it is in, or that its menu is of, else to the one
/// whose details are open. With Alt some do it to all others.
pub(super) fn act_on(ui: Ui, action: Action, button: &Element, alt: bool) {
    let value = button.get_attribute("data-value").unwrap_or_default();
    let field = button.get_attribute("data-field").unwrap_or_default();
    let row = row_of(ui, button).or_else(|| {
        ui.popup.with_untracked(|popup| match popup {
            Some(Popup::Row(row, _)) => Some(row.clone()),
            _ => None,
        })
    });
    let key = row
        .as_ref()
        .map(|row| row.key())
        .or_else(|| ui.details.selected.get_untracked());
    // What closes with the press cannot show that it worked.
    let shows = closest(button, "[role=menu]").is_none();
    if !shows {
        ui.popup.set(None);
    }
    let pressed = shows.then_some(button);
    let rect = button.get_bounding_client_rect();
    let below = (rect.left(), rect.bottom() + 4.0);
    let on_row = |act: &dyn Fn(&Arc<Ingress>)| row.iter().for_each(act);
    let on_object = |act: &dyn Fn(&Key)| key.iter().for_each(act);
    let open_at = |tab| {
        on_object(&|key| {
            ui.details.tab.set(tab);
            ui.select(Some(key.clone()));
        });
    };
    match action {
        Action::Hosts => {
            on_row(&|row| ui.popup.set(Some(Popup::Hosts(row.clone(), below))));
        }
        Action::Routes => {
            on_row(&|row| ui.popup.set(Some(Popup::Routes(row.clone(), below))));
        }
        Action::Menu => on_row(&|row| ui.popup.set(Some(Popup::Row(row.clone(), below)))),
        Action::Host => on_row(&|row| {
            let host = row.hosts.first().cloned().unwrap_or_default();
            copy(ui, host, "the host", pressed);
        }),
        Action::AllHosts => on_row(&|row| {
            let hosts = counted(row.hosts.len(), "host", "hosts");
            copy(ui, row.hosts.join("\n"), &hosts, pressed);
        }),
        Action::Url => on_row(&|row| {
            copy(ui, format::url(row).unwrap_or_default(), "the URL", pressed);
        }),
        Action::Path => on_row(&|row| {
            let path = format::routes(row).next().map(|route| route.path);
            copy(ui, path.unwrap_or_default(), "the path", pressed);
        }),
        Action::Name => on_row(&|row| copy(ui, row.name.clone(), "the name", pressed)),
        Action::OpenHost => on_row(&|row| open_host(row)),
        Action::OnlyNamespace => on_row(&|row| filter_by(ui, "ns", &row.namespace, false)),
        Action::OnlyClass => on_row(&|row| {
            let class = row.ingress_class_name.as_deref().unwrap_or("none");
            filter_by(ui, "class", class, false);
        }),
        Action::Pick => on_row(&|row| picking::toggle(ui, row.key())),
        Action::Kubectl => on_object(&|key| {
            if ui.is_gone(key) {
                return say(ui, GONE);
            }
            let command = format::kubectl(&key.namespace, [key.name.as_str()]);
            copy(ui, command, "the kubectl command", pressed);
        }),
        Action::Report => on_object(&|key| {
            if let Some(view) = ui.live.with_store(|store| store.get(key)) {
                copy(ui, report(ui, &view.ingress), "the report", pressed);
            }
        }),
        Action::Curl => on_object(&|key| {
            let view = ui.live.with_store(|store| store.get(key));
            let command = view.and_then(|view| incident::curl(&view.ingress));
            copy(ui, command.unwrap_or_default(), "the curl command", pressed);
        }),
        Action::Open => on_object(&|key| {
            ui.table.current.set(Some(key.clone().into()));
            ui.select(Some(key.clone()));
        }),
        Action::Yaml => open_at(Tab::Yaml),
        Action::Changes => open_at(Tab::Changes),
        Action::CopyYaml => on_object(&|key| copy_yaml(ui, key.clone())),
        Action::Link => on_object(&|key| copy(ui, link(ui, key.clone()), "the link", pressed)),
        Action::Copy => {
            let text = button.get_attribute("data-text").unwrap_or_default();
            copy(ui, text, "", pressed);
        }
        Action::Close => close_details(ui),
        Action::Previous => step(ui, false),
        Action::Next => step(ui, true),
        Action::ClosePopup => ui.popup.set(None),
        Action::Density => ui
            .choices
            .density
            .update(|density| *density = density.next()),
        Action::Retry => ui.live.retry_now(),
        Action::TryNow => try_now(ui),
        Action::Release => ui.live.hold(false),
        Action::WatchAll => ui.watch(Scope::All),
        Action::Group if alt => {
            let open = button.get_attribute("aria-expanded").as_deref() == Some("true");
            ui.table.toggle_all_groups(!open);
            to_group(ui, &value);
        }
        Action::Group => {
            ui.table.current.set(Some(LineKey::Group(value.clone())));
            ui.table.toggle_group(&value);
            // The head that lies over the rows of its group is where they were.
            if line_of(ui, button).is_none() {
                to_group(ui, &value);
            }
        }
        Action::FilterBy => filter_by(ui, &field, &value, alt),
        Action::GroupBy => {
            ui.table.set_grouping(Grouping::of_id(&value));
            ui.popup.set(None);
            to_top(ui);
        }
        Action::Untoken => {
            if let Ok(index) = value.parse::<usize>() {
                let mut tokens = ui.search.tokens.get_untracked();
                tokens.truncate(tokens.len().max(index));
                if index < tokens.len() {
                    tokens.remove(index);
                }
                let typed = ui.search.typed.get_untracked();
                clear_to(ui, &format!("{} {typed}", tokens.join(" ")));
                searching::focus_search();
                to_top(ui);
            }
        }
        // A word of the search, by its place.
        Action::Without => {
            let filter = ui.table.filter.get_untracked();
            let index = value.parse().unwrap_or(usize::MAX);
            clear_to(ui, &filter.without(index).to_string());
        }
        // A search that is offered in place of this one.
        Action::Search => {
            ui.set_search(&value);
            to_top(ui);
        }
        Action::ToggleWord => {
            let filter = ui
                .table
                .filter
                .with_untracked(|filter| filter.toggled(&value));
            ui.set_search(&filter.to_string());
            to_top(ui);
        }
        Action::Clear => clear_to(ui, ""),
        Action::ViewLink => {
            let origin = window().location().origin().unwrap_or_default();
            let path = untrack(|| ui.href(|_: &mut Query| ()));
            // Without a search in it, the link would apply what the person who opens it always leaves out.
            let rest = if path.contains('?') { "" } else { "?q=" };
            copy(
                ui,
                format!("{origin}{path}{rest}"),
                "the link to this view",
                Some(button),
            );
        }
        Action::LetIn => {
            if let Some(known) = Field::of_key(&field) {
                ui.let_in(known, &value);
                to_top(ui);
            }
            // The button is gone, and the focus with it.
            if let Some(input) = by_id(&format!("leave-out-{field}")) {
                let _ = input.focus();
            }
        }
        Action::Unpick => ui.table.picked.update(BTreeSet::clear),
        Action::PickedNames => {
            let names = picking::lines(ui, |row| vec![row.name.clone()]);
            copy(ui, names, "", pressed);
        }
        Action::PickedHosts => {
            let hosts = picking::lines(ui, |row| row.hosts.clone());
            copy(ui, hosts, "", pressed);
        }
        Action::PickedUrls => {
            let urls = picking::lines(ui, |row| format::url(row).into_iter().collect());
            copy(ui, urls, "", pressed);
        }
        Action::PickedKubectl => copy(ui, picking::kubectl(ui), "", pressed),
        Action::Compare => {
            let picked = ui.table.picked.get_untracked();
            let mut picked = picked.into_iter();
            if let (Some(first), Some(second)) = (picked.next(), picked.next()) {
                ui.popup.set(Some(Popup::Compare(first, second)));
            }
        }
        Action::Reload => {
            let _ = window().location().reload();
        }
    }
}

/// Goes to the head of a group.
fn to_group(ui: Ui, value: &str) {
    let key = LineKey::Group(value.to_owned());
    if let Some(line) = ui.table.with_lines(|lines| lines.line_of(&key)) {
        go_to(ui, line);
    }
}

/// Leaves less of the search than there is: Back brings it back.
pub(super) fn clear_to(ui: Ui, text: &str) {
    ui.input.update_value(|input| input.adds_entry = true);
    ui.set_search(text);
    to_top(ui);
}

/// Leaves the rows with this value of a field, or leaves them out.
pub(super) fn filter_by(ui: Ui, field: &str, value: &str, out: bool) {
    let Some(field) = Field::of_key(field) else {
        return;
    };
    let filter = ui.table.filter.with_untracked(|filter| match field {
        _ if out => filter.leaving_out(field, value),
        // A row may have several of these.
        Field::Host | Field::Label | Field::Annotation => {
            let filter = filter.letting_in(field, value);
            filter.toggled(&format!("{}:{value}", field.key()))
        }
        _ => filter
            .letting_in(field, value)
            .with(field, false, vec![value.to_lowercase()]),
    });
    ui.set_search(&filter.to_string());
    to_top(ui);
}

/// Has the server ask the API server at once.
fn try_now(ui: Ui) {
    leptos::task::spawn_local(async move {
        let words = match crate::codec::answer(crate::hurry::try_now()).await {
            Ok(true) => "Trying now",
            Ok(false) => "Tried a moment ago",
            Err(_) => "The server could not be reached",
        };
        say(ui, words);
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
    let ui = at(ui, &target);
    if let Some(row) = row_of(ui, &target) {
        event.prevent_default();
        let at = (f64::from(mouse.client_x()), f64::from(mouse.client_y()));
        ui.popup.set(Some(Popup::Row(row, at)));
    }
}

/// The menu of a row, below its name.
pub(super) fn menu_at_row(ui: Ui, row: Arc<Ingress>) {
    let name = place_of(ui, &row.key().into()).and_then(|place| name_at(ui, place));
    let at = name.map_or((64.0, 160.0), |name| {
        let rect = name.get_bounding_client_rect();
        (rect.left(), rect.bottom() + 4.0)
    });
    ui.popup.set(Some(Popup::Row(row, at)));
}
