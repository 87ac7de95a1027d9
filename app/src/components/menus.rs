//! What opens under a button: columns, groups, values to filter by, and what a row can do.

use std::sync::Arc;

use leptos::prelude::*;
use protocol::Ingress;
use protocol::filter::Field;
use protocol::view::Grouping;

use super::icons::icon;
use crate::actions::{Action, Opens};
use crate::columns::Columns;
use crate::format::{self, count, counted};
use crate::incident;
use crate::page::Density;
use crate::state::Ui;

/// How many values a list shows; a search finds the others.
const SHOWN: usize = 100;

fn tick(on: bool) -> &'static str {
    if on { "true" } else { "false" }
}

/// What rows are put together by.
pub fn group_menu(ui: Ui) -> impl IntoView {
    let item = move |id: &'static str, words: &'static str, on: bool| {
        view! {
            <button
                class=if on { "mi on" } else { "mi" }
                type="button"
                role="menuitemradio"
                data-act=Action::GroupBy.id()
                data-value=id
                aria-checked=tick(on)
            >
                <span class="grow">{words}</span>
            </button>
        }
    };
    let chosen = ui.table.grouping.get_untracked();
    let items = Grouping::ALL
        .map(|grouping| item(grouping.id(), grouping.words(), chosen == Some(grouping)));
    view! {
        <div role="menu" aria-label="Group by">
            {item("", "Not grouped", chosen.is_none())}
            {items.into_iter().collect_view()}
        </div>
    }
}

/// Which columns there are, their order, and the density.
pub fn columns_menu(ui: Ui) -> impl IntoView {
    let numbers = move || {
        ui.table
            .columns
            .with(|columns| format!("{} of {}", columns.shown().count(), columns.all().len()))
    };
    let rows = move || {
        ui.table.columns.with(|columns| {
            columns
                .all()
                .iter()
                .map(|chosen| {
                    let column = chosen.column;
                    let (id, heading) = (column.id(), column.heading());
                    let always = id == "name";
                    view! {
                        <li class="colrow" data-colrow=id>
                            <button class="grip" type="button" data-grip=id aria-label=format!("Move {heading}")>
                                {icon("#i-grip")}
                            </button>
                            <input
                                class="check"
                                type="checkbox"
                                id=format!("col-{id}")
                                prop:checked=chosen.shown
                                disabled=always
                                on:change=move |_| ui.table.columns.update(|columns| columns.toggle(column))
                            />
                            <label for=format!("col-{id}")>{heading}</label>
                            {always.then(|| view! { <span class="e">"always"</span> })}
                        </li>
                    }
                })
                .collect_view()
        })
    };
    let densities = Density::ALL.map(|density| {
        view! {
            <button
                type="button"
                aria-pressed=move || tick(ui.choices.density.get() == density)
                on:click=move |_| ui.choices.density.set(density)
            >
                {density.label()}
            </button>
        }
    });
    view! {
        <div class="colmenu">
            <h2 class="mh">
                "Columns "<span class="n">{numbers}</span>
                <button class="btn-link end" type="button" on:click=move |_| ui.table.columns.set(Columns::default())>"Reset"</button>
            </h2>
            <ul>{rows}</ul>
            <p class="muted mnote">"Drag a handle, or move it with the arrow keys."</p>
            <div class="mfoot">
                <span>"Density"</span>
                <div class="seg seg-s" role="group" aria-label="Density">{densities.into_iter().collect_view()}</div>
            </div>
        </div>
    }
}

