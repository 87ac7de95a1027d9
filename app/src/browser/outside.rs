//! What is outside the document: the tab's icon, and the theme that another tab chooses.

use leptos::prelude::*;

use super::storage::stored;
use crate::page::Theme;
use crate::state::Ui;

/// An exclamation mark on amber. It is part of the module: a server that is away cannot send it.
const NOT_LIVE: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 22 22'%3E%3Crect width='22' height='22' rx='6' fill='%23b45309'/%3E%3Cpath d='M11 5v7m0 4.4v.2' stroke='%23fff' stroke-width='3' stroke-linecap='round'/%3E%3C/svg%3E";

pub(super) fn follow(ui: Ui) {
    let live = StoredValue::new(None::<String>);
    Effect::new(move |_| {
        let alarms = ui.currency.get().alarms();
        let Some(icon) = document().query_selector("link[rel=icon]").ok().flatten() else {
            return;
        };
        if live.with_value(Option::is_none) {
            live.set_value(icon.get_attribute("href"));
        }
        let href = match alarms {
            true => Some(NOT_LIVE.to_owned()),
            false => live.get_value(),
        };
        let _ = icon.set_attribute("href", &href.unwrap_or_default());
    });
    window_event_listener_untyped("storage", move |_| {
        let chosen = stored(Theme::COOKIE);
        let theme = Theme::ALL
            .into_iter()
            .find(|theme| chosen.as_deref() == Some(theme.id()));
        if let Some(theme) = theme.filter(|theme| *theme != ui.choices.theme.get_untracked()) {
            ui.choices.theme.set(theme);
        }
    });
}
