//! One element of the pool and the cells of the row in it, or the head of a group.
//!
//! Rows have no listeners of their own: the table body listens once and reads `data-act`.
//!
//! It is one file: all cells of a row.

use leptos::either::{Either, EitherOf3};
use leptos::prelude::*;
use protocol::Ingress;
use protocol::columns::Column;
use protocol::filter::{Field, Filter, Reach, marked};
use protocol::store::{MarkKind, RowView};
use protocol::tls::Coverage;
use protocol::view::{Group, Grouping, Line, LineKey};

use super::icons::{classed_icon, icon, small_icon};
use crate::actions::Action;
use crate::format;
use crate::state::Ui;
use crate::table::Slot;

/// How long a change keeps its glyph, in milliseconds.
const MARK_MS: u64 = 10_000;
/// How long a change may start a flash, in milliseconds.
const FLASH_MS: u64 = 1_200;
/// How much of the end of a name stays where the name is cut, in characters: ends tell siblings
/// apart.
const TAIL: usize = 8;

/// One element of the pool. It stays in the document for as long as the page lives; without a row
/// it is hidden.
#[component]
pub fn PoolRow(
    /// Its place in the pool.
    place: usize,
) -> impl IntoView {
    let ui = Ui::expect();
    let Slot {
        cell,
        index,
        active,
    } = ui.table.slots.with_value(|slots| slots[place]);
    let class = move || {
        cell.with(|cell| {
            let view = match cell.as_ref().map(|cell| cell.line.row()) {
                None => return "r",
                Some(None) => return "grp-row",
                Some(Some(view)) => view,
            };
            let row = &view.ingress;
            let selected = ui.details.selected.with(|key| {
                key.as_ref()
                    .is_some_and(|key| key.name == row.name && key.namespace == row.namespace)
            });
            let picked = ui
                .table
                .picked
                .with(|picked| !picked.is_empty() && picked.contains(&row.key()));
            match (selected, view.deleted) {
                (true, true) => "r sel gone",
                (true, false) => "r sel",
                (false, true) => "r gone",
                (false, false) if picked => "r picked",
                (false, false) => "r",
            }
        })
    };
    let flash = move || {
        let mono = ui.clock.mono.get();
        cell.with(|cell| {
            let cell = cell.as_ref().filter(|cell| cell.flash)?;
            let mark = (cell.line.row()?.mark)
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
            aria-rowindex=move || cell.with(Option::is_some).then(|| index.get() + 2)
        >
            {move || cell.get().map(|cell| match cell.line {
                Line::Group(group) => head(ui, group, Some(index)).into_any(),
                Line::Row(view) => cells(ui, index, view, active, &cell.filter).into_any(),
            })}
        </tr>
    }
}

/// The head of the group that the first row in sight is in, where the head itself is scrolled
/// away. It lies over the rows, for the pointer: keys and screen readers have the head in its
/// place.
#[component]
pub fn StuckHead() -> impl IntoView {
    let ui = Ui::expect();
    move || {
        ui.table.stuck.get().map(|group| {
            view! { <tr class="grp-row stuck" aria-hidden="true">{head(ui, group, None)}</tr> }
        })
    }
}

/// The head of a group: what its rows share, and how many they are. The one in its place, which has
/// an index, is a line for the keys.
fn head(ui: Ui, group: Group, index: Option<RwSignal<usize>>) -> impl IntoView {
    let grouping = ui.table.grouping.get_untracked();
    let words = group_words(grouping, &group.value);
    let rows = format::counted(group.rows, "ingress", "ingresses");
    let glyph = if group.open { "#i-down" } else { "#i-right" };
    let tabindex = tabindex(ui, LineKey::Group(group.value.clone()), index);
    view! {
        <th scope="rowgroup">
            <div class="grp-line">
                <button
                    class="grp"
                    type="button"
                    data-act=Action::Group.id()
                    data-value=group.value
                    aria-expanded=if group.open { "true" } else { "false" }
                    title="Alt and click: all groups"
                    tabindex=tabindex
                >
                    {small_icon(glyph)}
                    <span class="trunc">{words}</span>
                    " "
                    <span class="n">{rows}</span>
                </button>
            </div>
        </th>
    }
}

/// The list is one tab stop; without the browser's help each of its lines is one.
fn tabindex(
    ui: Ui,
    key: LineKey,
    index: Option<RwSignal<usize>>,
) -> impl Fn() -> Option<&'static str> + Send + Sync + Clone + 'static {
    move || {
        let here = index.is_some_and(|index| {
            ui.table.current.with(|current| match current {
                Some(current) => *current == key,
                None => index.get() == 0,
            })
        });
        ui.hydrated.get().then_some(if here { "0" } else { "-1" })
    }
}

/// What the rows of a group share, in words.
fn group_words(grouping: Option<Grouping>, value: &str) -> String {
    match (grouping, value) {
        (Some(Grouping::Tls), "yes") => "With TLS".into(),
        (Some(Grouping::Tls), "partly") => "Partly with TLS".into(),
        (Some(Grouping::Tls), _) => "Without TLS".into(),
        (Some(Grouping::HostSuffix), "") => "Any host".into(),
        (_, "") => "No class".into(),
        (_, value) => value.to_owned(),
    }
}

fn cells(
    ui: Ui,
    index: RwSignal<usize>,
    view: RowView,
    active: RwSignal<bool>,
    filter: &Filter,
) -> impl IntoView + use<> {
    let row = view.ingress;
    let mark = move || {
        let mark = view
            .mark
            .filter(|mark| ui.clock.mono.get().saturating_sub(mark.at_ms) < MARK_MS)?;
        Some(match mark.kind {
            MarkKind::Added => (icon("#i-plus"), "Added just now"),
            MarkKind::Modified => (icon("#i-mod"), "Changed just now"),
        })
    };
    let pickable = {
        let key = row.key();
        let label = format!("Pick {}", row.name);
        move || {
            (active.get() || ui.table.picked.with(|picked| !picked.is_empty())).then(|| {
                let (key, label) = (key.clone(), label.clone());
                let picked = move || ui.table.picked.with(|picked| picked.contains(&key));
                view! {
                    <button
                        class="pickbox"
                        type="button"
                        role="checkbox"
                        data-act=Action::Pick.id()
                        tabindex="-1"
                        aria-label=label
                        title="Pick (x)"
                        aria-checked=move || if picked() { "true" } else { "false" }
                    >
                        {icon("#i-check")}
                    </button>
                }
            })
        }
    };
    let mark =
        move || mark().map(|(glyph, words)| view! { {glyph}<span class="sr">{words}</span> });
    let data = ui.table.layout.with(|layout| {
        layout
            .iter()
            .map(|(column, _)| data_cell(ui, &row, index, *column, filter, active))
            .collect_view()
    });
    view! {
        <td class="mark">{mark}{pickable}</td>
        {data}
        <td class="actcell">{move || active.get().then(actions)}</td>
    }
}

/// One cell of a row.
fn data_cell(
    ui: Ui,
    row: &Ingress,
    index: RwSignal<usize>,
    column: Column,
    filter: &Filter,
    active: RwSignal<bool>,
) -> AnyView {
    match column {
        Column::Name => name(ui, row, index, filter, active).into_any(),
        Column::Namespace => view! {
            <td class="ns k-ns" title=row.namespace.clone()>
                {middle(&row.namespace, &filter.marks(Field::Namespace))}
            </td>
        }
        .into_any(),
        Column::Host => {
            view! { <td class="hosts k-host">{hosts(ui, row, filter, active)}</td> }.into_any()
        }
        Column::Path => view! { <td class="paths k-path">{routes(row, filter)}</td> }.into_any(),
        Column::Class => view! {
            <td class="cls k-class" title=row.ingress_class_name.clone()>
                {match row.ingress_class_name.clone() {
                    Some(class) => Either::Left(class),
                    None => Either::Right(view! { <span class="muted">"none"</span> }),
                }}
            </td>
        }
        .into_any(),
        Column::Address => {
            let title = (!row.addresses.is_empty()).then(|| row.addresses.join(", "));
            view! {
                <td class="muted-2 k-addr" title=title>
                    {match row.addresses.first() {
                        Some(first) => Either::Left(first.clone()),
                        None => Either::Right(view! { <span class="muted">"pending"</span> }),
                    }}
                </td>
            }
            .into_any()
        }
        Column::Tls => view! { <td class="tls k-tls">{tls(row)}</td> }.into_any(),
        Column::Age => {
            let created = row.created_at.clone();
            let age = {
                let created = created.clone();
                move || {
                    format::age(created.as_deref(), ui.clock.now.get())
                        .unwrap_or_else(|| "unknown".into())
                }
            };
            view! { <td class="num age k-age" title=created>{age}</td> }.into_any()
        }
    }
}

/// The name: the head of the row, and the link to its details.
fn name(
    ui: Ui,
    row: &Ingress,
    index: RwSignal<usize>,
    filter: &Filter,
    active: RwSignal<bool>,
) -> impl IntoView + use<> {
    // The rest of the address changes with each key in the search: that is put in when somebody
    // is about to use the link.
    let href = {
        let key = row.key();
        move || {
            let near = active.get();
            let key = key.clone();
            untrack(|| {
                ui.href(|query| {
                    query.selected = Some(key);
                    if !near {
                        query.shorten();
                    }
                })
            })
        }
    };
    let current = {
        let key = row.key();
        move || {
            ui.details
                .selected
                .with(|selected| *selected == Some(key.clone()))
                .then_some("true")
        }
    };
    let tabindex = tabindex(ui, row.key().into(), Some(index));
    // The style sheet shows the namespace behind the name where it has no column.
    view! {
        <th class="k-name" scope="row">
            <a class="nm" data-ns=row.namespace.clone() href=href title=row.name.clone() aria-current=current tabindex=tabindex>
                {middle(&row.name, &filter.marks(Field::Name))}
            </a>
        </th>
    }
}

/// A text with what was searched for marked in it.
pub fn with_marks(text: &str, words: &[String]) -> impl IntoView + use<> {
    marked(text, words)
        .into_iter()
        .map(|(part, is_match)| {
            let part = format::without_bidi(part).into_owned();
            if is_match {
                Either::Left(view! { <mark>{part}</mark> })
            } else {
                Either::Right(part)
            }
        })
        .collect_view()
}

/// A name that is cut in its middle where there is no room for all of it. The document has the
/// whole text in any case, so that it is found, copied and heard; the end that lies over it where
/// it is cut (`browser::pool` says where) is the style sheet's.
fn middle(name: &str, words: &[String]) -> impl IntoView + use<> {
    let ends = name.char_indices().rev().nth(TAIL - 1);
    let tail = format::without_bidi(&name[ends.map_or(0, |(at, _)| at)..]).into_owned();
    view! { <span class="mid" data-tail=tail>{with_marks(name, words)}</span> }
}

/// The buttons over the last cells of the row that the pointer or the focus is in.
fn actions() -> impl IntoView {
    let buttons = [
        (
            Action::Kubectl,
            "Copy kubectl command",
            "Copy kubectl command (c)",
            "#i-terminal",
        ),
        (
            Action::Yaml,
            "Show YAML",
            "Show YAML (y copies it)",
            "#i-code",
        ),
        (
            Action::Link,
            "Copy link to this row",
            "Copy link to this row",
            "#i-link",
        ),
        (Action::Menu, "More", "More (Shift F10)", "#i-more"),
    ];
    let buttons = buttons.map(|(act, label, title, glyph)| {
        view! { <button type="button" data-act=act.id() tabindex="-1" aria-label=label title=title>{icon(glyph)}</button> }
    });
    view! { <span class="acts">{buttons.into_iter().collect_view()}</span> }
}

/// A host as a link where it can be one, else as text.
pub fn host(name: &str, tls: bool, words: &[String]) -> impl IntoView + use<> {
    host_of(None, name, tls, words)
}

/// The same in a row of the table, which is one tab stop: there `o` opens the host.
fn host_of(row_of: Option<Ui>, name: &str, tls: bool, words: &[String]) -> impl IntoView + use<> {
    let title = format::shown(name);
    let tabindex = move || row_of?.hydrated.get().then_some("-1");
    let text = with_marks(name, words);
    match format::host_url(name, tls) {
        Some(url) => Either::Left(view! {
            <a class="host" href=url rel="noopener noreferrer" target="_blank" title=title tabindex=tabindex>
                <span>{text}</span>
            </a>
        }),
        None => Either::Right(view! {
            <span class="host-text trunc" title=title>{text}</span>
        }),
    }
}

fn hosts(ui: Ui, row: &Ingress, filter: &Filter, active: RwSignal<bool>) -> impl IntoView + use<> {
    let words = filter.marks(Field::Host);
    let taker = filter.taker(row);
    // The host that was searched for is the one to see, or what takes it.
    let found = (row.hosts.iter()).find(|host| marked(host, &words).iter().any(|(_, is)| *is));
    let shown = match taker {
        Some(taker) => taker.host,
        None => found.or(row.hosts.first()).map(String::as_str),
    };
    let by = taker
        .and_then(|taker| by(taker.reach))
        .map(|(words, title)| {
            view! { <span class="by" title=title>{words}" "</span> }
        });
    let any = if by.is_some() {
        "any host"
    } else if row.rules.is_empty() && row.default_backend.is_some() {
        "Any host (default backend)"
    } else if row.rules.is_empty() {
        "No rules"
    } else {
        "Any host"
    };
    let name = match shown {
        Some(name) => Either::Left(host_of(Some(ui), name, row.tls, &words)),
        None => Either::Right(view! { <span class="host-any">{any}</span> }),
    };
    let more = row.host_count() - usize::from(shown.is_some());
    let copy_class = if more > 0 { "cp cp-more" } else { "cp" };
    let copied = shown.map(str::to_owned);
    let copy = move || {
        let copied = copied.clone().filter(|_| active.get())?;
        Some(view! {
            <button
                class=copy_class
                type="button"
                data-act=Action::Copy.id()
                data-text=copied
                tabindex="-1"
                aria-label="Copy host"
                title="Copy host"
            >
                {small_icon("#i-copy")}
            </button>
        })
    };
    let others = format::counted(more, "more host", "more hosts");
    let label = format!("Show {others} of {}", row.name);
    view! {
        <div class="line">
            {by}
            {name}
            {(more > 0).then(|| view! {
                <button class="more" type="button" data-act=Action::Hosts.id() tabindex="-1" aria-label=label>
                    <span>{format!("+{more}")}</span>
                </button>
            })}
            {copy}
        </div>
    }
}

/// How a row takes the host that is searched for where it has not that host itself, and why.
fn by(reach: Reach) -> Option<(&'static str, &'static str)> {
    Some(match reach {
        Reach::Exact | Reach::Text => return None,
        Reach::Wildcard => ("by", "The wildcard stands for one label."),
        Reach::Labels => (
            "maybe by",
            "In an Ingress a wildcard stands for one label. Some controllers take more.",
        ),
        Reach::Any => ("by", "It takes every host that no other rule has."),
        Reach::Default => (
            "maybe by",
            "It has a default backend. Some controllers send every host there that no rule has.",
        ),
    })
}

fn routes(row: &Ingress, filter: &Filter) -> impl IntoView + use<> {
    let Some(first) = format::routes(row).next() else {
        return Either::Left(view! { <span class="muted">"none"</span> });
    };
    let more = format::route_count(row) - 1;
    let words = format::counted(more, "more path", "more paths");
    let label = format!("Show {words} of {}", row.name);
    let target = format::shown(&format!("{}{}", first.target, first.port));
    Either::Right(view! {
        <div class="line">
            <span class="path" title=format::shown(&first.path)>{with_marks(&first.path, &filter.marks(Field::Path))}</span>
            {classed_icon("icon arr", "#i-arr")}
            <span class="svc" title=target>
                {with_marks(&first.target, &filter.marks(Field::Service))}
                <span class="p">{first.port}</span>
            </span>
            {(more > 0).then(|| view! {
                <button class="more" type="button" data-act=Action::Routes.id() tabindex="-1" aria-label=label>
                    <span>{format!("+{more}")}</span>
                </button>
            })}
        </div>
    })
}

/// The lock of a row and its secret.
pub fn tls(row: &Ingress) -> impl IntoView + use<> {
    let (secret, others) = format::secrets(row);
    let secret = secret.map(format::shown);
    let more = (others > 0).then(|| view! { <span class="tag">{format!("+{others}")}</span> });
    match row.coverage() {
        Coverage::None if !row.tls => EitherOf3::A(view! {
            <span class="st st-idle">{icon("#i-unlock")}<span>"No"</span></span>
        }),
        Coverage::All => {
            let title = match &secret {
                Some(secret) => format!("Yes, secret {secret}"),
                None => "Yes, the controller's own certificate".into(),
            };
            EitherOf3::B(view! {
                <span class="st st-in" title=title>
                    {icon("#i-lock")}
                    <span class="sr">{if secret.is_some() { "Yes, secret " } else { "" }}</span>
                    {middle(&secret.unwrap_or_else(|| "Yes".into()), &[])}
                    {more}
                </span>
            })
        }
        coverage @ (Coverage::Partly | Coverage::None) => {
            let words = format!("{} of {}", row.hosts_with_tls(), row.hosts.len());
            let hosts = if row.hosts.len() == 1 {
                " host"
            } else {
                " hosts"
            };
            let title = match &secret {
                Some(secret) => format!("{words}{hosts}, secret {secret}"),
                None => format!("{words}{hosts}"),
            };
            let lock = match coverage {
                Coverage::None => "#i-unlock",
                _ => "#i-lockhalf",
            };
            EitherOf3::C(view! {
                <span class="st st-in" title=title>
                    {icon(lock)}
                    <span><b class="med">{words}</b><span class="sr">{hosts}", secret"</span></span>
                    {middle(&secret.unwrap_or_default(), &[])}
                    {more}
                </span>
            })
        }
    }
}
