//! The drawer beside the table: one ingress, as far as its row and its YAML go.
//!
//! It is one file: the tabs share the row, the object and its end.

use std::collections::BTreeMap;
use std::sync::Arc;

use leptos::either::Either;
use leptos::prelude::*;
use protocol::filter::{Field, Filter};
use protocol::{Ingress, Key};

use super::icons::{icon, small_icon};
use super::namespaces::no_such;
use super::row::{host, tls};
use super::search::NotInTable;
use crate::actions::Action;
use crate::format::{self, counted, sentence, shown};
use crate::incident;
use crate::live::mono_now_ms;
use crate::parts::{self, Part};
use crate::query::Tab;
#[cfg(target_arch = "wasm32")]
use crate::state::Detail;
use crate::state::Ui;

/// Of the hosts that a deleted ingress leaves without a route so many are named.
const LEFT_BEHIND: usize = 5;
/// While a person walks through the rows, the object of each is not asked for: that of a row which
/// was chosen this soon after another, in milliseconds, is asked for after that time.
const LINGER_MS: u64 = 300;

/// The object as YAML. The server renders no more than that it is on its way.
#[derive(Clone, Debug, Default, PartialEq)]
struct Yaml {
    /// What it said last. It stays when the object is deleted.
    text: Option<String>,
    /// Why there is nothing newer.
    error: Option<String>,
}

/// The drawer, while an ingress is selected. It does not block the table.
#[component]
pub fn Details() -> impl IntoView {
    let ui = Ui::expect();
    let shown = ui.details.selected.with_untracked(Option::is_some);
    let part = Part::new(ui, parts::drawer::load, shown);
    let chosen = Memo::new(move |before: Option<&Option<(Key, u64, bool)>>| {
        let key = ui.details.selected.get()?;
        let at = mono_now_ms();
        let before = before.and_then(Option::as_ref);
        let walks = before.is_some_and(|(_, before, _)| at.saturating_sub(*before) < LINGER_MS);
        Some((key, at, walks))
    });
    move || {
        let (key, _, walks) = chosen.get()?;
        part.show("drawer", parts::drawer::view(key, walks))
    }
}

/// The drawer of an ingress; [`parts`] has it. While a person walks
/// through the rows, another one may be chosen at once.
pub(crate) fn drawer(key: Key, walks: bool) -> AnyView {
    view! { <Drawer key_of=key walks/> }.into_any()
}

