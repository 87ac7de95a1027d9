//! One element of the pool and the cells of the row in it.
//!
//! Rows have no listeners of their own: the table body listens once and reads `data-act`.

use leptos::either::{Either, EitherOf3};
use leptos::prelude::*;
use protocol::Ingress;
use protocol::table::MarkKind;

use super::icons::{classed_icon, icon, small_icon};
use crate::format::{self, Tls};
use crate::state::{Cell, Slot, Ui};

/// How long a change keeps its glyph, in milliseconds.
const MARK_MS: u64 = 10_000;
/// How long a change may start a flash, in milliseconds.
const FLASH_MS: u64 = 1_200;

/// One element of the pool. It stays in the document for as long as the page lives; without a row
/// it is hidden.
#[component]
pub fn PoolRow(
    /// Its place in the pool.
    place: usize,
) -> impl IntoView {
    let ui = Ui::expect();
    let Slot { cell, active } = ui.slots.with_value(|slots| slots[place]);
    let class = move || {
        cell.with(|cell| {
            let Some(cell) = cell else { return "r" };
            let row = &cell.view.ingress;
            let selected = ui.selected.with(|key| {
                key.as_ref()
                    .is_some_and(|key| key.name == row.name && key.namespace == row.namespace)
            });
            match (selected, cell.view.deleted) {
                (true, true) => "r sel gone",
                (true, false) => "r sel",
                (false, true) => "r gone",
                (false, false) => "r",
            }
        })
    };
    let flash = move || {
        let mono = ui.mono.get();
        cell.with(|cell| {
            let cell = cell.as_ref().filter(|cell| cell.flash)?;
            let mark = cell
                .view
                .mark
                .filter(|mark| mono.saturating_sub(mark.at_ms) < FLASH_MS)?;
            Some(match mark.kind {
                MarkKind::Added => "add",
                MarkKind::Modified => "mod",
            })
        })
    };
    view! {
        <tr
            class=class
            data-place=place
            data-flash=flash
            hidden=move || cell.with(Option::is_none)
            aria-rowindex=move || cell.with(|cell| cell.as_ref().map(|cell| cell.index + 2))
        >
            {move || cell.get().map(|cell| cells(ui, cell, active))}
        </tr>
    }
}

fn cells(ui: Ui, cell: Cell, active: RwSignal<bool>) -> impl IntoView {
    let Cell { index, view, .. } = cell;
    let row = view.ingress;
    let mark = move || {
        let mark = view
            .mark
            .filter(|mark| ui.mono.get().saturating_sub(mark.at_ms) < MARK_MS)?;
        Some(match mark.kind {
            MarkKind::Added => (icon("#i-plus"), "Added just now"),
            MarkKind::Modified => (icon("#i-mod"), "Changed just now"),
        })
    };
    let mark =
        move || mark().map(|(glyph, words)| view! { {glyph}<span class="sr">{words}</span> });
    let href = {
        let key = row.key();
        move || {
            let key = key.clone();
            ui.href(|query| query.selected = Some(key))
        }
    };
    let current = {
        let key = row.key();
        move || {
            ui.selected
                .with(|selected| *selected == Some(key.clone()))
                .then_some("true")
        }
    };
    // The list is one tab stop; without the browser's help each name is one.
    let tabindex = {
        let key = row.key();
        move || {
            let here = ui.current.with(|current| match current {
                Some(current) => *current == key,
                None => index == 0,
            });
            ui.hydrated.get().then_some(if here { "0" } else { "-1" })
        }
    };
    let narrow = move || ui.narrow.get();
    let created = row.created_at.clone();
    let age = {
        let created = created.clone();
        move || format::age(created.as_deref(), ui.now.get()).unwrap_or_else(|| "unknown".into())
    };
    view! {
        <td class="mark">{mark}</td>
        <th scope="row">
            <a class="nm" href=href title=row.name.clone() aria-current=current tabindex=tabindex>
                <span class="trunc">{row.name.clone()}</span>
            </a>
        </th>
        <td class="ns" title=row.namespace.clone()>
            <span class="trunc">{row.namespace.clone()}</span>
        </td>
        <td>{hosts(&row, active)}</td>
        <td hidden=narrow>{routes(&row)}</td>
        <td hidden=narrow title=row.ingress_class_name.clone()>
            {match row.ingress_class_name.clone() {
                Some(class) => Either::Left(class),
                None => Either::Right(view! { <span class="muted">"none"</span> }),
            }}
        </td>
        {address(&row, ui.narrow)}
        <td>{tls(&row)}</td>
        <td class="num age" hidden=narrow title=created>
            {age}
            {move || active.get().then(actions)}
        </td>
    }
}

