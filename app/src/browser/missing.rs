//! Which of the watched namespaces there are not.

use std::time::Duration;

use leptos::prelude::*;
use protocol::{NamespaceDocument, Scope};

use super::fetch::fetch_json;
use crate::components::namespaces::missing;
use crate::state::Ui;

/// How often a namespace that there is not is looked for again, in milliseconds.
const MISSING_MS: u64 = 10_000;

/// Asks which of the watched namespaces there are: the server has said it of the first ones.
pub(super) fn follow_missing(ui: Ui) {
    Effect::new(move |before: Option<Scope>| {
        let scope = ui.live.scope.get();
        if before.is_some_and(|before| before != scope) {
            ui.missing.set(Vec::new());
            look_for_missing(ui);
        }
        scope
    });
    set_interval(
        move || {
            if !ui.missing.with_untracked(Vec::is_empty) {
                look_for_missing(ui);
            }
        },
        Duration::from_millis(MISSING_MS),
    );
}

fn look_for_missing(ui: Ui) {
    let scope = ui.live.scope.get_untracked();
    if scope.names().is_none() {
        return;
    }
    let url = format!("{}/api/namespaces", ui.base_path());
    leptos::task::spawn_local(async move {
        // Without an answer nothing new is known.
        let Ok(document) = fetch_json::<NamespaceDocument>(&url).await else {
            return;
        };
        if !document.complete || ui.live.scope.get_untracked() != scope {
            return;
        }
        let known = document.items.into_iter().map(|item| item.name).collect();
        let mut missing = missing(&scope, &known);
        // Of these the state says why.
        ui.live.states.with_untracked(|states| {
            let named = |name: &str| {
                let mut states = states.iter();
                states.any(|status| status.namespace.as_deref() == Some(name))
            };
            missing.retain(|missing| !named(&missing.name));
        });
        if ui.missing.with_untracked(|old| *old != missing) {
            ui.missing.set(missing);
        }
    });
}