#[component]
fn Drawer(key_of: Key, walks: bool) -> impl IntoView {
    let ui = Ui::expect();
    let key = key_of;
    let yaml = RwSignal::new(Yaml::default());
    #[cfg(target_arch = "wasm32")]
    load_yaml(ui, key.clone(), walks, yaml);
    #[cfg(not(target_arch = "wasm32"))]
    let _ = walks;
    let (namespace, name) = (key.namespace.clone(), key.name.clone());
    let gone = Memo::new(move |_| {
        ui.details
            .detail
            .with(|detail| detail.as_ref().and_then(|detail| detail.deleted_at))
    });
    let row = Memo::new(move |_| {
        ui.details
            .detail
            .with(|detail| detail.as_ref().map(|detail| detail.row.clone()))
    });
    let changed = {
        let key = key.clone();
        Memo::new(move |_| {
            ui.live.version.track();
            let seen = ui.live.with_store(|store| store.changes(&key).count());
            // That it is gone is a change as well.
            seen + usize::from(gone.get().is_some())
        })
    };
    let file = format!("{}-{}.yaml", key.namespace, key.name);
    let counts = move |tab: Tab| {
        row.with(|row| {
            let row = row.as_ref()?;
            match tab {
                Tab::Routing => Some(format::route_count(row)),
                Tab::Tls => Some(row.tls_entries.len()),
                Tab::Labels => Some(row.labels.len() + row.annotation_keys.len()),
                Tab::Changes => Some(changed.get()).filter(|changes| *changes > 0),
                Tab::Overview | Tab::Yaml => None,
            }
        })
    };
    let tabs = Tab::ALL.map(|tab| {
        let chosen = move || ui.details.tab.get() == tab;
        view! {
            <button
                type="button"
                role="tab"
                id=format!("t-{}", tab.id())
                data-tab=tab.id()
                aria-controls="details-panel"
                aria-selected=move || if chosen() { "true" } else { "false" }
                tabindex=move || if chosen() { "0" } else { "-1" }
            >
                {tab.label()}
                {move || counts(tab).map(|count| view! { " " <span class="n">{count}</span> })}
            </button>
        }
    });
    let raw =
        (ui.cluster).with_value(|cluster| crate::query::object_path(&cluster.base_path, &key));
    let missing_in = key.namespace.clone();
    let panel = move || match row.get() {
        None => view! { <Missing namespace=missing_in.clone()/> }.into_any(),
        Some(row) => match ui.details.tab.get() {
            Tab::Overview => overview(ui, row, gone.get().is_some()).into_any(),
            Tab::Routing => routing(&row).into_any(),
            Tab::Tls => tls_entries(&row).into_any(),
            Tab::Labels => labels(&row).into_any(),
            Tab::Yaml => {
                yaml_panel(yaml, raw.clone(), file.clone(), gone.get().is_some()).into_any()
            }
            Tab::Changes => changes(ui, row.key(), gone).into_any(),
        },
    };
    let text = move || yaml.with(|yaml| yaml.text.clone());
    let label = format!("Details of {namespace}/{name}");
    view! {
        <section class="drawer" role="dialog" aria-modal="false" aria-labelledby="details-title" id="details" tabindex="-1">
            <div class="dhead">
                <div class="top">
                    <span class="crumb grow">
                        <span class="tag tag-line">"Ingress"</span>
                        <span class="trunc" title=namespace.clone()>{namespace.clone()}</span>
                        {filter_by("ns", namespace.clone())}
                        {small_icon("#i-right")}
                        <span class="trunc">"networking.k8s.io/v1"</span>
                    </span>
                    <button class="btn btn-icon btn-s btn-ghost" type="button" data-act=Action::Previous.id() aria-label="Previous row (k)" title="Previous row (k)">{icon("#i-up")}</button>
                    <button class="btn btn-icon btn-s btn-ghost" type="button" data-act=Action::Next.id() aria-label="Next row (j)" title="Next row (j)">{icon("#i-down")}</button>
                    // Of what is not there the cluster has nothing to say.
                    <span class="row" hidden=move || gone.get().is_some() || row.with(Option::is_none)>
                        <button class="btn btn-icon btn-s btn-ghost" type="button" data-act=Action::Kubectl.id() aria-label="Copy kubectl command" title="Copy kubectl command (c)">{icon("#i-terminal")}</button>
                        <button class="btn btn-icon btn-s btn-ghost" type="button" data-act=Action::Link.id() aria-label="Copy link" title="Copy link">{icon("#i-link")}</button>
                    </span>
                    <button class="btn btn-icon btn-s btn-ghost" type="button" data-act=Action::Close.id() aria-label="Close (Esc)" title="Close (Esc)">{icon("#i-x")}</button>
                </div>
                <h2 id="details-title">
                    <span class=move || if gone.get().is_some() { "anywhere was" } else { "anywhere" } title=name.clone()>{name.clone()}</span>
                </h2>
                <div class="tabs" role="tablist" aria-label=label>{tabs.into_iter().collect_view()}</div>
            </div>
            {move || gone.get().map(|at| view! {
                <div class="gonebar">
                    {icon("#i-bado")}
                    <span class="grow"><b>{format!("Deleted at {}.", crate::state::clock(at))}</b>" This is its last known state."</span>
                    <button class="btn btn-s" type="button" data-act=Action::Copy.id() data-text=text hidden=move || text().is_none()>
                        {small_icon("#i-copy")}
                        "Copy last YAML"
                    </button>
                </div>
            })}
            <NotInTable/>
            <div class="dbody" role="tabpanel" id="details-panel" aria-labelledby=move || format!("t-{}", ui.details.tab.get().id()) tabindex="0">
                {panel}
            </div>
        </section>
    }
}

