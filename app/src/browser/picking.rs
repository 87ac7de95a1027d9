//! Several rows at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use leptos::prelude::*;
use protocol::table::Line;
use protocol::{Ingress, Key};

use super::moving::{current_key, current_row, step};
use crate::format;
use crate::state::Ui;

/// Picks a row, or lets it go.
pub(super) fn toggle(ui: Ui, key: Key) {
    ui.current.set(Some(key.clone()));
    ui.picked.update(|picked| {
        if !picked.remove(&key) {
            picked.insert(key);
        }
    });
}

/// Picks the current row and the next one, or the one before.
pub(super) fn on(ui: Ui, forward: bool) {
    let before = current_row(ui).map(|row| row.key());
    step(ui, forward);
    let after = current_row(ui).map(|row| row.key());
    ui.picked
        .update(|picked| picked.extend(before.into_iter().chain(after)));
}

/// Picks every row from the current one to this.
pub(super) fn up_to(ui: Ui, key: &Key) {
    let range = ui.live.with_table(|table| {
        let to = table.line_of(key)?;
        let from = current_key(ui)
            .and_then(|key| table.line_of(&key))
            .unwrap_or(to);
        let lines = table.lines(from.min(to)..from.max(to) + 1);
        let keys = lines
            .filter(|line| matches!(line, Line::Row(_)))
            .map(|line| line.key());
        Some(keys.collect::<Vec<_>>())
    });
    ui.picked
        .update(|picked| picked.extend(range.into_iter().flatten()));
    ui.current.set(Some(key.clone()));
    if let Ok(Some(selection)) = window().get_selection() {
        let _ = selection.remove_all_ranges();
    }
}

/// Picks every row that matches.
pub(super) fn all(ui: Ui) {
    let keys = ui.live.with_table(|table| {
        let rows = table.window(0..usize::MAX).filter(|view| !view.deleted);
        rows.map(|view| view.ingress.key()).collect()
    });
    ui.picked.set(keys);
}

/// What is gone is not picked any more.
pub(super) fn drop_gone(ui: Ui) {
    Effect::new(move |_| {
        ui.live.version.track();
        let gone = ui.picked.with_untracked(|picked| {
            let is_gone = |key: &&Key| ui.live.with_table(|table| table.get(key).is_none());
            picked.iter().filter(is_gone).cloned().collect::<Vec<_>>()
        });
        if !gone.is_empty() && ui.is_fed_untracked() {
            ui.picked
                .update(|picked| picked.retain(|key| !gone.contains(key)));
        }
    });
}

/// Something of each picked row, one a line.
pub(super) fn lines(ui: Ui, of: impl Fn(&Ingress) -> Vec<String>) -> String {
    let rows: Vec<Arc<Ingress>> = ui.picked.with_untracked(|picked| {
        ui.live.with_table(|table| {
            picked
                .iter()
                .filter_map(|key| table.get(key))
                .map(|view| view.ingress)
                .collect()
        })
    });
    let lines: Vec<String> = rows.iter().flat_map(|row| of(row)).collect();
    lines.join("\n")
}

/// The command for each namespace of what is picked, one a line.
pub(super) fn kubectl(ui: Ui) -> String {
    ui.picked.with_untracked(|picked| {
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
