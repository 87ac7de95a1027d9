//! The choice of namespaces. Nothing reconnects until it is applied.

use std::collections::BTreeSet;

use leptos::either::Either;
use leptos::prelude::*;
use protocol::message::NamespaceState;
use protocol::scope::is_dns_label;
use protocol::{NamespaceDocument, NamespaceSummary, Scope};

use super::icons::{icon, small_icon};
use crate::format::{count, counted};
use crate::state::Ui;

/// How many namespaces the list shows at once; a search finds the others.
const SHOWN: usize = 200;

/// The popover below the button; [`parts`](crate::parts) has it.
pub(crate) fn picker() -> AnyView {
    view! { <NamespacePicker/> }.into_any()
}

#[component]
fn NamespacePicker() -> impl IntoView {
    let ui = Ui::expect();
    let picked = RwSignal::new(
        ui.live
            .scope
            .with_untracked(|scope| scope.names().cloned().unwrap_or_default()),
    );
    let document = RwSignal::new(None::<Result<NamespaceDocument, String>>);
    let find = RwSignal::new(String::new());
    let typed = RwSignal::new(String::new());
    let typed_wrong = RwSignal::new(false);
    let max = ui.cluster.with_value(|cluster| cluster.max_namespaces);

    #[cfg(feature = "hydrate")]
    {
        let url = format!("{}/api/namespaces", ui.base_path());
        leptos::task::spawn_local(async move {
            let answer = crate::browser::fetch_json(&url).await;
            document.try_set(Some(answer));
        });
    }

    let complete = move || {
        document.with(|document| match document {
            Some(Ok(document)) => document.complete,
            _ => true,
        })
    };
    // What is picked comes first, in the order it had when the list was made: a tick moves no row.
    let first = picked.get_untracked();
    let found = Memo::new(move |_| {
        let needle = find.get().trim().to_lowercase();
        document.with(|document| {
            let Some(Ok(document)) = document else {
                return (Vec::new(), 0);
            };
            let matches =
                |item: &&NamespaceSummary| needle.is_empty() || item.name.contains(&needle);
            let (mut head, tail): (Vec<_>, Vec<_>) = document
                .items
                .iter()
                .filter(matches)
                .partition(|item| first.contains(&item.name));
            let all = head.len() + tail.len();
            head.extend(tail);
            (head.into_iter().take(SHOWN).cloned().collect(), all)
        })
    });
    let toggle = move |name: &str| {
        picked.update(|picked| {
            if !picked.remove(name) {
                picked.insert(name.to_owned());
            }
        });
    };
    // What is searched for is picked with Enter once nothing else is left of the list.
    let pick_only = move || {
        found.with_untracked(|(items, _)| {
            if let [only] = items.as_slice() {
                toggle(&only.name);
            }
        });
    };
    let list = move || {
        found.with(|(items, _)| {
            items
                .iter()
                .cloned()
                .map(|item| namespace_row(item, picked, toggle))
                .collect_view()
        })
    };
    let rest = move || {
        let rest = found.with(|(items, all)| all - items.len());
        (rest > 0).then(|| view! { <p class="muted nsmore">{format!("{} more: type to find them.", count(rest))}</p> })
    };
    let heading = move || {
        document.with(|document| match document {
            None => "Loading the namespaces".to_owned(),
            Some(Err(error)) => error.clone(),
            Some(Ok(document)) if !document.complete => {
                "You may not list namespaces. Type the names you work with.".into()
            }
            Some(Ok(_)) => found.with(|(_, all)| counted(*all, "namespace", "namespaces")),
        })
    };
    let add = move || {
        let name = typed.get_untracked().trim().to_owned();
        if is_dns_label(&name) {
            picked.update(|picked| {
                picked.insert(name);
            });
            typed.set(String::new());
            typed_wrong.set(false);
        } else {
            typed_wrong.set(!name.is_empty());
        }
    };
    let number = Memo::new(move |_| picked.with(BTreeSet::len));
    let apply = move |names: BTreeSet<String>| ui.watch(Scope::of(names));
    let apply_label = move || match number.get() {
        0 => "Watch the whole cluster".into(),
        1 => "Watch 1 namespace".into(),
        many => format!("Watch {many} namespaces"),
    };
    let bottom = move || {
        if number.get() > max {
            Either::Left(view! {
                {icon("#i-warnt")}
                <span class="grow two">
                    <b>{format!("{} picked, one stream carries {max}.", number.get())}</b>
                    <span class="muted-2">"Pick fewer, or watch the whole cluster."</span>
                </span>
                <button class="btn" type="button" on:click=move |_| apply(picked.get_untracked().into_iter().take(max).collect())>
                    {format!("Watch the first {max}")}
                </button>
                <button class="btn btn-primary" type="button" on:click=move |_| apply(BTreeSet::new())>"Watch the whole cluster"</button>
            })
        } else {
            Either::Right(view! {
                <div class="cap">
                    <span><b>{format!("{} of {max}", number.get())}</b>" in one stream. None picked: all."</span>
                </div>
                <button class="btn" type="button" data-act="close-popup">"Cancel"</button>
                <button class="btn btn-primary" type="button" on:click=move |_| apply(picked.get_untracked())>{apply_label}</button>
            })
        }
    };
    let selected = move || {
        picked.with(|picked| {
            picked
                .iter()
                .map(|name| {
                    let name = name.clone();
                    let label = format!("Remove {name}");
                    let remove = name.clone();
                    view! {
                        <li class="selrow">
                            <span class="trunc" title=name.clone()>{name.clone()}</span>
                            <span></span>
                            <button class="rm" type="button" aria-label=label on:click=move |_| toggle(&remove)>{small_icon("#i-x")}</button>
                        </li>
                    }
                })
                .collect_view()
        })
    };
    // Enter in a field of the popover must not send the toolbar's form.
    let keep_enter = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Enter" {
            event.prevent_default();
        }
    };
    view! {
        <section class="pop nspop" role="dialog" aria-label="Choose namespaces" tabindex="-1">
            <div class="left">
                <div class="find">
                    <div class="field" hidden=move || !complete()>
                        {icon("#i-search")}
                        <input
                            type="search"
                            id="find-namespace"
                            aria-label="Find a namespace"
                            placeholder="Find a namespace"
                            autocomplete="off"
                            spellcheck="false"
                            on:input=move |event| find.set(event_target_value(&event))
                            on:keydown=move |event| {
                                keep_enter(event.clone());
                                if event.key() == "Enter" {
                                    pick_only();
                                }
                            }
                        />
                    </div>
                    <div class="ops">
                        <span class="muted" role="status">{heading}</span>
                        <span class="grow"></span>
                        <button
                            class="btn btn-s"
                            type="button"
                            hidden=move || find.with(|find| find.trim().is_empty())
                            on:click=move |_| found.with_untracked(|(items, _)| {
                                picked.update(|picked| picked.extend(items.iter().map(|item| item.name.clone())));
                            })
                        >
                            "Pick these"
                        </button>
                    </div>
                </div>
                <div class="nslist" tabindex="0" role="region" aria-label="Namespaces">
                    <ul>{list}</ul>
                    {rest}
                </div>
                <div class="byname">
                    <label for="namespace-by-name">"Not in the list?"</label>
                    <div class="field">
                        {icon("#i-plus")}
                        <input
                            id="namespace-by-name"
                            type="text"
                            maxlength="63"
                            placeholder="Exact name, for example team-x-prod"
                            autocomplete="off"
                            autocapitalize="off"
                            spellcheck="false"
                            prop:value=move || typed.get()
                            aria-invalid=move || if typed_wrong.get() { "true" } else { "false" }
                            on:input=move |event| typed.set(event_target_value(&event))
                            on:keydown=move |event| {
                                keep_enter(event.clone());
                                if event.key() == "Enter" {
                                    add();
                                }
                            }
                        />
                    </div>
                    <button class="btn btn-s" type="button" on:click=move |_| add()>"Add"</button>
                </div>
            </div>
            <div class="right">
                <div class="rh">
                    "Selected "
                    <span class="tag">{number}</span>
                    <span class="grow"></span>
                    <button class="btn-link" type="button" on:click=move |_| picked.set(BTreeSet::new())>"Clear"</button>
                </div>
                <ul class="sellist" tabindex="0" aria-label="Selected namespaces">{selected}</ul>
            </div>
            <div class="bottom">{bottom}</div>
        </section>
    }
}