/// Loads the YAML when the details are open, and again with each version of the object, so that
/// the last one is there when the object is gone. One request at a time: what changes faster is
/// read as it is then.
#[cfg(target_arch = "wasm32")]
fn load_yaml(ui: Ui, key: Key, walks: bool, yaml: RwSignal<Yaml>) {
    let wanted = Memo::new(move |_| {
        ui.details.detail.with(|detail| match detail {
            Some(Detail {
                row,
                deleted_at: None,
            }) => Some(row.version.clone()),
            _ => None,
        })
    });
    let reading = StoredValue::new(false);
    let read = move |key: Key| async move {
        // Nothing is wanted once the object is gone or the drawer is closed.
        while let Some(version) = wanted.try_get_untracked().flatten() {
            let answer = crate::yaml::read(key.clone()).await;
            yaml.try_update(|yaml| match answer {
                Ok(text) => {
                    *yaml = Yaml {
                        text: Some(text),
                        error: None,
                    }
                }
                Err(why) => yaml.error = Some(why),
            });
            if wanted.try_get_untracked().flatten().as_ref() == Some(&version) {
                break;
            }
        }
        reading.try_set_value(false);
    };
    Effect::new(move |_| {
        if wanted.get().is_none() || reading.get_value() {
            return;
        }
        reading.set_value(true);
        let key = key.clone();
        let wait = match ui.details.tab.get_untracked() {
            Tab::Yaml => 0,
            _ if !walks => 0,
            _ => LINGER_MS,
        };
        set_timeout(
            move || leptos::task::spawn_local(read(key)),
            std::time::Duration::from_millis(wait),
        );
    });
}

/// The address names an ingress that is not there.
#[component]
fn Missing(namespace: String) -> impl IntoView {
    let ui = Ui::expect();
    let no_namespace = move || {
        let missing = ui.missing.get();
        let missing = missing.iter().find(|missing| missing.name == namespace)?;
        let words = format!("{}.", no_such(std::slice::from_ref(missing)));
        Some(view! { <h2 class="wrapany">{words}</h2> })
    };
    view! {
        <div class="empty">
            <div class="glyph">{icon("#i-q")}</div>
            {no_namespace}
            <p>"There is no such ingress in the namespaces watched. It appears here when it is created."</p>
        </div>
    }
}

fn overview(ui: Ui, row: Arc<Ingress>, gone: bool) -> impl IntoView {
    let created = row.created_at.clone();
    let age = {
        let created = created.clone();
        move || match format::age(created.as_deref(), ui.clock.now.get()) {
            Some(age) => format!("{age} ago"),
            None => "unknown".into(),
        }
    };
    let date = created
        .as_deref()
        .and_then(|created| created.get(..10))
        .unwrap_or_default()
        .to_owned();
    let addresses = if row.addresses.is_empty() {
        "pending".into()
    } else {
        shown(&row.addresses.join(", "))
    };
    let class = shown(row.ingress_class_name.as_deref().unwrap_or("none"));
    let class_word = row.ingress_class_name.clone();
    let class_word = class_word.unwrap_or_else(|| "none".into());
    let has_curl = incident::curl(&row).is_some();
    view! {
        {gone.then(|| left_behind(ui, &row))}
        <section class="sec">
            <h3>"At a glance"</h3>
            <dl class="facts">
                <div><dt>"Class"</dt><dd>{class}{filter_by("class", class_word)}</dd></div>
                <div><dt>"Address"</dt><dd title=addresses.clone()>{addresses.clone()}</dd></div>
                <div><dt>"Created"</dt><dd title=created>{age}" "<small>{date}</small></dd></div>
                <div><dt>"Hosts"</dt><dd>{format::count(row.host_count())}</dd></div>
                <div><dt>"Paths"</dt><dd>{format::count(format::route_count(&row))}</dd></div>
                <div><dt>"TLS"</dt><dd>{tls(&row)}</dd></div>
            </dl>
        </section>
        {routing(&row)}
        {(!gone).then(|| view! {
            <section class="sec live-only">
                <h3>"For an incident"</h3>
                <div class="row wrap">
                    <button class="btn btn-s" type="button" data-act=Action::Report.id()>{small_icon("#i-copy")}"Copy as Markdown"</button>
                    {has_curl.then(|| view! {
                        <button class="btn btn-s" type="button" data-act=Action::Curl.id()>{small_icon("#i-terminal")}"Copy curl command"</button>
                    })}
                </div>
            </section>
        })}
    }
}

