//! The address bar and the title follow the state; Back and Forward lead to an earlier one.

use leptos::prelude::*;
use wasm_bindgen::JsValue;

use crate::query::Query;
use crate::state::{Input, Ui};

/// The address bar follows the state: a new selection or scope adds an entry and so does a search
/// that is cleared; typing replaces it.
pub(super) fn write_address(ui: Ui) {
    Effect::new(move |before: Option<Query>| {
        let query = ui.query();
        if let Some(before) = before.filter(|before| *before != query) {
            let search = window().location().search().unwrap_or_default();
            let text = query.to_query_string();
            let mut there = Query::parse(search.trim_start_matches('?'));
            // A change of the settings alone is no change of the address.
            there.everything = query.everything;
            if there != query
                && let Ok(history) = window().history()
            {
                let url = format!("{}/{text}", ui.base_path());
                let adds = take_adds(ui)
                    || before.selected != query.selected
                    || before.namespaces != query.namespaces;
                let _ = if adds {
                    history.push_state_with_url(&JsValue::NULL, "", Some(&url))
                } else {
                    history.replace_state_with_url(&JsValue::NULL, "", Some(&url))
                };
            }
        }
        query
    });
}

/// Whether the next change of the address adds an entry whatever it is; the one after does not.
fn take_adds(ui: Ui) -> bool {
    let take = |input: &mut Input| std::mem::take(&mut input.adds_entry);
    ui.input.try_update_value(take).unwrap_or_default()
}

/// The state follows the address bar: back and forward.
pub(super) fn read_address(ui: Ui) {
    let search = window().location().search().unwrap_or_default();
    let query = Query::parse(search.trim_start_matches('?'));
    take_adds(ui);
    let max = ui.cluster.with_value(|cluster| cluster.max_namespaces);
    let (scope, refused) = query.scope(max);
    ui.refused.set(refused);
    ui.asked.set(query.namespaces);
    if ui.live.scope.with_untracked(|old| *old != scope) {
        ui.live.set_scope(scope);
    }
    if ui.table.text.with_untracked(|old| *old != query.search) {
        ui.set_search(&query.search);
    }
    if ui.table.grouping.get_untracked() != query.grouping {
        ui.table.set_grouping(query.grouping);
    }
    let sort = (query.sort.column, query.sort.direction);
    if ui.table.sort.get_untracked() != sort {
        ui.table.set_sort(sort.0, sort.1);
    }
    ui.popup.set(None);
    ui.select(query.selected);
    ui.details.tab.set(query.tab);
}

pub(super) fn write_title(ui: Ui) {
    Effect::new(move |_| {
        let name = ui.cluster.with_value(|cluster| cluster.name.clone());
        let title = format!("{name} · Ingresses");
        match ui.facts().title() {
            Some(state) => document().set_title(&format!("{state} · {title}")),
            None => document().set_title(&title),
        }
    });
}