/// The values of a field with their rows; ticks write a word into the search.
pub fn facet(ui: Ui, field: Field) -> impl IntoView {
    let find = RwSignal::new(String::new());
    let negated = RwSignal::new(
        ui.table
            .filter
            .with_untracked(|filter| filter.term(field).is_some_and(|term| term.negated)),
    );
    let ticked = move || {
        ui.table.filter.with(|filter| {
            filter
                .term(field)
                .map(|term| term.values.clone())
                .unwrap_or_default()
        })
    };
    let write = move |values: Vec<String>| {
        let filter = (ui.table.filter)
            .with_untracked(|filter| filter.with(field, negated.get_untracked(), values));
        ui.set_search(&filter.to_string());
    };
    // The rows of a value are counted over what the other words leave.
    let values = Memo::new(move |_| {
        ui.live.version.track();
        let others = ui
            .table
            .filter
            .with(|filter| filter.with(field, false, vec![]));
        let find = find.get();
        ui.live
            .with_store(|store| store.values(field, &others, find.trim()))
    });
    let list = move || {
        let ticked = ticked();
        values.with(|values| {
            // What is ticked stays in the list, also where no row has it any more.
            let gone = ticked
                .iter()
                .filter(|value| values.iter().all(|(known, _)| known.to_lowercase() != **value))
                .map(|value| (value.clone(), 0));
            let mut shown: Vec<_> = gone.chain(values.iter().take(SHOWN).cloned()).collect();
            // The keys of labels are long and stand above their values.
            let key_of = |value: &str| match (field, value.split_once('=')) {
                (Field::Label, Some((key, _))) => key.to_owned(),
                _ => String::new(),
            };
            let keys: Vec<_> = shown.iter().map(|(value, _)| key_of(value)).collect();
            let first = |value: &str| keys.iter().position(|key| *key == key_of(value));
            shown.sort_by_key(|(value, _)| first(value));
            let mut above = String::new();
            shown
                .into_iter()
                .map(|(value, rows)| {
                    let key = key_of(&value);
                    let head = (key != above).then(|| view! { <li class="lkey" aria-hidden="true">{key.clone()}</li> });
                    let words = match key.as_str() {
                        "" => value.clone(),
                        key => value[key.len() + 1..].to_owned(),
                    };
                    above = key;
                    let lower = value.to_lowercase();
                    let on = ticked.contains(&lower);
                    let id = format!("value-{value}");
                    let toggle = move |_| {
                        let mut values = ticked_now(ui, field);
                        if on {
                            values.retain(|other| *other != lower);
                        } else {
                            values.push(lower.clone());
                        }
                        write(values);
                    };
                    view! {
                        {head}
                        <li class="lrow">
                            <input class="check" type="checkbox" id=id.clone() aria-label=value.clone() prop:checked=on on:change=toggle/>
                            <label class="grow trunc" for=id title=value.clone()>{words}</label>
                            <span class="e">{count(rows)}</span>
                        </li>
                    }
                })
                .collect_view()
        })
    };
    let sides = [(false, "is"), (true, "is not")].map(|(side, words)| {
        view! {
            <button
                type="button"
                aria-pressed=move || tick(negated.get() == side)
                on:click=move |_| {
                    negated.set(side);
                    write(ticked_now(ui, field));
                }
            >
                {words}
            </button>
        }
    });
    let word = move || {
        ui.table
            .filter
            .with(|filter| filter.term(field).map(ToString::to_string))
            .unwrap_or_else(|| format!("{}:", field.key()))
    };
    let name = facet_name(field);
    let (one, many) = match field {
        Field::Class => ("class", "classes"),
        Field::Label => ("label", "labels"),
        Field::Annotation => ("key", "keys"),
        _ => ("value", "values"),
    };
    // Both are marks that people put on an object.
    let other = match field {
        Field::Label => Some(("annotation", "By annotation")),
        Field::Annotation => Some(("label", "By label")),
        _ => None,
    };
    let other = other.map(|(key, words)| {
        view! { <button class="btn-link" type="button" data-popup=Opens::Facet.id() data-field=key>{words}</button> }
    });
    let class = if other.is_some() {
        "facet wide"
    } else {
        "facet"
    };
    view! {
        <div class=class>
            <div class="mhead">
                <div class="field">
                    {icon("#i-search")}
                    <input
                        type="search"
                        aria-label=format!("Find in {name}")
                        placeholder=move || format!("Find in {}", counted(values.with(Vec::len), one, many))
                        autocomplete="off"
                        spellcheck="false"
                        on:input=move |event| find.set(event_target_value(&event))
                    />
                </div>
            </div>
            <div class="mh">
                <div class="seg seg-s" role="group" aria-label=name>{sides.into_iter().collect_view()}</div>
                <span class="end"></span>
                {other}
                <button class="btn-link" type="button" on:click=move |_| write(vec![])>"Clear"</button>
            </div>
            <ul class="vlist" tabindex="0" aria-label=format!("Values of {name}")>{list}</ul>
            <div class="mfoot">
                <code class="trunc">{word}</code>
                <b class="end">{move || format!("{} match", count(ui.matching()))}</b>
            </div>
            // On a phone the list is a sheet over the rows.
            <button class="btn btn-primary done" type="button" data-act=Action::ClosePopup.id()>
                {move || format!("Show {}", counted(ui.matching(), "ingress", "ingresses"))}
            </button>
        </div>
    }
}

