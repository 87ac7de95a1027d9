//! The table, and what stands in its place when there is nothing to show.

use leptos::prelude::*;
use protocol::table::Direction;

use super::icons::{classed_icon, icon, small_icon};
use super::notices::command;
use super::row::PoolRow;
use crate::format::{counted, duration, unix_ms};
use crate::page::POOL;
use crate::query::COLUMNS;
use crate::state::Ui;
use crate::status::Currency;

/// A list of so few rows ends with a line that says so.
const SHORT: usize = 20;

/// What the main area shows.
#[derive(Clone, Copy, PartialEq)]
enum View {
    Table,
    Loading,
    Unreachable,
    Forbidden,
    Empty,
    NoMatch,
}

fn current_view(ui: Ui) -> View {
    let facts = ui.facts();
    let currency = facts.currency();
    if currency == Currency::NoCluster {
        return View::Unreachable;
    }
    if ui.matching() > 0 {
        return View::Table;
    }
    if ui.total() > 0 {
        return View::NoMatch;
    }
    let complete = if ui.is_fed() {
        ui.live.complete.get()
    } else {
        ui.first
            .with_value(|rows| rows.synced && rows.not_live.is_empty())
    };
    if facts.nothing_allowed() {
        View::Forbidden
    } else if complete {
        View::Empty
    } else {
        View::Loading
    }
}

/// The main area. The table stays in the document whatever is shown, so that no row element is
/// ever made twice.
#[component]
pub fn Main() -> impl IntoView {
    let ui = Ui::expect();
    let view = Memo::new(move |_| current_view(ui));
    let matching = Memo::new(move |_| ui.matching());
    let narrow = move || ui.narrow.get();
    let columns = move || if narrow() { 5 } else { 9 };
    let short = move || matching.get() <= SHORT;
    let headings = COLUMNS.map(|(column, id, label)| {
        let sorted = move || {
            let sort = ui.sort();
            (sort.column == column).then_some(match sort.direction {
                Direction::Ascending => "ascending",
                Direction::Descending => "descending",
            })
        };
        let glyph = move || {
            if sorted() == Some("ascending") {
                "#i-sort-up"
            } else {
                "#i-sort"
            }
        };
        let leaves = matches!(id, "path" | "class" | "addr" | "age");
        let class = match id {
            "addr" => "k-addr",
            "age" => "num",
            _ => "",
        };
        view! {
            <th scope="col" class=class aria-sort=sorted hidden=move || leaves && ui.narrow.get()>
                <button
                    type="submit"
                    form="filter"
                    name="sort"
                    value=move || ui.sort().pressed(column).to_string()
                    data-sort=id
                >
                    {label}
                    <svg class="icon" aria-hidden="true"><use_ href=glyph/></svg>
                </button>
            </th>
        }
    });
    view! {
        <div
            class=move || if short() { "tablewrap short" } else { "tablewrap" }
            id="tablewrap"
            tabindex="0"
            role="region"
            aria-label="Ingresses table, scrollable"
            hidden=move || view.get() != View::Table
        >
            <table class=move || if narrow() { "dt bt dt-narrow" } else { "dt bt" } aria-rowcount=move || matching.get() + 1>
                <caption>{move || format!("Ingresses, by {}", ui.sort().words())}</caption>
                <colgroup>
                    <col class="c-mark"/>
                    <col class="c-name"/>
                    <col class="c-ns"/>
                    <col class="c-hosts"/>
                    <col class="c-back" hidden=narrow/>
                    <col class="c-class" hidden=narrow/>
                    <col class="c-addr" hidden=narrow/>
                    <col class="c-tls"/>
                    <col class="c-age" hidden=narrow/>
                </colgroup>
                <thead>
                    <tr aria-rowindex="1">
                        <td class="mark th"><span class="sr">"Recent change"</span></td>
                        {headings.into_iter().collect_view()}
                    </tr>
                </thead>
                <tbody>
                    <tr class="space" aria-hidden="true" hidden><td id="space-before" colspan=columns></td></tr>
                    {(0..POOL).map(|place| view! { <PoolRow place/> }).collect_view()}
                    <tr class="space" aria-hidden="true" hidden><td id="space-after" colspan=columns></td></tr>
                </tbody>
            </table>
            {move || short().then(|| view! { <Closing/> })}
        </div>
        {move || match view.get() {
            View::Table => None,
            View::Loading => Some(view! { <Loading/> }.into_any()),
            View::Unreachable => Some(view! { <Unreachable/> }.into_any()),
            View::Forbidden => Some(view! { <Forbidden/> }.into_any()),
            View::Empty => Some(view! { <Empty/> }.into_any()),
            View::NoMatch => Some(view! { <NoMatch/> }.into_any()),
        }}
    }
}

