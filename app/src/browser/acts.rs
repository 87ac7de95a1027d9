//! What buttons and menus do.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use protocol::filter::Field;
use protocol::{Ingress, Key, Scope};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, Event, MouseEvent};

use super::address::ADDS;
use super::details::close_details;
use super::dom::{by_id, closest, first_of, target};
use super::lines::{line_of, name_at, place_of, row_of};
use super::moving::{go_to, step};
use super::pool::to_top;
use super::{picking, searching};
use crate::format::{self, counted};
use crate::incident;
use crate::query::{GROUPINGS, Query, Tab};
use crate::state::{Popup, Ui};

/// How long a button shows that it has copied, in milliseconds.
const TICK_MS: u64 = 1_200;
/// How long a line over the page stays, in milliseconds.
const TOAST_MS: u64 = 4_000;
/// Why there is no command for an object.
const GONE: &str = "The ingress is deleted";

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
    // What closes with the press cannot show that it worked.
    let shows = closest(button, "[role=menu]").is_none();
    if !shows {
        ui.popup.set(None);
    }
    let pressed = shows.then_some(button);
    if let Some(row) = &row
        && act_on_row(ui, act, row, button, pressed)
    {
        return;
    }
    if let Some(key) = key
        && act_on_object(ui, act, key, pressed)
    {
        return;
    }
    match act {
        "copy" => {
            let text = button.get_attribute("data-text").unwrap_or_default();
            copy(ui, text, "", pressed);
        }
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
            ui.current.set(Some(Key::new("", &value)));
            ui.live.toggle_group(&value);
            // The head that lies over the rows of its group is where they were.
            if line_of(ui, button).is_none() {
                to_group(ui, &value);
            }
        }
        "groups" => {
            let open = button.get_attribute("aria-expanded").as_deref() == Some("true");
            ui.live.toggle_all_groups(!open);
            to_group(ui, &value);
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
                clear_to(ui, &format!("{} {typed}", tokens.join(" ")));
                searching::focus_search();
                to_top(ui);
            }
        }
        // A word of the search, by its place.
        "without" => {
            let filter = ui.filter.get_untracked();
            let index = value.parse().unwrap_or(usize::MAX);
            clear_to(ui, &filter.without(index).to_string());
        }
        // A search that is offered in place of this one.
        "search" => {
            ui.set_search(&value);
            to_top(ui);
        }
        "toggle-word" => {
            let filter = ui.filter.with_untracked(|filter| filter.toggled(&value));
            ui.set_search(&filter.to_string());
            to_top(ui);
        }
        "clear" => clear_to(ui, ""),
        "view-link" => {
            let origin = window().location().origin().unwrap_or_default();
            let path = untrack(|| ui.href(|_: &mut Query| ()));
            // Without a search the words that whoever opens it leaves out would be left out.
            let rest = if path.contains('?') { "" } else { "?q=" };
            copy(
                ui,
                format!("{origin}{path}{rest}"),
                "the link to this view",
                Some(button),
            );
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
        "unpick" => ui.picked.update(BTreeSet::clear),
        "picked-names" => {
            let names = picking::lines(ui, |row| vec![row.name.clone()]);
            copy(ui, names, "", pressed);
        }
        "picked-hosts" => {
            let hosts = picking::lines(ui, |row| row.hosts.clone());
            copy(ui, hosts, "", pressed);
        }
        "picked-urls" => {
            let urls = picking::lines(ui, |row| format::url(row).into_iter().collect());
            copy(ui, urls, "", pressed);
        }
        "picked-kubectl" => copy(ui, picking::kubectl(ui), "", pressed),
        "compare" => {
            let picked = ui.picked.get_untracked();
            let mut picked = picked.into_iter();
            if let (Some(first), Some(second)) = (picked.next(), picked.next()) {
                ui.popup.set(Some(Popup::Compare(first, second)));
            }
        }
        "reload" => {
            let _ = window().location().reload();
        }
        _ => {}
    }
}

/// Goes to the head of a group.
fn to_group(ui: Ui, value: &str) {
    let key = Key::new("", value);
    if let Some(line) = ui.live.with_table(|table| table.line_of(&key)) {
        go_to(ui, line);
    }
}

