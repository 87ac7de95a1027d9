//! Several rows at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use leptos::prelude::*;
use protocol::{Ingress, Key};

use super::copying::{GONE, say};
use super::moving::{current_key, current_row, step};
use crate::format::{self, counted};
use crate::state::Ui;

/// Picks a row, or lets it go. One that is deleted and still stands there cannot be picked.
pub(super) fn toggle(ui: Ui, key: Key) {
    ui.table.current.set(Some(key.clone().into()));
    let was_picked = ui.table.picked.try_update(|picked| picked.remove(&key));
    if was_picked == Some(true) {
        return;
    }
    if ui.is_gone(&key) {
        return say(ui, GONE);
    }
    ui.table.picked.update(|picked| {
        picked.insert(key);
    });
}

/// Picks those of the rows that are not deleted.
fn pick(ui: Ui, keys: impl IntoIterator<Item = Key>) {
    let mut keys: Vec<Key> = keys.into_iter().collect();
    keys.retain(|key| !ui.is_gone(key));
    ui.table.picked.update(|picked| picked.extend(keys));
}

/// Picks the current row and the next one, or the one before.
pub(super) fn on(ui: Ui, forward: bool) {
    let before = current_row(ui).map(|row| row.key());
    step(ui, forward);
    let after = current_row(ui).map(|row| row.key());
    pick(ui, before.into_iter().chain(after));
}

/// Picks every row from the current one to this.
pub(super) fn up_to(ui: Ui, key: &Key) {
    let from = current_key(ui);
    let range = ui.table.with_lines(|lines| {
        let to = lines.line_of(&key.clone().into())?;
        let from = from.and_then(|key| lines.line_of(&key)).unwrap_or(to);
        let range = lines.range(from.min(to)..from.max(to) + 1);
        let keys = range.filter_map(|line| Some(line.row()?.ingress.key()));
        Some(keys.collect::<Vec<_>>())
    });
    pick(ui, range.into_iter().flatten());
    ui.table.current.set(Some(key.clone().into()));
    if let Ok(Some(selection)) = window().get_selection() {
        let _ = selection.remove_all_ranges();
    }
}

/// Picks every row that matches.
pub(super) fn all(ui: Ui) {
    let keys = ui.table.with_lines(|lines| {
        let rows = lines.rows().filter(|view| !view.deleted);
        rows.map(|view| view.ingress.key()).collect()
    });
    ui.table.picked.set(keys);
}

/// What is gone is not picked any more, and a line says so.
pub(super) fn drop_gone(ui: Ui) {
    Effect::new(move |_| {
        ui.live.version.track();
        let gone = ui.table.picked.with_untracked(|picked| {
            let is_gone = |key: &&Key| ui.live.with_store(|store| store.get(key).is_none());
            picked.iter().filter(is_gone).cloned().collect::<Vec<_>>()
        });
        if !gone.is_empty() && ui.is_fed_untracked() {
            ui.table
                .picked
                .update(|picked| picked.retain(|key| !gone.contains(key)));
            // What is not watched any more is nobody's news.
            let deleted = ui.live.scope.with_untracked(|scope| {
                let watched = gone.iter().filter(|key| scope.contains(&key.namespace));
                watched.count()
            });
            if deleted > 0 && ui.live.complete.get_untracked() {
                let rows = counted(deleted, "picked ingress is", "picked ingresses are");
                say(ui, &format!("{rows} deleted"));
            }
        }
    });
}

/// Something of each picked row, one a line.
pub(super) fn lines(ui: Ui, of: impl Fn(&Ingress) -> Vec<String>) -> String {
    let rows: Vec<Arc<Ingress>> = ui.table.picked.with_untracked(|picked| {
        ui.live.with_store(|store| {
            picked
                .iter()
                .filter_map(|key| store.get(key))
                .map(|view| view.ingress)
                .collect()
        })
    });
    let lines: Vec<String> = rows.iter().flat_map(|row| of(row)).collect();
    lines.join("\n")
}

/// The command for each namespace of what is picked, one a line.
pub(super) fn kubectl(ui: Ui) -> String {
    ui.table.picked.with_untracked(|picked| {
        let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for key in picked {
            names.entry(&key.namespace).or_default().push(&key.name);
        }
        let commands: Vec<String> = names
            .into_iter()
            .map(|(namespace, names)| format::kubectl(namespace, names))
            .collect();
        commands.join("\n")
    })
}
