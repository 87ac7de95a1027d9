//! The drawer beside the table: one ingress, as far as its row and its YAML go.

use std::collections::BTreeMap;
use std::sync::Arc;

use leptos::either::Either;
use leptos::prelude::*;
use protocol::{Ingress, Key};

use super::icons::{icon, small_icon};
use super::row::{host, tls};
use crate::format::{self, counted};
use crate::query::Tab;
#[cfg(feature = "hydrate")]
use crate::state::Detail;
use crate::state::Ui;

/// The YAML of one version of an object. The server renders no more than that it is on its way.
#[cfg_attr(
    not(feature = "hydrate"),
    expect(dead_code, reason = "the browser loads it")
)]
#[derive(Clone, Debug, PartialEq)]
enum Yaml {
    Loading,
    Text(String),
    Failed(String),
}

/// The drawer, while an ingress is selected. It does not block the table.
#[component]
pub fn Details() -> impl IntoView {
    let ui = Ui::expect();
    move || ui.selected.get().map(|key| view! { <Drawer key_of=key/> })
}

#[component]
fn Drawer(key_of: Key) -> impl IntoView {
    let ui = Ui::expect();
    let key = key_of;
    let yaml = RwSignal::new(Yaml::Loading);
    #[cfg(feature = "hydrate")]
    if cfg!(target_arch = "wasm32") {
        load_yaml(ui, key.clone(), yaml);
    }
    let (namespace, name) = (key.namespace.clone(), key.name.clone());
    let gone = Memo::new(move |_| {
        ui.detail
            .with(|detail| detail.as_ref().and_then(|detail| detail.deleted_at))
    });
    let row = Memo::new(move |_| {
        ui.detail
            .with(|detail| detail.as_ref().map(|detail| detail.row.clone()))
    });
    let changed = {
        let key = key.clone();
        Memo::new(move |_| {
            ui.live.version.track();
            ui.live.with_table(|table| table.changes(&key).count())
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
        let chosen = move || ui.tab.get() == tab;
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
    let panel = move || match row.get() {
        None => view! { <Missing/> }.into_any(),
        Some(row) => match ui.tab.get() {
            Tab::Overview => overview(ui, row).into_any(),
            Tab::Routing => routing(&row).into_any(),
            Tab::Tls => tls_entries(&row).into_any(),
            Tab::Labels => labels(&row).into_any(),
            Tab::Yaml => yaml_panel(yaml, raw.clone(), file.clone()).into_any(),
            Tab::Changes => changes(ui, row.key()).into_any(),
        },
    };
    let label = format!("Details of {namespace}/{name}");
    view! {
        <section class="drawer" role="dialog" aria-modal="false" aria-labelledby="details-title" id="details" tabindex="-1">
            <div class="dhead">
                <div class="top">
                    <span class="crumb grow">
                        <span class="tag tag-line">"Ingress"</span>
                        <span class="trunc" title=namespace.clone()>{namespace.clone()}</span>
                        {small_icon("#i-right")}
                        <span class="trunc">"networking.k8s.io/v1"</span>
                    </span>
                    <button class="btn btn-icon btn-s btn-ghost" type="button" data-act="previous" aria-label="Previous row (k)">{icon("#i-up")}</button>
                    <button class="btn btn-icon btn-s btn-ghost" type="button" data-act="next" aria-label="Next row (j)">{icon("#i-down")}</button>
                    <button class="btn btn-icon btn-s btn-ghost" type="button" data-act="kubectl" aria-label="Copy kubectl command">{icon("#i-terminal")}</button>
                    <button class="btn btn-icon btn-s btn-ghost" type="button" data-act="link" aria-label="Copy link">{icon("#i-link")}</button>
                    <button class="btn btn-icon btn-s btn-ghost" type="button" data-act="close" aria-label="Close (Esc)">{icon("#i-x")}</button>
                </div>
                <h2 id="details-title">
                    <span class=move || if gone.get().is_some() { "trunc was" } else { "trunc" } title=name.clone()>{name.clone()}</span>
                </h2>
                <div class="tabs" role="tablist" aria-label=label>{tabs.into_iter().collect_view()}</div>
            </div>
            {move || gone.get().map(|at| view! {
                <div class="gonebar">
                    {icon("#i-bado")}
                    <span><b>{format!("Deleted at {}.", crate::state::clock(at))}</b>" This is its last known state."</span>
                </div>
            })}
            <div class="dbody" role="tabpanel" id="details-panel" aria-labelledby=move || format!("t-{}", ui.tab.get().id()) tabindex="0">
                {panel}
            </div>
        </section>
    }
}

/// Loads the YAML while its tab is open, again with each version of the object, and not of one
/// that is gone: its last text stays.
#[cfg(feature = "hydrate")]
fn load_yaml(ui: Ui, key: Key, yaml: RwSignal<Yaml>) {
    let wanted = Memo::new(move |_| {
        let open = ui.tab.get() == Tab::Yaml;
        ui.detail.with(|detail| match detail {
            Some(Detail {
                row,
                deleted_at: None,
            }) if open => Some(row.version.clone()),
            _ => None,
        })
    });
    Effect::new(move |_| {
        let Some(version) = wanted.get() else { return };
        let Key { namespace, name } = key.clone();
        leptos::task::spawn_local(async move {
            let answer = crate::yaml::ingress_yaml(namespace, name).await;
            // A newer version may have been asked for meanwhile, or the drawer closed.
            if wanted.try_get_untracked().flatten().as_ref() == Some(&version) {
                yaml.set(match answer {
                    Ok(text) => Yaml::Text(text),
                    Err(ServerFnError::ServerError(message)) => Yaml::Failed(message),
                    Err(_) => Yaml::Failed("The server could not be reached.".into()),
                });
            }
        });
    });
}

/// The address names an ingress that is not there.
#[component]
fn Missing() -> impl IntoView {
    view! {
        <div class="empty">
            <div class="glyph">{icon("#i-q")}</div>
            <p>"There is no such ingress in the namespaces watched. It appears here when it is created."</p>
        </div>
    }
}

fn overview(ui: Ui, row: Arc<Ingress>) -> impl IntoView {
    let created = row.created_at.clone();
    let age = {
        let created = created.clone();
        move || match format::age(created.as_deref(), ui.now.get()) {
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
        row.addresses.join(", ")
    };
    let class = row
        .ingress_class_name
        .clone()
        .unwrap_or_else(|| "none".into());
    view! {
        <section class="sec">
            <h3>"At a glance"</h3>
            <dl class="facts">
                <div><dt>"Class"</dt><dd title=class.clone()>{class.clone()}</dd></div>
                <div><dt>"Address"</dt><dd title=addresses.clone()>{addresses.clone()}</dd></div>
                <div><dt>"Created"</dt><dd title=created>{age}" "<small>{date}</small></dd></div>
                <div><dt>"Hosts"</dt><dd>{format::count(row.host_count())}</dd></div>
                <div><dt>"Paths"</dt><dd>{format::count(format::route_count(&row))}</dd></div>
                <div><dt>"TLS"</dt><dd>{tls(&row)}</dd></div>
            </dl>
        </section>
        {routing(&row)}
    }
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
                view! { <p class="muted">{words}</p> }
            })}
        </section>
    }
}