/// Whether it is something that is done to a row. `pressed` is the button where it stays.
fn act_on_row(
    ui: Ui,
    act: &str,
    row: &Arc<Ingress>,
    button: &Element,
    pressed: Option<&Element>,
) -> bool {
    let rect = button.get_bounding_client_rect();
    let below = (rect.left(), rect.bottom() + 4.0);
    match act {
        "hosts" => ui.popup.set(Some(Popup::Hosts(row.clone(), below))),
        "routes" => ui.popup.set(Some(Popup::Routes(row.clone(), below))),
        "menu" => ui.popup.set(Some(Popup::Row(row.clone(), below))),
        "host" => {
            let host = row.hosts.first().cloned().unwrap_or_default();
            copy(ui, host, "the host", pressed);
        }
        "all-hosts" => {
            let what = counted(row.hosts.len(), "host", "hosts");
            copy(ui, row.hosts.join("\n"), &what, pressed);
        }
        "url" => copy(ui, format::url(row).unwrap_or_default(), "the URL", pressed),
        "path" => {
            let path = format::routes(row).next().map(|route| route.path);
            copy(ui, path.unwrap_or_default(), "the path", pressed);
        }
        "name" => copy(ui, row.name.clone(), "the name", pressed),
        "open-host" => open_host(row),
        "only-namespace" => filter_by(ui, "ns", &row.namespace, false),
        "only-class" => {
            let class = row.ingress_class_name.as_deref().unwrap_or("none");
            filter_by(ui, "class", class, false);
        }
        "pick" => picking::toggle(ui, row.key()),
        _ => return false,
    }
    true
}

/// Whether it is something that needs no more than the object's name.
fn act_on_object(ui: Ui, act: &str, key: Key, pressed: Option<&Element>) -> bool {
    let row = || ui.live.with_table(|table| table.get(&key));
    match act {
        "kubectl" if ui.is_gone(&key) => say(ui, GONE),
        "kubectl" => {
            let command = format::kubectl(&key.namespace, [key.name.as_str()]);
            copy(ui, command, "the kubectl command", pressed);
        }
        "report" => {
            if let Some(view) = row() {
                let report = report(ui, &view.ingress);
                copy(ui, report, "the report", pressed);
            }
        }
        "curl" => {
            let command = row().and_then(|view| incident::curl(&view.ingress));
            copy(ui, command.unwrap_or_default(), "the curl command", pressed);
        }
        "open" => {
            ui.current.set(Some(key.clone()));
            ui.select(Some(key));
        }
        "yaml" => {
            ui.tab.set(Tab::Yaml);
            ui.select(Some(key));
        }
        "copy-yaml" => copy_yaml(ui, key),
        "changes" => {
            ui.tab.set(Tab::Changes);
            ui.select(Some(key));
        }
        "link" => copy(ui, link(ui, key), "the link", pressed),
        _ => return false,
    }
    true
}

/// The address of this page with the details of an ingress.
fn link(ui: Ui, key: Key) -> String {
    let origin = window().location().origin().unwrap_or_default();
    let path = untrack(|| ui.href(|query: &mut Query| query.selected = Some(key)));
    origin + &path
}

/// A row as Markdown, with the time that it is of.
fn report(ui: Ui, row: &Ingress) -> String {
    let now = js_sys::Date::now() as i64;
    let facts = untrack(|| ui.facts());
    let as_of = match facts.connection.data_as_of_wall_ms {
        Some(at) if !facts.currency().is_live() => {
            format!("{} (not live since)", format::rfc3339(at as i64))
        }
        _ => format!("{} (live)", format::rfc3339(now)),
    };
    let age = match (&row.created_at, format::age(row.created_at.as_deref(), now)) {
        (Some(created), Some(age)) => format!("{age} (created {created})"),
        _ => "unknown".into(),
    };
    let name = ui.cluster.with_value(|cluster| cluster.name.clone());
    incident::report(row, &name, &link(ui, row.key()), &age, &as_of)
}

/// Leaves less of the search than there is: Back brings it back.
pub(super) fn clear_to(ui: Ui, text: &str) {
    ADDS.set(true);
    ui.set_search(text);
    to_top(ui);
}