fn ticked_now(ui: Ui, field: Field) -> Vec<String> {
    ui.table.filter.with_untracked(|filter| {
        (filter.term(field))
            .map(|term| term.values.clone())
            .unwrap_or_default()
    })
}

/// What a chip is called.
#[must_use]
pub fn facet_name(field: Field) -> &'static str {
    match field {
        Field::Class => "Class",
        Field::Tls => "TLS",
        Field::Annotation => "Annotations",
        _ => "Labels",
    }
}

/// What can be done with a row.
pub fn row_menu(ui: Ui, row: &Arc<Ingress>) -> impl IntoView + use<> {
    let entry = |act: Action, glyph: &'static str, words: String, end: String| {
        view! {
            <button class="mi" type="button" role="menuitem" data-act=act.id()>
                {icon(glyph)}
                <span class="grow trunc">{words}</span>
                <span class="e">{end}</span>
            </button>
        }
    };
    let key = |act, glyph, words: &str, key: &str| entry(act, glyph, words.into(), key.into());
    let first = row.hosts.first();
    let open = first.filter(|host| format::is_linkable(host)).map(|host| {
        entry(
            Action::OpenHost,
            "#i-ext",
            format!("Open {host}"),
            "o".into(),
        )
    });
    let host = first.map(|_| match row.hosts.len() {
        1 => key(Action::Host, "#i-globe", "Copy host", ""),
        many => entry(
            Action::AllHosts,
            "#i-globe",
            format!("Copy {many} hosts"),
            String::new(),
        ),
    });
    let url = format::url(row).map(|_| key(Action::Url, "#i-link", "Copy URL", ""));
    let path = format::routes(row)
        .next()
        .map(|_| key(Action::Path, "#i-code", "Copy path", ""));
    let curl =
        incident::curl(row).map(|_| key(Action::Curl, "#i-terminal", "Copy curl command", ""));
    let gone = ui.is_gone(&row.key());
    let seen = (ui.live).with_store(|store| store.changes(&row.key()).count());
    let picked = ui
        .table
        .picked
        .with_untracked(|picked| picked.contains(&row.key()));
    // Of what is gone there is nothing to ask the cluster for.
    let asked = (!gone).then(|| {
        view! {
            {key(Action::CopyYaml, "#i-code", "Copy YAML", "y")}
            {key(Action::Kubectl, "#i-terminal", "Copy kubectl command", "c")}
            {curl}
            {key(Action::Report, "#i-copy", "Copy as Markdown", "")}
            {key(Action::Link, "#i-link", "Copy link to this row", "")}
        }
    });
    // How many rows a press would leave.
    let left = |field: Field, value: &str| {
        let filter = (ui.table.filter)
            .with_untracked(|filter| filter.with(field, false, vec![value.to_lowercase()]));
        count(ui.live.with_store(|store| store.count(&filter)))
    };
    let class = row.ingress_class_name.as_ref().map(|class| {
        entry(
            Action::OnlyClass,
            "#i-filter",
            format!("Only class {class}"),
            left(Field::Class, class),
        )
    });
    let namespace = left(Field::Namespace, &row.namespace);
    view! {
        <h2 class="mh trunc">{format!("{}/{}", row.namespace, row.name)}</h2>
        <div role="menu" aria-label=format!("Actions for {}", row.name)>
            {key(Action::Open, "#i-route", "Open details", "Enter")}
            {open}
            <div class="msep" role="separator"></div>
            {key(Action::Name, "#i-copy", "Copy name", "")}
            {host}
            {path}
            {url}
            {asked}
            <div class="msep" role="separator"></div>
            {entry(Action::OnlyNamespace, "#i-filter", format!("Only namespace {}", row.namespace), namespace)}
            {class}
            {entry(Action::Changes, "#i-mod", "Changes of this ingress".into(), count(seen))}
            <div class="msep" role="separator"></div>
            {key(Action::Pick, "#i-check", if picked { "Unpick" } else { "Pick this row" }, "x")}
        </div>
    }
}