/// Where the rows are from, at the end of a sentence.
fn place(ui: Ui) -> String {
    ui.live.scope.with(|scope| match scope.names() {
        None => "the whole cluster".into(),
        Some(names) => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            match names[..] {
                [only] => only.to_owned(),
                [one, other] => format!("{one} and {other}"),
                _ => format!("these {} namespaces", names.len()),
            }
        }
    })
}

/// The line under a short list.
#[component]
fn Closing() -> impl IntoView {
    let ui = Ui::expect();
    let text = move || {
        let (total, matching) = (ui.total(), ui.matching());
        let shown = counted(matching, "ingress", "ingresses");
        if matching == total {
            match total {
                1 => format!("This is the only ingress in {}.", place(ui)),
                _ => format!("These are all {shown} in {}.", place(ui)),
            }
        } else {
            format!("{shown} of {total} in {} match the filter.", place(ui))
        }
    };
    view! {
        <div class="tend">
            <span class="beat" aria-hidden="true"></span>
            <p><b>{text}</b>" A new one appears here by itself."</p>
        </div>
    }
}

/// Until the first rows are known.
#[component]
fn Loading() -> impl IntoView {
    let ui = Ui::expect();
    let widths = ["w2", "w3", "w1", "w4", "w2", "w3", "w2", "w4", "w3", "w1"];
    let rows = (0..14).map(|row| {
        let bars = (0..6).map(|bar| view! { <i class=widths[(row + bar * 3) % widths.len()]></i> });
        view! { <div class="skrow">{bars.collect_view()}</div> }
    });
    view! {
        <div class="prog">
            {classed_icon("icon spin", "#i-load")}
            <span>{move || format!("{} so far. Rows appear as each namespace answers.", counted(ui.total(), "ingress", "ingresses"))}</span>
        </div>
        <div class="sk" aria-hidden="true">{rows.collect_view()}</div>
    }
}

/// The watch works and there is nothing.
#[component]
fn Empty() -> impl IntoView {
    let ui = Ui::expect();
    let example = "kubectl create ingress hello --rule=\"hello.example.com/*=hello:80\"";
    view! {
        <div class="empty">
            <div class="glyph">{icon("#i-route")}</div>
            <h2>{move || format!("No ingresses in {}", place(ui))}</h2>
            <p>"The watch works. A new ingress appears here by itself, no reload needed."</p>
            <div class="go">
                <button class="btn btn-primary" type="button" data-popup="namespaces">
                    {icon("#i-ns")}
                    "Choose namespaces"
                </button>
                {move || ui.live.scope.with(|scope| scope.names().is_some()).then(|| view! {
                    <button class="btn" type="button" data-act="watch-all">"Watch the whole cluster"</button>
                })}
            </div>
            {command(example.into())}
        </div>
    }
}