/// The hosts that no ingress has any more, among those that are watched.
fn left_behind(ui: Ui, row: &Ingress) -> impl IntoView + use<> {
    let routed = (ui.live).with_store(|store| store.values(Field::Host, &Filter::default(), ""));
    let is_routed = |host: &String| {
        let wildcard = host.split_once('.').map(|(_, rest)| format!("*.{rest}"));
        (routed.iter()).any(|(known, _)| known == host || Some(known) == wildcard.as_ref())
    };
    let mut hosts: Vec<&String> = row.hosts.iter().filter(|host| !is_routed(host)).collect();
    let more = hosts.len().saturating_sub(LEFT_BEHIND);
    hosts.truncate(LEFT_BEHIND);
    let place = ui.live.scope.with(|scope| match scope.names() {
        None => "has no route any more.",
        Some(_) => "has no route in the namespaces watched any more.",
    });
    let hosts = hosts.into_iter().map(|host| {
        view! { <li>{icon("#i-globe")}<span class="anywhere"><b>{shown(host)}</b>" "{place}</span></li> }
    });
    let hosts = hosts.collect_view();
    (!hosts.is_empty()).then(|| view! {
        <section class="sec">
            <h3>"What this leaves behind"</h3>
            <ul class="left-list">
                {hosts}
                {(more > 0).then(|| view! { <li>{format!("So have {}.", counted(more, "other host", "other hosts"))}</li> })}
            </ul>
        </section>
    })
}

fn routing(row: &Ingress) -> impl IntoView + use<> {
    let words = format!(
        "{}, {}",
        counted(row.host_count(), "host", "hosts"),
        counted(format::route_count(row), "path", "paths")
    );
    let with_tls = row.tls;
    let rules = row.rules.iter().map(|rule| {
        let heading = match &rule.host {
            Some(name) => Either::Left(host(name, with_tls, &[])),
            None => Either::Right(view! { <span class="host-any">"Any host"</span> }),
        };
        let paths = rule.paths.iter().map(|path| {
            let (target, port) = format::backend(&path.backend);
            route_row(path.path.clone().unwrap_or_else(|| "/".into()), path.path_type.clone(), target, port)
        });
        view! {
            <tr class="hostrow"><th scope="rowgroup" colspan="3"><span class="row">{heading}</span></th></tr>
            {paths.collect_view()}
        }
    });
    let default = row.default_backend.as_ref().map(|default| {
        let (target, port) = format::backend(default);
        view! {
            <tr class="hostrow"><th scope="rowgroup" colspan="3"><span class="host-any">"Everything else (default backend)"</span></th></tr>
            {route_row("*".into(), String::new(), target, port)}
        }
    });
    let rest = match &row.default_backend {
        Some(default) => {
            let (target, port) = format::backend(default);
            format!("What no rule matches goes to {}.", shown(&format!("{target}{port}")))
        }
        None => "There is no default backend: what no rule matches gets the controller's own answer, most often 404.".into(),
    };
    view! {
        <section class="sec">
            <h3>"Routing "<span class="n">{words}</span></h3>
            <table class="mt">
                <thead>
                    <tr><th scope="col">"Path"</th><th scope="col">"Match"</th><th scope="col">"Service"</th></tr>
                </thead>
                <tbody>{rules.collect_view()}{default}</tbody>
            </table>
            {row.more.as_ref().map(|more| {
                let words = format!("and {} more: the YAML tab has them.", counted(more.paths, "path", "paths"));
                view! { <p class="muted after">{words}</p> }
            })}
            <p class="muted after">{rest}</p>
        </section>
    }
}