fn namespace_row(
    item: NamespaceSummary,
    picked: RwSignal<BTreeSet<String>>,
    toggle: impl Fn(&str) + Copy + 'static,
) -> impl IntoView {
    let state = item.state.map(|state| match state {
        NamespaceState::Live => ("st st-ok", "#i-okc", "Live"),
        NamespaceState::Syncing => ("st st-info", "#i-load", "Syncing"),
        NamespaceState::Retrying => ("st st-warn", "#i-refresh", "Retrying"),
        NamespaceState::Forbidden => ("st st-bad", "#i-lock", "Forbidden"),
    });
    let id = format!("ns-{}", item.name);
    let (checked, changed) = (item.name.clone(), item.name.clone());
    view! {
        <li class="nsrow">
            <input
                class="check"
                type="checkbox"
                id=id.clone()
                prop:checked=move || picked.with(|picked| picked.contains(&checked))
                on:change=move |_| toggle(&changed)
            />
            <label for=id title=item.name.clone()>{item.name.clone()}</label>
            {match state {
                Some((class, glyph, word)) => Either::Left(view! {
                    <span class=class>{icon(glyph)}<span class="trunc">{word}</span></span>
                }),
                None => Either::Right(view! { <span></span> }),
            }}
            <span class="cnt">{item.count.map(count)}</span>
            <span></span>
        </li>
    }
}
