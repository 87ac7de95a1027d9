//! What a person has chosen stays for the next visit.

use leptos::prelude::*;
use protocol::Scope;

use super::pool::scrolled;
use super::storage::{keep, store, stored};
use crate::columns::Columns;
use crate::exclusions::Exclusions;
use crate::page::{Choices, Density, Theme};
use crate::query::encode;
use crate::state::Ui;

/// What local storage calls the choice of single keys.
pub(super) const SINGLE_KEYS: &str = "kube-ingress-dash-single-keys";

/// What a person has chosen is kept: the cookie is what the server renders from.
pub(super) fn keep_choices(ui: Ui) {
    Effect::new(move |before: Option<Choices>| {
        let choices = Choices {
            theme: ui.choices.theme.get(),
            density: ui.choices.density.get(),
            columns: ui.table.columns.get(),
            exclusions: ui.choices.exclusions.get(),
        };
        let (theme, density) = (choices.theme, choices.density);
        if before.is_some_and(|before| before != choices)
            && let Some(root) = document().document_element()
        {
            let _ = match theme.attribute() {
                Some(value) => root.set_attribute("data-theme", value),
                None => root.remove_attribute("data-theme"),
            };
            let _ = root.set_attribute("data-density", density.id());
            keep(ui, Theme::COOKIE, theme.id());
            keep(ui, Density::COOKIE, density.id());
            keep(ui, Columns::COOKIE, &choices.columns.to_string());
            let mut exclusions = String::new();
            encode(&mut exclusions, &choices.exclusions.to_string());
            keep(ui, Exclusions::COOKIE, &exclusions.replace(',', "%2C"));
            scrolled(ui);
        }
        choices
    });
    Effect::new(move |before: Option<bool>| {
        let on = ui.choices.single_keys.get();
        if before.is_some_and(|before| before != on) {
            store(SINGLE_KEYS, if on { "on" } else { "off" });
        }
        on
    });
}

/// What local storage calls the pinned namespaces, those chosen lately, and the sets of them.
const NAMESPACES: [&str; 3] = [
    "kube-ingress-dash-pins",
    "kube-ingress-dash-recent",
    "kube-ingress-dash-sets",
];

/// Recalls which namespaces are pinned, recent and in sets, and keeps them from then on.
pub(super) fn recall_namespaces(ui: Ui) {
    fn names<C: FromIterator<String>>(text: &str) -> C {
        let names = text
            .split(',')
            .filter(|name| protocol::scope::is_dns_label(name));
        names.map(str::to_owned).collect()
    }
    let [pins, recent, sets] = NAMESPACES.map(|key| stored(key).unwrap_or_default());
    ui.choices.pins.set(names(&pins));
    ui.choices.recent.set(names(&recent));
    ui.choices
        .sets
        .set(sets.split(';').take(9).map(names).collect());
    Effect::new(move |started: Option<()>| {
        let sets = ui.choices.sets.get();
        let sets: Vec<_> = sets
            .into_iter()
            .map(|set| Scope::Namespaces(set).to_string())
            .collect();
        let pins = Scope::Namespaces(ui.choices.pins.get()).to_string();
        let texts = [pins, ui.choices.recent.get().join(","), sets.join(";")];
        if started.is_some() {
            for (key, text) in NAMESPACES.into_iter().zip(texts) {
                store(key, &text);
            }
        }
    });
}
