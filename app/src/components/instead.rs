//! What stands in the place of a table that has nothing to show, and what to do about it. The page's
//! first view needs none of it: [`parts`](crate::parts) has it.

use leptos::prelude::*;
use protocol::Scope;
use protocol::connection::State;
use protocol::filter::{Field, Term, mistakes};
use protocol::scope::is_dns_label;

use super::icons::{icon, small_icon};
use super::namespaces::{Missing, did_you_mean, missing_of_scope, no_such};
use super::notices::{command, copy_details};
use crate::actions::{Action, Opens};
use crate::format::{counted, duration, shell_word, unix_ms};
use crate::state::Ui;
use crate::status::{Coverage, Trouble, account, grant, is_grantable, refusal};
use crate::suggest::{about, alone, explained, instead, vain};

/// For so many namespaces the commands that are missing are shown.
const GRANTS: usize = 3;

/// Why there is no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instead {
    /// The API server has never answered.
    Unreachable,
    /// The server's account may read none of it.
    Forbidden,
    /// There is nothing, as far as that is known.
    Empty,
    /// There are rows, and the filter matches none.
    NoMatch,
}

/// The view of it.
pub(crate) fn instead_of_table(instead: Instead) -> AnyView {
    match instead {
        Instead::Unreachable => view! { <Unreachable/> }.into_any(),
        Instead::Forbidden => view! { <Forbidden/> }.into_any(),
        Instead::Empty => view! { <Empty/> }.into_any(),
        Instead::NoMatch => view! { <NoMatch/> }.into_any(),
    }
}

/// Where the rows are from, at the end of a sentence.
pub(super) fn place(ui: Ui) -> String {
    ui.live.scope.with(|scope| match scope.names() {
        None => "the whole cluster".into(),
        Some(names) => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            match names[..] {
                [] => "no namespace".into(),
                [only] => only.to_owned(),
                [one, other] => format!("{one} and {other}"),
                _ => format!("these {} namespaces", names.len()),
            }
        }
    })
}

/// There is nothing, as far as that is known.
#[component]
fn Empty() -> impl IntoView {
    let ui = Ui::expect();
    let coverage = Memo::new(move |_| ui.facts().coverage());
    let missing = Memo::new(move |_| {
        let missing = missing_of_scope(ui);
        (!missing.is_empty() && missing.len() == ui.namespaces()).then_some(missing)
    });
    let nothing = Memo::new(move |_| ui.live.scope.with(Scope::is_nothing));
    let title = move || {
        if nothing.get() {
            return "No namespace is watched".into();
        }
        if let Some(missing) = missing.get() {
            return no_such(&missing);
        }
        let place = place(ui);
        coverage.with(|coverage| match coverage {
            Coverage::All | Coverage::Loaded => format!("No ingresses in {place}"),
            Coverage::Partly(live) => format!("No ingresses in {live}"),
            Coverage::AsOf(None) => format!("No ingresses were in {place}"),
            Coverage::AsOf(Some(time)) => format!("No ingresses in {place} as of {time}"),
        })
    };
    let then = move || {
        coverage.with(|coverage| match coverage {
            Coverage::All => {
                "The watch works. A new ingress appears here by itself, no reload needed."
            }
            Coverage::Partly(_) => "What the others have is not known.",
            Coverage::AsOf(_) => "What has changed since is not known yet.",
            Coverage::Loaded => "That was so when this page was loaded.",
        })
    };
    let then = move || match missing.with(|missing| missing.as_ref().map_or(0, Vec::len)) {
        _ if nothing.get() => "None of the names in the address can be a namespace's.",
        0 => then(),
        1 => "Nothing can be in it.",
        _ => "Nothing can be in them.",
    };
    // Names of namespaces are in lower case; what was typed in another one likely means that.
    let lowered = move || {
        let lowered = |name: &String| Missing {
            name: name.clone(),
            near: Some(name.to_lowercase())
                .filter(|name| is_dns_label(name))
                .into_iter()
                .collect(),
        };
        let asked = nothing.get().then(|| ui.asked.get())?;
        Some(did_you_mean(
            ui,
            &asked.iter().map(lowered).collect::<Vec<_>>(),
        ))
    };
    let instead = move || missing.with(|missing| Some(did_you_mean(ui, missing.as_ref()?)));
    let example = move || {
        if nothing.get() || missing.with(Option::is_some) {
            return None;
        }
        let states = ui.live.states.get();
        let is_live = |name: &&String| {
            let mut names = states.iter().filter_map(|status| status.namespace.as_ref());
            !names.any(|other| other == *name)
        };
        let live = |scope: &Scope| scope.names()?.iter().find(is_live).cloned();
        let namespace = ui.live.scope.with(live);
        let namespace =
            namespace.map_or_else(String::new, |name| format!("-n {} ", shell_word(&name)));
        Some(command(format!(
            "kubectl {namespace}create ingress hello --rule=\"hello.example.com/*=hello:80\""
        )))
    };
    view! {
        <div class="empty">
            <div class="glyph">{icon("#i-route")}</div>
            <h2>{title}</h2>
            <p>{then}</p>
            {instead}
            {lowered}
            <div class="go">
                <button class="btn btn-primary" type="button" data-popup=Opens::Namespaces.id()>
                    {icon("#i-ns")}
                    "Choose namespaces"
                </button>
                {move || ui.live.scope.with(|scope| scope.names().is_some()).then(|| view! {
                    <button class="btn" type="button" data-act=Action::WatchAll.id()>"Watch the whole cluster"</button>
                })}
            </div>
            {example}
        </div>
    }
}