fn route_row(path: String, path_type: String, target: String, port: String) -> impl IntoView {
    view! {
        <tr>
            <td class="trunc"><span class="path" title=path.clone()>{path.clone()}</span></td>
            <td class="muted">{path_type}</td>
            <td class="trunc" title=format!("{target}{port}")>{target.clone()}<span class="muted">{port.clone()}</span></td>
        </tr>
    }
}

fn tls_entries(row: &Ingress) -> impl IntoView + use<> {
    if row.tls_entries.is_empty() {
        return Either::Left(
            view! { <p class="muted-2">"spec.tls has no entry: the hosts are served without TLS."</p> },
        );
    }
    let uncovered = row.hosts.len() - row.hosts_with_tls();
    let entries = row.tls_entries.iter().map(|entry| {
        let hosts = if entry.hosts.is_empty() {
            "every host".into()
        } else {
            entry.hosts.join(", ")
        };
        let secret = entry
            .secret_name
            .clone()
            .unwrap_or_else(|| "the controller's own certificate".into());
        view! {
            <div class="cert">
                <header>{icon("#i-lock")}<b class="trunc">{secret}</b></header>
                <dl><dt>"Hosts"</dt><dd class="anywhere">{hosts}</dd></dl>
            </div>
        }
    });
    Either::Right(view! {
        <section class="sec">
            <h3>"TLS "<span class="n">{counted(row.tls_entries.len(), "entry", "entries")}</span></h3>
            {entries.collect_view()}
            {(uncovered > 0).then(|| view! {
                <p class="muted-2">{format!("{} not named by any entry.", counted(uncovered, "host is", "hosts are"))}</p>
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
                Either::Right(view! {
                    <ul class="kvs">
                        {row.annotation_keys.iter().map(|key| view! { <li class="anywhere">{key.clone()}</li> }).collect_view()}
                    </ul>
                    <p class="muted">"Their values are in the YAML."</p>
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
                <dt title=key.clone()>{key.clone()}</dt>
                <dd><span>{value.clone()}</span></dd>
            </div>
        }
    });
    Either::Right(view! { <dl class="kvs">{pairs.collect_view()}</dl> })
}

/// The changes that were seen since the page was opened, newest first.
fn changes(ui: Ui, key: Key) -> impl IntoView {
    let none = {
        let key = key.clone();
        move || {
            ui.live.version.track();
            ui.live
                .with_table(|table| table.changes(&key).next().is_none())
        }
    };
    let list = move || {
        ui.live.version.track();
        let mono = ui.mono.get_untracked() as i64;
        let now = ui.now.get_untracked();
        ui.live.with_table(|table| {
            table
                .changes(&key)
                .map(|seen| {
                    let time = match seen.at_ms {
                        Some(at) => crate::state::clock(now - (mono - at as i64)),
                        None => "While the page was not connected".into(),
                    };
                    let (old, new) = format::difference(&seen.before, &seen.after);
                    let nothing = old.is_empty() && new.is_empty();
                    let old = old.into_iter().map(|fact| view! { <del>{fact}</del> });
                    let new = new.into_iter().map(|fact| view! { <ins>{fact}</ins> });
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
            <ul>{list}</ul>
            {move || none().then(|| view! { <p class="muted">"None. A change appears here by itself."</p> })}
        </section>
    }
}

fn yaml_panel(yaml: RwSignal<Yaml>, raw: String, file: String) -> impl IntoView {
    let body = move || {
        match yaml.get() {
        Yaml::Loading => view! { <p class="muted" role="status">"Loading the object."</p> }.into_any(),
        Yaml::Failed(message) => view! {
            <div class="prob prob-bad">{icon("#i-bado")}<h4>"The object could not be read"</h4><p class="anywhere">{message}</p></div>
        }
        .into_any(),
        Yaml::Text(text) => {
            let lines = text
                .lines()
                .map(|line| {
                    let parts = format::yaml_parts(line).into_iter().map(|(class, part)| {
                        view! { <span class=class>{format::without_bidi(part).into_owned()}</span> }
                    });
                    view! { <span class="l">{parts.collect_view()}</span> }
                })
                .collect_view();
            view! { <pre class="code" tabindex="0" aria-label="YAML">{lines}</pre> }.into_any()
        }
    }
    };
    let text = move || match yaml.get() {
        Yaml::Text(text) => Some(text),
        _ => None,
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
                <span class="muted">"Without managedFields"</span>
                <span class="grow"></span>
                <a class="btn-link" href=raw target="_blank" rel="noopener noreferrer">"Open as a document"</a>
                <a class="btn btn-s" href=document download=file hidden=move || text().is_none()>
                    {small_icon("#i-download")}
                    "Download"
                </a>
                <button class="btn btn-s" type="button" data-act="copy" data-text=text disabled=move || text().is_none()>
                    {small_icon("#i-copy")}
                    "Copy"
                </button>
            </div>
            {body}
        </section>
    }
}
