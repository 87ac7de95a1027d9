//! Texts for the clipboard, and the line that says that one was copied.

use std::time::Duration;

use leptos::prelude::*;
use protocol::{Ingress, Key};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::Element;

use super::dom::first_of;
use super::picking;
use crate::format::{self, counted};
use crate::incident;
use crate::query::Query;
use crate::state::{Input, Popup, Ui};

/// How long a button shows that it has copied, in milliseconds.
const TICK_MS: u64 = 1_200;
/// How long a line over the page stays, in milliseconds.
const TOAST_MS: u64 = 4_000;
/// Why there is no command for an object.
pub(super) const GONE: &str = "The ingress is deleted";

/// The address of this page with the details of an ingress.
pub(super) fn link(ui: Ui, key: Key) -> String {
    let origin = window().location().origin().unwrap_or_default();
    let path = untrack(|| ui.href(|query: &mut Query| query.selected = Some(key)));
    origin + &path
}

/// A row as Markdown, with the time that it is of.
pub(super) fn report(ui: Ui, row: &Ingress) -> String {
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

/// Copies the command for what is picked, else for this row.
pub(super) fn copy_kubectl(ui: Ui, key: &Key) {
    let picked = ui
        .table
        .picked
        .with_untracked(std::collections::BTreeSet::len);
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
    ui.announce(words);
    ui.said.toast.set(Some(words.to_owned()));
    let leaves = set_timeout_with_handle(
        move || ui.said.toast.set(None),
        Duration::from_millis(TOAST_MS),
    );
    let replace = |input: &mut Input| std::mem::replace(&mut input.toast_leaves, leaves.ok());
    if let Some(earlier) = ui.input.try_update_value(replace).flatten() {
        earlier.clear();
    }
}
