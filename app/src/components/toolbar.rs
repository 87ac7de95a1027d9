//! Namespaces, search and density.

use std::collections::BTreeSet;

use leptos::prelude::*;
use protocol::filter::Field;
use protocol::view::Grouping;

use super::icons::{icon, small_icon};
use super::menus::facet_name;
use super::search::SearchField;
use crate::actions::{Action, Opens};
use crate::format;
use crate::parts::{self, Part};
use crate::state::{Popup, Ui};

/// The toolbar: a form, so that it also works without a script.
#[component]
pub fn Toolbar() -> impl IntoView {
    let ui = Ui::expect();
    let action = format!("{}/", ui.base_path());
    // A form's own fields are all that a browser without scripts sends.
    let scope = untrack(|| ui.query().named());
    let sort = untrack(|| ui.sort().to_string());
    let grouping = ui.table.grouping.get_untracked();
    let group_id = grouping.map(Grouping::id);
    let chips = [Field::Class, Field::Tls, Field::Label].map(|field| {
        let chosen = move || {
            ui.table.filter.with(|filter| {
                let term = filter.term(field)?;
                let sign = if term.negated { "not " } else { "" };
                Some(format!("{sign}{}", term.values.join(", ")))
            })
        };
        view! {
            <button
                class=move || if chosen().is_some() { "chip on" } else { "chip" }
                type="button"
                aria-haspopup="dialog"
                data-popup=Opens::Facet.id()
                data-field=field.key()
            >
                {small_icon("#i-plus")}
                {facet_name(field)}
                {move || chosen().map(|words| view! { " " <span class="v trunc">{words}</span> })}
            </button>
        }
    });
    let tokens = move || {
        let tokens = ui.search.tokens.with(Vec::len);
        (tokens > 0).then(|| view! { <span class="tag tag-accent">{tokens}</span> })
    };
    let group = move || match ui.table.grouping.get() {
        None => "none",
        Some(Grouping::Namespace) => "namespace",
        Some(Grouping::Class) => "class",
        Some(Grouping::HostSuffix) => "host suffix",
        Some(Grouping::Tls) => "TLS",
    };
    let open = move || ui.popup.with(|popup| *popup == Some(Popup::Namespaces));
    let picker = Part::new(ui, parts::namespaces::load, false);
    let all = move || {
        let all = ui.first.with_value(|rows| rows.namespaces_total)?;
        let words = match ui.live.scope.with(|scope| scope.names().map(BTreeSet::len)) {
            None => format::count(all),
            Some(named) if named > 1 && named <= all => format!("of {}", format::count(all)),
            Some(_) => return None,
        };
        Some(view! { " " <span class="cnt">{words}</span> })
    };
    view! {
        <form class="toolbar" id="filter" role="search" aria-label="Filter" method="get" action=action>
            // Enter presses a form's first button, which without this would be a heading's.
            <button class="btn submit" type="submit" tabindex="-1">"Search"</button>
            {(!scope.is_empty()).then(|| view! { <input type="hidden" name="ns" value=scope/> })}
            {group_id.map(|id| view! { <input type="hidden" name="group" value=id/> })}
            {(sort != "name").then(|| view! { <input type="hidden" name="sort" value=sort/> })}
            <div class="popwrap">
                <button
                    class="btn nsbtn"
                    type="button"
                    aria-haspopup="dialog"
                    aria-expanded=move || if open() { "true" } else { "false" }
                    data-popup=Opens::Namespaces.id()
                >
                    {icon("#i-ns")}
                    <b class="trunc">{move || ui.live.scope.with(format::namespaces)}</b>
                    {all}
                    {small_icon("#i-down")}
                </button>
                {move || open().then(|| picker.show("pop", parts::namespaces::view()))}
            </div>
            <SearchField/>
            <button class="btn filterbtn" type="button" aria-haspopup="menu" data-popup=Opens::Filters.id()>
                {icon("#i-filter")}
                "Filter"
                {tokens}
            </button>
            <div class="chips">{chips.into_iter().collect_view()}</div>
            <span class="vr"></span>
            <button
                class="btn btn-icon btn-ghost"
                type="button"
                data-act=Action::Density.id()
                aria-keyshortcuts="d"
                aria-label=move || format!("Row density: {}", ui.choices.density.get().id())
                title=move || format!("Row density: {} (d)", ui.choices.density.get().id())
            >
                {icon("#i-density")}
            </button>
            <button
                class="btn btn-ghost grpbtn"
                type="button"
                data-popup=Opens::Group.id()
                aria-haspopup="menu"
                aria-keyshortcuts="g"
                aria-label=move || format!("Group: {}", group())
                title="Group (g)"
                aria-pressed=move || if ui.table.grouping.get().is_some() { "true" } else { "false" }
            >
                {icon("#i-group")}
                <span>"Group: "<b>{group}</b></span>
            </button>
            <button
                class="btn btn-icon btn-ghost"
                type="button"
                data-popup=Opens::Columns.id()
                aria-haspopup="dialog"
                aria-keyshortcuts="v"
                aria-label="Columns"
                title="Columns (v)"
            >
                {icon("#i-columns")}
            </button>
            <button
                class="btn btn-icon btn-ghost"
                type="button"
                data-act=Action::ViewLink.id()
                aria-label="Copy link to this view"
                title="Copy link to this view"
            >
                {icon("#i-link")}
            </button>
        </form>
    }
}
