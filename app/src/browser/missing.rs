//! Which of the namespaces that are asked for there are not.

use std::collections::BTreeSet;
use std::time::Duration;

use leptos::prelude::*;
use protocol::NamespaceDocument;
use protocol::filter::Field;
use protocol::scope::is_dns_label;

use super::fetch::fetch_json;
use crate::components::namespaces::missing;
use crate::state::Ui;

/// How often a namespace that there is not is looked for again, in milliseconds.
const MISSING_MS: u64 = 10_000;
/// How long a word of the search rests before its namespace is looked for, in milliseconds.
const TYPED_MS: u64 = 400;

/// The namespaces that are watched, those of a search that finds nothing, and that of details which
/// are not known.
fn asked(ui: Ui) -> BTreeSet<String> {
    let watched = ui.live.scope.with(|scope| scope.names().cloned());
    let mut asked = watched.unwrap_or_default();
    if ui.is_fed() && ui.matching() == 0 {
        ui.table.filter.with(|filter| {
            let terms = (filter.terms().iter())
                .filter(|term| term.field == Some(Field::Namespace) && !term.negated);
            let names = terms.flat_map(|term| &term.values);
            asked.extend(names.filter(|name| is_dns_label(name)).cloned());
        });
    }
    if ui.details.detail.with(Option::is_none) {
        asked.extend(ui.details.selected.get().map(|key| key.namespace));
    }
    asked
}

/// Asks which of them there are: of those that are watched at first the server has said it.
pub(super) fn follow_missing(ui: Ui) {
    let all = Memo::new(move |_| asked(ui));
    Effect::new(move |before: Option<BTreeSet<String>>| {
        let now = all.get();
        let known = before.or_else(|| ui.live.scope.with_untracked(|scope| scope.names().cloned()));
        if known.unwrap_or_default() != now {
            ui.missing
                .update(|missing| missing.retain(|missing| now.contains(&missing.name)));
            let asked = now.clone();
            set_timeout(
                move || {
                    if all.get_untracked() == asked {
                        look_for(ui, all);
                    }
                },
                Duration::from_millis(TYPED_MS),
            );
        }
        now
    });
    set_interval(
        move || {
            if !ui.missing.with_untracked(Vec::is_empty) {
                look_for(ui, all);
            }
        },
        Duration::from_millis(MISSING_MS),
    );
}

fn look_for(ui: Ui, all: Memo<BTreeSet<String>>) {
    let asked = all.get_untracked();
    if asked.is_empty() {
        return;
    }
    let url = format!("{}/api/namespaces", ui.base_path());
    leptos::task::spawn_local(async move {
        // Without an answer nothing new is known.
        let Ok(document) = fetch_json::<NamespaceDocument>(&url).await else {
            return;
        };
        if !document.complete || all.get_untracked() != asked {
            return;
        }
        let known = document.items.into_iter().map(|item| item.name).collect();
        let mut missing = missing(&asked, &known);
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