/// There are rows, and the filter matches none: what each word costs, and which is odd.
#[component]
fn NoMatch() -> impl IntoView {
    let ui = Ui::expect();
    let clear = move || ui.href(|query| query.search.clear());
    let title = move || match ui.table.filter.with(|filter| filter.terms().len()) {
        0 | 1 => "Nothing matches this filter".to_owned(),
        many => format!("Nothing matches these {many} filters"),
    };
    // Before the first rows have come nothing can be counted.
    let fed = Memo::new(move |_| ui.is_fed());
    let words = move || {
        ui.live.version.track();
        ui.table.filter.with(|filter| {
            let terms = filter.terms();
            if terms.len() < 2 || !fed.get() {
                return Vec::new();
            }
            let count = |(index, term): (usize, &Term)| {
                let rows = ui
                    .live
                    .with_store(|store| store.count(&filter.without(index)));
                let label = format!("Remove {term}, {}", matches(rows));
                (rows, Action::Without, index.to_string(), label)
            };
            let words = terms.iter().enumerate().map(count);
            words.filter(|(rows, ..)| *rows > 0).collect()
        })
    };
    // Where no word can be removed each by itself may find something.
    let alone = move || {
        ui.live.version.track();
        ui.table.filter.with(|filter| {
            if filter.terms().len() < 3 || !fed.get() {
                return Vec::new();
            }
            let found = ui.live.with_store(|store| alone(store, filter));
            let buttons = found.into_iter().map(|(search, rows)| {
                let label = format!("Search {search} alone, {}", matches(rows));
                (rows, Action::Search, search.to_string(), label)
            });
            buttons.collect::<Vec<_>>()
        })
    };
    // Values near one that there is not are looked for once: all rows are asked.
    let near = Memo::new(move |_| {
        ui.table.filter.with(|filter| match fed.get() {
            false => Vec::new(),
            true => ui.live.with_store(|store| instead(store, filter)),
        })
    });
    let hints = move || {
        let odd = ui.table.text.with(|text| mistakes(text));
        let odd = odd.iter().map(explained).collect::<Vec<_>>();
        let vain = ui.table.filter.with(|filter| {
            let words = match fed.get() {
                false => Vec::new(),
                true => ui.live.with_store(|store| vain(store, filter)),
            };
            let words = words.into_iter().filter(|(_, field)| *field != Field::Is);
            let words = words.map(|(index, field)| {
                let term = &filter.terms()[index];
                let missing = ui.missing.get();
                let named = |missing: &&Missing| {
                    field == Field::Namespace && term.values.contains(&missing.name)
                };
                let missing: Vec<_> = missing.iter().filter(named).cloned().collect();
                let what = match missing.is_empty() {
                    true => format!("{term} matches nothing."),
                    false => format!("{}.", no_such(&missing)),
                };
                (what, format!("{}: takes {}.", field.key(), about(field).1))
            });
            words.collect::<Vec<_>>()
        });
        let hints = odd.into_iter().chain(vain);
        hints
            .map(|(what, then)| view! { <p class="anywhere"><b>{what}</b>" "{then}</p> })
            .collect_view()
    };
    // What leaves the most rows is what is likely meant.
    let ways = move || {
        let near = near.get().into_iter().map(|(term, search, rows)| {
            let label = format!("Search {term} instead, {}", matches(rows));
            (rows, Action::Search, search.to_string(), label)
        });
        let mut without = words();
        if without.is_empty() {
            without = alone();
        }
        without.sort_by_key(|(rows, ..)| std::cmp::Reverse(*rows));
        near.chain(without).collect::<Vec<_>>()
    };
    let go = move || {
        let ways = ways();
        let clear_class = if ways.is_empty() {
            "btn btn-primary"
        } else {
            "btn"
        };
        let buttons = ways.into_iter().enumerate().map(|(place, (_, act, value, label))| {
            let class = if place == 0 { "btn btn-primary" } else { "btn" };
            view! { <button class=class type="button" data-act=act.id() data-value=value>{label}</button> }
        });
        view! {
            {buttons.collect_view()}
            <a class=clear_class href=clear data-act=Action::Clear.id()>"Clear the filter"</a>
        }
    };
    view! {
        <div class="empty">
            <div class="glyph">{icon("#i-filter")}</div>
            <h2 class="wrapany">{title}</h2>
            <p>
                {move || {
                    let total = ui.total();
                    let verb = if total == 1 { "is" } else { "are" };
                    format!("{} {verb} loaded.", counted(total, "ingress", "ingresses"))
                }}
            </p>
            {hints}
            <div class="go">{go}</div>
        </div>
    }
}