/// The buttons over the last cells of the row that the pointer or the focus is in.
fn actions() -> impl IntoView {
    view! {
        <span class="acts">
            <button type="button" data-act="kubectl" tabindex="-1" aria-label="Copy kubectl command">
                {icon("#i-terminal")}
            </button>
            <button type="button" data-act="yaml" tabindex="-1" aria-label="Show YAML">
                {icon("#i-code")}
            </button>
            <button type="button" data-act="link" tabindex="-1" aria-label="Copy link to this row">
                {icon("#i-link")}
            </button>
        </span>
    }
}

/// A host as a link where it can be one, else as text.
pub fn host(name: &str, tls: bool) -> impl IntoView + use<> {
    let text = name.to_owned();
    match format::host_url(name, tls) {
        Some(url) => Either::Left(view! {
            <a class="host" href=url rel="noopener noreferrer" target="_blank" title=text.clone()>
                <span>{text.clone()}</span>
            </a>
        }),
        None => Either::Right(view! {
            <span class="host-text trunc" title=text.clone()>{text.clone()}</span>
        }),
    }
}

fn hosts(row: &Ingress, active: RwSignal<bool>) -> impl IntoView + use<> {
    let Some(first) = row.hosts.first() else {
        let text = if row.rules.is_empty() && row.default_backend.is_some() {
            "Any host (default backend)"
        } else if row.rules.is_empty() {
            "No rules"
        } else {
            "Any host"
        };
        return Either::Left(view! { <span class="host-any">{text}</span> });
    };
    let more = row.hosts.len() - 1;
    let label = format!("Show {more} more hosts of {}", row.name);
    Either::Right(view! {
        <div class="line">
            {host(first, row.tls)}
            {(more > 0).then(|| view! {
                <button class="more" type="button" data-act="hosts" tabindex="-1" aria-label=label>
                    <span>{format!("+{more}")}</span>
                </button>
            })}
            {move || active.get().then(|| view! {
                <button class="cp" type="button" data-act="host" tabindex="-1" aria-label="Copy host">
                    {small_icon("#i-copy")}
                </button>
            })}
        </div>
    })
}

fn routes(row: &Ingress) -> impl IntoView + use<> {
    let Some(first) = format::routes(row).next() else {
        return Either::Left(view! { <span class="muted">"none"</span> });
    };
    let more = format::route_count(row) - 1;
    let label = format!("Show {more} more paths of {}", row.name);
    let target = format!("{}{}", first.target, first.port);
    Either::Right(view! {
        <div class="line">
            <span class="path" title=first.path.clone()>{first.path.clone()}</span>
            {classed_icon("icon arr", "#i-arr")}
            <span class="svc" title=target>
                {first.target}
                <span class="p">{first.port}</span>
            </span>
            {(more > 0).then(|| view! {
                <button class="more" type="button" data-act="routes" tabindex="-1" aria-label=label>
                    <span>{format!("+{more}")}</span>
                </button>
            })}
        </div>
    })
}

fn address(row: &Ingress, narrow: Memo<bool>) -> impl IntoView + use<> {
    match row.addresses.first() {
        Some(first) => Either::Left(view! {
            <td class="k-addr muted-2" hidden=move || narrow.get() title=row.addresses.join(", ")>{first.clone()}</td>
        }),
        None => Either::Right(view! {
            <td class="k-addr" hidden=move || narrow.get()><span class="muted">"pending"</span></td>
        }),
    }
}

/// The lock of a row and its secret.
pub fn tls(row: &Ingress) -> impl IntoView + use<> {
    let (secret, others) = format::secrets(row);
    let secret = secret.map(str::to_owned);
    let more = (others > 0).then(|| view! { <span class="tag">{format!("+{others}")}</span> });
    match format::tls(row) {
        Tls::None => EitherOf3::A(view! {
            <span class="st st-idle">{icon("#i-unlock")}<span>"No"</span></span>
        }),
        Tls::All => {
            let title = match &secret {
                Some(secret) => format!("Yes, secret {secret}"),
                None => "Yes, the controller's own certificate".into(),
            };
            EitherOf3::B(view! {
                <span class="st st-in" title=title>
                    {icon("#i-lock")}
                    <span class="sr">{if secret.is_some() { "Yes, secret " } else { "" }}</span>
                    <span class="trunc">{secret.unwrap_or_else(|| "Yes".into())}</span>
                    {more}
                </span>
            })
        }
        Tls::Partly { covered, hosts } => {
            let words = format!("{covered} of {hosts}");
            let title = match &secret {
                Some(secret) => format!("{words} hosts, secret {secret}"),
                None => format!("{words} hosts"),
            };
            EitherOf3::C(view! {
                <span class="st st-in" title=title>
                    {icon("#i-lockhalf")}
                    <span><b class="med">{words}</b><span class="sr">" hosts, secret"</span></span>
                    <span class="trunc muted-2">{secret.unwrap_or_default()}</span>
                    {more}
                </span>
            })
        }
    }
}
