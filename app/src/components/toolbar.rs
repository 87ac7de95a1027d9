//! Namespaces, search and density.

use leptos::prelude::*;

use super::icons::{icon, small_icon};
use super::namespaces::NamespacePicker;
use crate::format;
use crate::state::{Popup, Ui};

/// The toolbar: a form, so that it also works without a script.
#[component]
pub fn Toolbar() -> impl IntoView {
    let ui = Ui::expect();
    let action = format!("{}/", ui.base_path());
    // A form's own fields are all that a browser without scripts sends.
    let scope = ui.live.scope.with_untracked(ToString::to_string);
    let sort = untrack(|| ui.sort().to_string());
    let first_search = ui.live.filter.get_untracked();
    let open = move || ui.popup.with(|popup| *popup == Some(Popup::Namespaces));
    let all = move || {
        ui.first
            .with_value(|rows| rows.namespaces_total)
            .filter(|_| ui.live.scope.with(|scope| scope.names().is_some()))
            .map(|all| view! { <span class="cnt">{format!("of {}", format::count(all))}</span> })
    };
    view! {
        <form class="toolbar" id="filter" role="search" aria-label="Filter" method="get" action=action>
            // Enter presses a form's first button, which without this would be a heading's.
            <button class="sr" type="submit" tabindex="-1">"Search"</button>
            {(!scope.is_empty()).then(|| view! { <input type="hidden" name="ns" value=scope/> })}
            {(sort != "name").then(|| view! { <input type="hidden" name="sort" value=sort/> })}
            <div class="popwrap">
                <button
                    class="btn nsbtn"
                    type="button"
                    aria-haspopup="dialog"
                    aria-expanded=move || if open() { "true" } else { "false" }
                    data-popup="namespaces"
                >
                    {icon("#i-ns")}
                    <b class="trunc">{move || ui.live.scope.with(format::namespaces)}</b>
                    {all}
                    {small_icon("#i-down")}
                </button>
                {move || open().then(|| view! { <NamespacePicker/> })}
            </div>
            <div class="field">
                {icon("#i-search")}
                <input
                    type="search"
                    name="q"
                    id="search"
                    aria-label="Search and filter"
                    placeholder="Filter by name, namespace, host, path or service"
                    value=first_search
                    prop:value=move || ui.live.filter.get()
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    maxlength="500"
                    aria-keyshortcuts="/"
                />
                <kbd class="kbd" aria-hidden="true">"/"</kbd>
            </div>
            <span class="vr"></span>
            <button
                class="btn btn-icon btn-ghost"
                type="button"
                data-act="density"
                aria-label=move || format!("Row density: {}", ui.density.get().id())
            >
                {icon("#i-density")}
            </button>
        </form>
    }
}