/// How many rows match, as a button says it.
fn matches(rows: usize) -> String {
    counted(rows, "matches", "match")
}

/// The server's account may read none of it.
#[component]
fn Forbidden() -> impl IntoView {
    let ui = Ui::expect();
    // One account for all; what is said of the first holds for the others. Where single namespaces
    // are watched a permission for each is enough.
    let names = move || {
        let states = ui.live.states.get();
        if states.iter().all(|status| status.namespace.is_some()) {
            let names = states.into_iter().map(|status| status.namespace);
            return names.take(GRANTS).collect::<Vec<_>>();
        }
        ui.live.scope.with(|scope| match scope.names() {
            None => vec![None],
            Some(names) => names.iter().cloned().map(Some).take(GRANTS).collect(),
        })
    };
    let forbidden = move || match names().as_slice() {
        [Some(only)] => only.clone(),
        [Some(_), ..] if ui.live.scope.with(|scope| scope.names().is_none()) => {
            "the namespaces that this dashboard shows".into()
        }
        _ => place(ui),
    };
    let error = move |name: &Option<String>| {
        let errors = ui.live.errors.get();
        let own = errors.iter().find(|error| error.namespace == *name);
        own.or_else(|| errors.iter().find(|error| error.namespace.is_none()))
            .cloned()
    };
    let reason = move || {
        let name = names().into_iter().next().flatten();
        refusal(error(&name).as_ref(), Some(&forbidden()))
    };
    let grants = move || {
        names()
            .into_iter()
            .filter_map(|name| {
                let error = error(&name);
                is_grantable(error.as_ref())
                    .then(|| command(grant(name.as_deref(), account(error.as_ref()))))
            })
            .collect_view()
    };
    view! {
        <div class="empty">
            <div class="glyph">{icon("#i-lock")}</div>
            <h2>{move || format!("The dashboard's account may not list ingresses in {}", forbidden())}</h2>
            <p>
                <span class="live-only">"The rows appear by themselves once it is allowed. "</span>
                {reason}
            </p>
            {grants}
            <div class="go">
                <button class="btn btn-primary" type="button" data-popup=Opens::Namespaces.id()>"Choose other namespaces"</button>
                <button class="btn" type="button" data-act=Action::TryNow.id()>{small_icon("#i-refresh")}"Check again"</button>
            </div>
        </div>
    }
}

/// The API server has never answered: where the line breaks, and why.
#[component]
fn Unreachable() -> impl IntoView {
    let ui = Ui::expect();
    let (url, version, started) = ui.cluster.with_value(|cluster| {
        (
            cluster.url.clone(),
            cluster.server_version.clone(),
            unix_ms(&cluster.started_at),
        )
    });
    let up = move || {
        started.map_or_else(String::new, |at| {
            format!(", up {}", duration(ui.clock.now.get() - at))
        })
    };
    let cause = move || {
        ui.facts()
            .scope_error()
            .map_or_else(|| "no answer yet".into(), |error| error.error.clone())
    };
    let trouble = Memo::new(move |_| ui.facts().trouble());
    let details = Memo::new(move |_| ui.facts().details());
    // Without a stream the page has to connect before anything else.
    let connected =
        Memo::new(move |_| matches!(ui.facts().connection.state, State::Syncing | State::Live));
    let next_try = Memo::new(move |_| match connected.get() {
        true => ui.facts().next_try(None),
        false => String::new(),
    });
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
                    <span class="st st-bad">{icon("#i-bado")}<span class="trunc">{move || match trouble.get() {
                        Trouble::Silent => "No answer",
                        Trouble::Refuses => "Refuses",
                        Trouble::Unusable => "Of no use",
                    }}</span></span>
                    <span class="muted trunc" title=url.clone()>{url.clone()}</span>
                </li>
            </ol>
            <h2>{move || format!("The Kubernetes API {}", trouble.get().words())}</h2>
            <p>
                {move || match trouble.get() {
                    Trouble::Silent => "The dashboard has had no answer since it started, so there is nothing to show yet.",
                    Trouble::Refuses => "The dashboard has been refused since it started, so there is nothing to show yet.",
                    Trouble::Unusable => "Something answers there, but not as a Kubernetes API does, or it cannot prove that it is the right one. There is nothing to show yet.",
                }}
                <span class="live-only">" The rows appear by themselves once that changes."</span>
            </p>
            <div class="go live-only">
                <button class="btn btn-primary" type="button" data-act=move || if connected.get() { Action::TryNow.id() } else { Action::Retry.id() }>
                    {small_icon("#i-refresh")}
                    "Try now"
                </button>
                {move || details.get().map(|text| copy_details(text, "btn"))}
                <span class="muted">{next_try}</span>
            </div>
            <dl class="why-list">
                <div><dt>"Address"</dt><dd><code class="trunc">{url.clone()}</code></dd></div>
                <div><dt>"Last error"</dt><dd><code>{cause}</code></dd></div>
                <div><dt>"Is the API up?"</dt><dd>{command("kubectl get --raw /readyz".into())}</dd></div>
            </dl>
        </div>
    }
}