/// Leaves the rows with this value of a field, or leaves them out.
pub(super) fn filter_by(ui: Ui, field: &str, value: &str, out: bool) {
    let Some(field) = Field::of_key(field) else {
        return;
    };
    let filter = ui.filter.with_untracked(|filter| match field {
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

/// Copies the command for what is picked, else for this row.
pub(super) fn copy_kubectl(ui: Ui, key: &Key) {
    let picked = ui.picked.with_untracked(std::collections::BTreeSet::len);
    if picked > 0 {
        let what = format!(
            "kubectl for {}",
            counted(picked, "picked row", "picked rows")
        );
        copy(ui, picking::kubectl(ui), &what, None);
    } else if ui.is_gone(key) {
        say(ui, GONE);
    } else {
        let command = format::kubectl(&key.namespace, [key.name.as_str()]);
        copy(ui, command, "the kubectl command", None);
    }
}

/// Copies the object, as it is now; one that is deleted as it was last.
pub(super) fn copy_yaml(ui: Ui, key: Key) {
    if ui.is_gone(&key) {
        let last =
            first_of(".gonebar [data-text]").and_then(|button| button.get_attribute("data-text"));
        return match last {
            Some(text) => copy(ui, text, "the last YAML", None),
            None => say(ui, GONE),
        };
    }
    leptos::task::spawn_local(async move {
        match crate::yaml::read(key).await {
            Ok(text) => copy(ui, text, "the YAML", None),
            Err(why) => {
                say(ui, &format!("The object could not be read: {why}"));
            }
        }
    });
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
    if let Some(row) = row_of(ui, &target) {
        event.prevent_default();
        let at = (f64::from(mouse.client_x()), f64::from(mouse.client_y()));
        ui.popup.set(Some(Popup::Row(row, at)));
    }
}

/// The menu of a row, below its name.
pub(super) fn menu_at_row(ui: Ui, row: Arc<Ingress>) {
    let name = place_of(ui, &row.key()).and_then(name_at);
    let at = name.map_or((64.0, 160.0), |name| {
        let rect = name.get_bounding_client_rect();
        (rect.left(), rect.bottom() + 4.0)
    });
    ui.popup.set(Some(Popup::Row(row, at)));
}

/// Copies a text, or shows it where the browser keeps the clipboard closed (plain http). That it
/// is copied is seen in the button that was pressed; without one a line says so of `what`.
pub(super) fn copy(ui: Ui, text: String, what: &str, pressed: Option<&Element>) {
    if text.is_empty() {
        return;
    }
    let (pressed, words) = (pressed.cloned(), format!("Copied {what}"));
    let clipboard = js_sys::Reflect::get(&window().navigator(), &"clipboard".into())
        .ok()
        .and_then(|clipboard| clipboard.dyn_into::<web_sys::Clipboard>().ok());
    leptos::task::spawn_local(async move {
        let copied = match clipboard {
            Some(clipboard) => JsFuture::from(clipboard.write_text(&text)).await.is_ok(),
            None => false,
        };
        match pressed {
            _ if !copied => ui.popup.set(Some(Popup::Copy(text))),
            Some(pressed) => {
                tick(&pressed);
                ui.announce("Copied");
            }
            None => say(ui, words.trim_end()),
        }
    });
}

/// Shows a tick in a button for a moment, in the place of its icon.
fn tick(button: &Element) {
    const TICKED: &str = "data-ticked";
    let Ok(Some(glyph)) = button.query_selector("use") else {
        return;
    };
    if button.has_attribute(TICKED) {
        return;
    }
    let icon = glyph.get_attribute("href").unwrap_or_default();
    let _ = glyph.set_attribute("href", "#i-check");
    let _ = button.set_attribute(TICKED, "");
    let button = button.clone();
    set_timeout(
        move || {
            let _ = glyph.set_attribute("href", &icon);
            let _ = button.remove_attribute(TICKED);
        },
        Duration::from_millis(TICK_MS),
    );
}

/// Says something in a line over the page, and to assistive technology.
pub(super) fn say(ui: Ui, words: &str) {
    thread_local! {
        static LEAVES: std::cell::Cell<Option<TimeoutHandle>> = const { std::cell::Cell::new(None) };
    }
    ui.announce(words);
    ui.toast.set(Some(words.to_owned()));
    let leaves =
        set_timeout_with_handle(move || ui.toast.set(None), Duration::from_millis(TOAST_MS));
    if let Some(earlier) = LEAVES.replace(leaves.ok()) {
        earlier.clear();
    }
}