fn route_row(path: String, path_type: String, target: String, port: String) -> impl IntoView {
    view! {
        <tr>
            <td class="anywhere"><span class="path">{shown(&path)}</span></td>
            <td class="muted">{path_type}</td>
            <td class="anywhere">{shown(&target)}<span class="muted">{shown(&port)}</span></td>
        </tr>
    }
}

fn tls_entries(row: &Ingress) -> impl IntoView + use<> {
    if row.tls_entries.is_empty() {
        return Either::Left(
            view! { <p class="muted-2">"spec.tls has no entry: the hosts are served without TLS."</p> },
        );
    }
    let mut uncovered: Vec<_> = row.hosts_without_tls().map(shown).collect();
    if row.more.as_ref().is_some_and(|more| more.others > 0) {
        // An entry may name them among what the row leaves out.
        uncovered.clear();
    }
    let entries = row.tls_entries.iter().map(|entry| {
        let hosts = if entry.hosts.is_empty() {
            "every host".into()
        } else {
            shown(&entry.hosts.join(", "))
        };
        let secret = entry.secret_name.as_deref();
        let secret = shown(secret.unwrap_or("the controller's own certificate"));
        view! {
            <div class="cert">
                <header>{icon("#i-lock")}<b class="anywhere">{secret}</b></header>
                <dl><dt>"Hosts"</dt><dd class="anywhere">{hosts}</dd></dl>
            </div>
        }
    });
    Either::Right(view! {
        <section class="sec">
            <h3>"TLS "<span class="n">{counted(row.tls_entries.len(), "entry", "entries")}</span></h3>
            {entries.collect_view()}
            {(!uncovered.is_empty()).then(|| view! {
                <div class="prob prob-warn">
                    {icon("#i-warnt")}
                    <h4>{format!("No entry covers {}", counted(uncovered.len(), "host", "hosts"))}</h4>
                    <p class="anywhere">{uncovered.join(", ")}</p>
                </div>
            })}
        </section>
    })
}

fn labels(row: &Ingress) -> impl IntoView + use<> {
    view! {
        <section class="sec">
            <h3>"Labels "<span class="n">{row.labels.len()}</span></h3>
            {pairs(&row.labels)}
        </section>
        <section class="sec">
            <h3>"Annotations "<span class="n">{row.annotation_keys.len()}</span></h3>
            {if row.annotation_keys.is_empty() {
                Either::Left(view! { <p class="muted">"None."</p> })
            } else {
                let keys = row.annotation_keys.iter();
                let keys = keys.map(|key| view! { <li><span>{shown(key)}</span>{filter_by("annotation", key.clone())}</li> });
                Either::Right(view! {
                    <ul class="kvs">{keys.collect_view()}</ul>
                    <p class="muted after">"Their values are in the YAML."</p>
                })
            }}
        </section>
    }
}

fn pairs(labels: &BTreeMap<String, String>) -> impl IntoView + use<> {
    if labels.is_empty() {
        return Either::Left(view! { <p class="muted">"None."</p> });
    }
    let pairs = labels.iter().map(|(key, value)| {
        view! {
            <div>
                <dt>{shown(key)}</dt>
                <dd><span>{shown(value)}</span>{filter_by("label", format!("{key}={value}"))}</dd>
            </div>
        }
    });
    Either::Right(view! { <dl class="kvs">{pairs.collect_view()}</dl> })
}

/// A button that leaves the rows with this value of a field, or with Alt all others.
fn filter_by(field: &'static str, value: String) -> impl IntoView {
    let label = format!("Only {field} {}", shown(&value));
    view! {
        <button class="fby" type="button" data-act=Action::FilterBy.id() data-field=field data-value=value aria-label=label title="Only these. With Alt: all but these.">
            {small_icon("#i-filter")}
        </button>
    }
}