/// There are rows, and the filter matches none.
#[component]
fn NoMatch() -> impl IntoView {
    let ui = Ui::expect();
    let clear = move || ui.href(|query| query.search.clear());
    view! {
        <div class="empty">
            <div class="glyph">{icon("#i-filter")}</div>
            <h2 class="wrapany">"Nothing matches this filter"</h2>
            <p>
                {move || {
                    let total = ui.total();
                    let verb = if total == 1 { "is" } else { "are" };
                    format!("{} {verb} loaded.", counted(total, "ingress", "ingresses"))
                }}
            </p>
            <div class="go">
                <a class="btn btn-primary" href=clear data-act="clear">"Clear the filter"</a>
            </div>
        </div>
    }
}

/// The server's account may read none of it.
#[component]
fn Forbidden() -> impl IntoView {
    let ui = Ui::expect();
    view! {
        <div class="empty">
            <div class="glyph">{icon("#i-lock")}</div>
            <h2>{move || format!("You may not list ingresses in {}", place(ui))}</h2>
            <p>
                "The dashboard's account lacks "<code>"list"</code>" and "<code>"watch"</code>" on "
                <code>"ingresses.networking.k8s.io"</code>
                ". The rows appear by themselves once it may."
            </p>
            <div class="go">
                <button class="btn btn-primary" type="button" data-popup="namespaces">"Choose other namespaces"</button>
            </div>
        </div>
    }
}

/// The API server has never answered: where the line breaks, and why.
#[component]
fn Unreachable() -> impl IntoView {
    let ui = Ui::expect();
    let (url, version, started, problem) = ui.cluster.with_value(|cluster| {
        (
            cluster.url.clone(),
            cluster.server_version.clone(),
            unix_ms(&cluster.started_at),
            cluster
                .problem
                .as_ref()
                .map(|problem| problem.error.clone()),
        )
    });
    let up = move || {
        started.map_or_else(String::new, |at| {
            format!(", up {}", duration(ui.now.get() - at))
        })
    };
    let cause = move || {
        ui.facts()
            .scope_error()
            .map(|error| error.error.clone())
            .or_else(|| problem.clone())
            .unwrap_or_else(|| "no answer yet".into())
    };
    view! {
        <div class="reach">
            <ol class="chain" aria-label="Where it breaks">
                <li class="node node-ok">
                    <span class="disc">{icon("#i-browser")}</span>
                    <b>"This page"</b>
                    <span class="st st-ok">{icon("#i-okc")}<span class="trunc">"Loaded"</span></span>
                </li>
                <li class="wire" aria-hidden="true"></li>
                <li class="node node-ok">
                    <span class="disc">{icon("#i-server")}</span>
                    <b>"Dashboard server"</b>
                    <span class="st st-ok">{icon("#i-okc")}<span class="trunc">"Running"</span></span>
                    <span class="muted trunc">{format!("version {version}")}{up}</span>
                </li>
                <li class="wire wire-cut" aria-hidden="true">{icon("#i-x")}</li>
                <li class="node node-bad">
                    <span class="disc">{icon("#i-wheel")}</span>
                    <b>"Kubernetes API"</b>
                    <span class="st st-bad">{icon("#i-bado")}<span class="trunc">"No answer"</span></span>
                    <span class="muted trunc" title=url.clone()>{url.clone()}</span>
                </li>
            </ol>
            <h2>"The Kubernetes API does not answer"</h2>
            <p>"The dashboard has had no answer since it started, so there is nothing to show yet. It keeps trying; the rows appear by themselves."</p>
            <div class="go">
                <button class="btn btn-primary" type="button" data-act="retry">{small_icon("#i-refresh")}"Connect again"</button>
            </div>
            <dl class="why-list">
                <div><dt>"Address"</dt><dd><code class="trunc">{url.clone()}</code></dd></div>
                <div><dt>"Last error"</dt><dd><code>{cause}</code></dd></div>
                <div><dt>"Is the API up?"</dt><dd>{command("kubectl get --raw /readyz".into())}</dd></div>
            </dl>
        </div>
    }
}