/// The changes that were seen since the page was opened, newest first.
fn changes(ui: Ui, key: Key, gone: Memo<Option<i64>>) -> impl IntoView {
    let none = {
        let key = key.clone();
        move || {
            ui.live.version.track();
            let none = ui
                .live
                .with_store(|store| store.changes(&key).next().is_none());
            none && gone.get().is_none()
        }
    };
    let end = move || {
        gone.get().map(|at| {
            view! {
                <li class="cert">
                    <header><b>{crate::state::clock(at)}</b></header>
                    <div class="diffs"><span class="diff"><del>"The ingress is deleted"</del></span></div>
                </li>
            }
        })
    };
    let list = move || {
        ui.live.version.track();
        let mono = ui.clock.mono.get_untracked() as i64;
        let now = ui.clock.now.get_untracked();
        ui.live.with_store(|store| {
            store
                .changes(&key)
                .map(|seen| {
                    let time = match seen.at_ms {
                        Some(at) => crate::state::clock(now - (mono - at as i64)),
                        None => "While the page was not connected".into(),
                    };
                    let (old, new) = format::difference(&seen.before, &seen.after);
                    let nothing = old.is_empty() && new.is_empty();
                    let old = old.into_iter().map(|fact| view! { <del>{shown(&fact)}</del> });
                    let new = new.into_iter().map(|fact| view! { <ins>{shown(&fact)}</ins> });
                    view! {
                        <li class="cert">
                            <header><b>{time}</b></header>
                            <div class="diffs">
                                <span class="diff">{old.collect_view()}{new.collect_view()}</span>
                                {nothing.then(|| view! {
                                    <p class="muted">"Something that the row does not show, such as the value of an annotation."</p>
                                })}
                            </div>
                        </li>
                    }
                })
                .collect_view()
        })
    };
    view! {
        <section class="sec">
            <h3>"Changes seen since this page was opened"</h3>
            <ul>{end}{list}</ul>
            {move || none().then(|| view! { <p class="muted">"None. A change appears here by itself."</p> })}
        </section>
    }
}

fn yaml_panel(yaml: RwSignal<Yaml>, raw: String, file: String, gone: bool) -> impl IntoView {
    let text = move || yaml.with(|yaml| yaml.text.clone());
    let none = move || yaml.with(|yaml| yaml.text.is_none());
    let error = move || {
        // It fails because the ingress is deleted, and that is said above.
        let error = yaml.with(|yaml| yaml.error.clone()).filter(|_| !gone);
        error.map(|message| view! {
            <div class="prob prob-bad">{icon("#i-bado")}<h4>"The object could not be read"</h4><p class="anywhere">{sentence(&message)}</p></div>
        })
    };
    let waiting = move || {
        let words = match gone {
            true => "It was deleted before its YAML had been read.",
            false => "Loading the object.",
        };
        let waits = yaml.with(|yaml| yaml.text.is_none() && (gone || yaml.error.is_none()));
        waits.then(|| view! { <p class="muted" role="status">{words}</p> })
    };
    let lines = move || {
        let text = text()?;
        let lines = text.lines().map(|line| {
            let parts = format::yaml_parts(line)
                .into_iter()
                .map(|(class, part)| view! { <span class=class>{shown(part)}</span> });
            view! { <span class="l">{parts.collect_view()}</span> }
        });
        let lines = lines.collect_view();
        Some(view! { <pre class="code" tabindex="0" aria-label="YAML">{lines}</pre> })
    };
    let version = move || {
        yaml.with(|yaml| {
            let version = format::resource_version(yaml.text.as_deref()?)?;
            Some(format!("resourceVersion {}, ", shown(version)))
        })
    };
    let document = move || {
        text().map(|text| {
            format!(
                "data:application/yaml;charset=utf-8,{}",
                crate::query::encoded(&text)
            )
        })
    };
    view! {
        <section class="sec">
            <div class="codebar">
                <span class="muted grow">{version}"without managedFields"</span>
                {(!gone).then(|| view! {
                    <a class="btn-link" href=raw target="_blank" rel="noopener noreferrer">"Open as a document"</a>
                })}
                <a class="btn btn-s" href=document download=file hidden=none>
                    {small_icon("#i-download")}
                    "Download"
                </a>
                <button class="btn btn-s" type="button" data-act=Action::Copy.id() data-text=text disabled=none>
                    {small_icon("#i-copy")}
                    "Copy"
                </button>
            </div>
            {error}
            {waiting}
            {lines}
        </section>
    }
}
