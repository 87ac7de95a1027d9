//! The choice of namespaces. Nothing reconnects until it is applied.
//!
//! It is one file: the list, the choice, the sets and the line below share one set of signals.

use std::collections::BTreeSet;

use leptos::either::Either;
use leptos::prelude::*;
use protocol::filter::{Field, like};
use protocol::json::{FromJson, Reader};
use protocol::message::NamespaceState;
use protocol::scope::is_dns_label;
use protocol::{NamespaceDocument, NamespaceSummary, Scope};

use super::icons::{icon, small_icon};
use crate::actions::Action;
use crate::format::{count, counted};
use crate::state::Ui;

/// The height of a line of the list, in pixels. The style sheet has the same.
const LINE: usize = 30;
/// How many lines are in the document: more than the list shows at once.
const LINES: usize = 64;
/// The lines in the document change in steps of so many.
const STEP: usize = 16;
/// How many of the selected are listed.
const LISTED: usize = 100;
/// The longest text of names in a search, and how many there may be: the server takes no more.
const MOST_BYTES: usize = 3_900;
const MOST_NAMES: usize = 200;
/// How many sets of namespaces can be kept: one for each key from 1 to 9.
const SETS: usize = 9;

/// What is chosen: these namespaces, or all but these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Choice {
    names: BTreeSet<String>,
    except: bool,
}

impl Choice {
    /// What the page shows now.
    fn of(ui: Ui) -> Self {
        if let Some(names) = (ui.live.scope).with_untracked(|scope| scope.names().cloned()) {
            return Self {
                names,
                except: false,
            };
        }
        ui.table.filter.with_untracked(|filter| {
            let Some(term) = filter.term(Field::Namespace) else {
                return Self::default();
            };
            let names = term.values.iter().filter(|name| is_dns_label(name));
            let names: BTreeSet<String> = names.cloned().collect();
            // Of what a pattern stands for nothing can be ticked.
            if names.is_empty() || !term.negated && names.len() < term.values.len() {
                return Self::default();
            }
            Self {
                names,
                except: term.negated,
            }
        })
    }

    /// Whether all namespaces are shown.
    fn is_all(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether the names are more than a search takes.
    fn is_too_long(&self) -> bool {
        let bytes: usize = self.names.iter().map(|name| name.len() + 1).sum();
        bytes > MOST_BYTES || self.names.len() > MOST_NAMES
    }
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq)]
enum Entry {
    Head(&'static str, &'static str, String),
    Namespace(NamespaceSummary),
}

/// The popover below the button; [`parts`](crate::parts) has it.
pub(crate) fn picker() -> AnyView {
    view! { <NamespacePicker/> }.into_any()
}

#[component]
fn NamespacePicker() -> impl IntoView {
    let ui = Ui::expect();
    let before = StoredValue::new(Choice::of(ui));
    let choice = RwSignal::new(before.get_value());
    let document = RwSignal::new(None::<Result<NamespaceDocument, String>>);
    let find = RwSignal::new(String::new());
    let start = RwSignal::new(0_usize);
    let typed = RwSignal::new(String::new());
    let typed_wrong = RwSignal::new(false);
    let max = ui.cluster.with_value(|cluster| cluster.max_namespaces);
    let recent = ui.choices.recent.get_untracked();

    #[cfg(target_arch = "wasm32")]
    {
        let url = format!("{}/api/namespaces", ui.base_path());
        leptos::task::spawn_local(async move {
            let answer = crate::browser::fetch::fetch_json::<NamespaceDocument>(&url).await;
            let typed = answer.as_ref().is_ok_and(|document| !document.complete);
            if document.try_set(Some(answer)).is_none() && typed {
                // The field that had the focus is not shown any more.
                crate::browser::dom::focus_again(Some("namespace-by-name".into()));
            }
        });
    }

    let complete = Memo::new(move |_| {
        document.with(|document| match document {
            Some(Ok(document)) => document.complete,
            _ => true,
        })
    });
    // The most ingresses first: what is looked for most.
    let found = Memo::new(move |_| {
        let needle = find.get().trim().to_lowercase();
        let is_pattern = needle.contains('*');
        document.with(|document| {
            let Some(Ok(document)) = document else {
                return Vec::new();
            };
            let matches = |item: &&NamespaceSummary| match is_pattern {
                true => like(&item.name, &needle),
                false => item.name.contains(&needle),
            };
            let mut items: Vec<_> = document.items.iter().filter(matches).cloned().collect();
            items.sort_by_key(|item| std::cmp::Reverse(item.count));
            items
        })
    });
    let entries = Memo::new(move |_| {
        let mut entries = Vec::new();
        let mut rest = found.get();
        let mut section = |icon, heading, of: &dyn Fn(&str) -> bool| {
            let (here, others): (Vec<_>, Vec<_>) = std::mem::take(&mut rest)
                .into_iter()
                .partition(|item| of(&item.name));
            rest = others;
            if !here.is_empty() {
                entries.push(Entry::Head(icon, heading, count(here.len())));
                entries.extend(here.into_iter().map(Entry::Namespace));
            }
        };
        section("#i-pin", "Pinned", &|name| {
            ui.choices.pins.with(|pins| pins.contains(name))
        });
        section("#i-clock", "Recent", &|name| {
            recent.iter().any(|known| known == name)
        });
        section("#i-ns", "All, most ingresses first", &|_| true);
        entries
    });
    let toggle = move |name: &str| {
        choice.update(|choice| {
            if !choice.names.remove(name) {
                choice.names.insert(name.to_owned());
            }
        });
    };
    let tick = move |on: bool| {
        found.with_untracked(|items| {
            let names = items.iter().map(|item| &item.name);
            choice.update(|choice| match on {
                true => choice.names.extend(names.cloned()),
                false => names.for_each(|name| {
                    choice.names.remove(name);
                }),
            });
        });
    };
    let invert =
        move |_| found.with_untracked(|items| items.iter().for_each(|item| toggle(&item.name)));
    // Enter picks what a pattern finds, and what is the only one.
    let pick_found = move || {
        let is_pattern = find.with_untracked(|find| find.contains('*'));
        if is_pattern || found.with_untracked(Vec::len) == 1 {
            tick(true);
        }
    };
    let pin = move |name: &str| {
        ui.choices.pins.update(|pins| {
            if !pins.remove(name) {
                pins.insert(name.to_owned());
            }
        });
    };
    // Only what is near the window is in the document. The focus stays with its namespace.
    let scrolled = move |event: leptos::ev::Event| {
        let top = event_target::<leptos::web_sys::HtmlElement>(&event).scroll_top();
        let first = usize::try_from(top).unwrap_or(0) / LINE;
        let next = first.saturating_sub(STEP) / STEP * STEP;
        if start.get_untracked() == next {
            return;
        }
        let active = leptos::prelude::document()
            .active_element()
            .map(|active| active.id());
        start.set(next);
        #[cfg(target_arch = "wasm32")]
        crate::browser::dom::focus_again(active.filter(|id| id.starts_with("ns-")));
        #[cfg(not(target_arch = "wasm32"))]
        let _ = active;
    };
    let room = move |lines: usize| format!("{}px", lines * LINE);
    let from = move || start.get().min(entries.with(Vec::len).saturating_sub(1));
    let below = move || entries.with(|entries| entries.len().saturating_sub(from() + LINES));
    let list = move || {
        let from = from();
        entries.with(|entries| {
            let shown = entries.iter().skip(from).take(LINES).cloned();
            shown
                .map(|entry| match entry {
                    Entry::Head(glyph, heading, rows) => Either::Left(view! {
                        <li class="nshead">
                            {small_icon(glyph)}{heading}" "<span class="n">{rows}</span>
                        </li>
                    }),
                    Entry::Namespace(item) => {
                        Either::Right(namespace_row(ui, item, choice, toggle, pin))
                    }
                })
                .collect_view()
        })
    };
    let heading = move || {
        document.with(|document| match document {
            None => "Loading the namespaces".to_owned(),
            Some(Err(error)) => error.clone(),
            Some(Ok(_)) => counted(found.with(Vec::len), "namespace", "namespaces"),
        })
    };
    let placeholder = move || {
        let all = document.with(|document| match document {
            Some(Ok(document)) => document.items.len(),
            _ => 0,
        });
        match all {
            0 => "Find a namespace".to_owned(),
            all => format!("Find in {}, team-* for many", count(all)),
        }
    };
    let add = move || {
        let name = typed.get_untracked().trim().to_owned();
        if is_dns_label(&name) {
            choice.update(|choice| {
                choice.names.insert(name);
            });
            typed.set(String::new());
            typed_wrong.set(false);
        } else {
            typed_wrong.set(!name.is_empty());
        }
    };
    let number = Memo::new(move |_| choice.with(|choice| choice.names.len()));
    let except = Memo::new(move |_| choice.with(|choice| choice.except));
    let changed = Memo::new(move |_| {
        choice.with(|choice| {
            before.with_value(|before| choice != before && !(choice.is_all() && before.is_all()))
        })
    });
    let apply = move |choice: Choice| ui.show_namespaces(choice.names, choice.except);
    let apply_label = move || {
        let number = number.get();
        match (number, except.get()) {
            (0, _) => "Watch the whole cluster".into(),
            (_, true) => format!("Watch all except {}", count(number)),
            (_, false) => format!("Watch {}", counted(number, "namespace", "namespaces")),
        }
    };
    let too_long = move || choice.with(Choice::is_too_long);
    let over = move || number.get() > max && !except.get();
    // All that there are is the whole cluster, however many.
    let whole = Memo::new(move |_| {
        let all = |names: &BTreeSet<String>| {
            document.with(|document| match document {
                Some(Ok(document)) => {
                    (document.items.iter()).all(|item| names.contains(&item.name))
                }
                _ => false,
            })
        };
        over() && complete.get() && choice.with(|choice| all(&choice.names))
    });
    // What a pattern finds is shown by the pattern: it is short, and finds namespaces to come.
    let pattern = move || {
        let pattern = find.get().trim().to_lowercase();
        let is_found = pattern.contains('*')
            && choice.with(|choice| {
                found.with(|found| {
                    found.len() == choice.names.len()
                        && found.iter().all(|item| choice.names.contains(&item.name))
                })
            });
        is_found.then_some(pattern)
    };
    let bottom = move || {
        // An account that may not list namespaces may not watch all of them, as far as is known.
        let may_all = complete.get();
        let cancel = view! {
            <button class="btn" type="button" data-act=Action::ClosePopup.id()>
                {if changed.get() { "Cancel" } else { "Close" }}
            </button>
        };
        let words = if over() {
            let title = format!("{} picked, one stream carries {max}.", count(number.get()));
            let then = match (may_all, too_long() && pattern().is_none()) {
                _ if whole.get() => "They are the whole cluster.",
                (true, false) => {
                    "Nothing is lost: the whole cluster is watched, and these are shown."
                }
                (true, true) => "A search takes no more than 200 names. Pick fewer.",
                (false, _) => "Pick fewer.",
            };
            Either::Left(view! {
                {icon("#i-warnt")}
                <span class="grow two"><b>{title}</b><span class="muted-2">{then}</span></span>
            })
        } else {
            let words = match (number.get(), except.get()) {
                _ if except.get() && too_long() => {
                    "A search takes no more than 200 names. Pick fewer.".to_owned()
                }
                (0, true) => "Tick what is to be left out.".into(),
                (0, false) if may_all => "None ticked: the whole cluster is watched.".into(),
                (0, false) => "Type the names you work with.".into(),
                (number, true) => format!(
                    "All but {} are shown.",
                    counted(number, "namespace", "namespaces")
                ),
                (number, false) => format!("{} of {max} in one stream", count(number)),
            };
            Either::Right(view! { <div class="cap"><span>{words}</span></div> })
        };
        let first = (over() && changed.get()).then(|| view! {
            <button class="btn" type="button" on:click=move |_| {
                let names = choice.with_untracked(|choice| choice.names.iter().take(max).cloned().collect());
                apply(Choice { names, except: false });
            }>
                {format!("Watch the first {max}")}
            </button>
        });
        let can = match (over(), number.get()) {
            (true, _) => whole.get() || may_all && (!too_long() || pattern().is_some()),
            (false, 0) => may_all,
            (false, _) => !except.get() || may_all && !too_long(),
        };
        let primary = (changed.get() && can).then(|| view! {
            <button class="btn btn-primary" type="button" on:click=move |_| apply(match pattern() {
                _ if whole.get() => Choice::default(),
                Some(pattern) if over() => Choice { names: [pattern].into(), except: false },
                _ => choice.get_untracked(),
            })>
                {if whole.get() {
                    "Watch the whole cluster".into()
                } else if over() {
                    let shown = pattern().unwrap_or_else(|| count(number.get()));
                    format!("Watch the whole cluster, show {shown}")
                } else {
                    apply_label()
                }}
            </button>
        });
        view! { {words}{cancel}{first}{primary} }
    };
    let selected = move || {
        let state = |name: &str| {
            document.with(|document| match document {
                Some(Ok(document)) => (document.items.iter())
                    .find(|item| item.name == name)
                    .and_then(|item| item.state),
                _ => None,
            })
        };
        // Trouble first.
        let mut names: Vec<_> = choice.with(|choice| {
            let names = choice.names.iter().take(LISTED).cloned();
            names.map(|name| (state(&name), name)).collect()
        });
        names.sort_by_key(|(state, _)| match state {
            Some(NamespaceState::Forbidden) => 0,
            Some(NamespaceState::Retrying) => 1,
            Some(NamespaceState::Syncing) => 2,
            Some(NamespaceState::Live) | None => 3,
        });
        let rows = names.into_iter().map(|(state, name)| {
            let label = format!("Remove {name}");
            let remove = name.clone();
            view! {
                <li class="selrow">
                    <span class="trunc" title=name.clone()>{name.clone()}</span>
                    {state.map(state_words)}
                    <button class="rm" type="button" aria-label=label on:click=move |_| toggle(&remove)>{small_icon("#i-x")}</button>
                </li>
            }
        });
        rows.collect_view()
    };
    let more = move || {
        let more = number.get().saturating_sub(LISTED);
        (more > 0)
            .then(|| view! { <p class="muted nsmore">{format!("and {} more", count(more))}</p> })
    };
    let nothing = move || {
        (number.get() == 0).then(|| match except.get() {
            true => view! { <p class="muted nsmore">"Nothing is left out."</p> },
            false => view! { <p class="muted nsmore">"No namespace is ticked: all are shown."</p> },
        })
    };
    // Enter in a field of the popover must not send the toolbar's form.
    let keep_enter = move |event: &leptos::ev::KeyboardEvent| {
        let enter = event.key() == "Enter";
        if enter {
            event.prevent_default();
        }
        enter
    };
    let by_name = move || {
        view! {
            <div class="byname">
                <label for="namespace-by-name">
                    {if complete.get() { "Not in the list?" } else { "Name" }}
                </label>
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
                            if keep_enter(&event) {
                                add();
                            }
                        }
                    />
                </div>
                <button class="btn btn-s" type="button" on:click=move |_| add()>"Add"</button>
            </div>
        }
    };
    let modes = [(false, "Only these"), (true, "All except")].map(|(mode, words)| {
        view! {
            <button
                type="button"
                aria-pressed=move || if except.get() == mode { "true" } else { "false" }
                on:click=move |_| choice.update(|choice| choice.except = mode)
            >
                {words}
            </button>
        }
    });
    view! {
        <section class="pop nspop" role="dialog" aria-label="Choose namespaces" tabindex="-1">
            <div class="left">
                {move || (!complete.get()).then(|| view! {
                    <p class="nsnote">"The dashboard may not list namespaces. Type the names you work with."</p>
                    {by_name()}
                })}
                <div class="find">
                    <div class="field" hidden=move || !complete.get()>
                        {icon("#i-search")}
                        <input
                            type="search"
                            id="find-namespace"
                            aria-label="Find a namespace"
                            placeholder=placeholder
                            autocomplete="off"
                            spellcheck="false"
                            on:input=move |event| {
                                start.set(0);
                                find.set(event_target_value(&event));
                            }
                            on:keydown=move |event| {
                                if keep_enter(&event) {
                                    pick_found();
                                }
                            }
                        />
                    </div>
                    <div class="ops">
                        <span class="muted" role="status">{heading}</span>
                        <span class="grow"></span>
                        <button class="btn btn-s" type="button" on:click=move |_| tick(true)>"All"</button>
                        <button class="btn btn-s" type="button" on:click=move |_| tick(false)>"None"</button>
                        <button class="btn btn-s" type="button" on:click=invert>"Invert"</button>
                        <div class="seg seg-s" role="group" aria-label="What is ticked" hidden=move || !complete.get()>
                            {modes.into_iter().collect_view()}
                        </div>
                    </div>
                </div>
                <div class="nslist" tabindex="0" role="region" aria-label="Namespaces" on:scroll=scrolled>
                    <ul
                        style:padding-block-start=move || room(from())
                        style:padding-block-end=move || room(below())
                        on:keydown=move |event| {
                            let target = event_target::<leptos::web_sys::HtmlElement>(&event);
                            if event.key() == "p" && let Some(name) = target.id().strip_prefix("ns-") {
                                pin(name);
                            }
                        }
                    >
                        {list}
                    </ul>
                </div>
                {move || complete.get().then(by_name)}
            </div>
            <div class="right">
                <div class="rh">
                    {move || if except.get() { "Left out " } else { "Selected " }}
                    <span class="tag">{move || count(number.get())}</span>
                    <span class="grow"></span>
                    <button class="btn-link" type="button" on:click=move |_| choice.update(|choice| choice.names.clear())>"Clear"</button>
                </div>
                <ul class="sellist" tabindex="0" aria-label="Selected namespaces">{selected}</ul>
                {more}
                {nothing}
                {sets(ui, choice)}
            </div>
            <div class="bottom">{bottom}</div>
        </section>
    }
}

/// The sets that a key recalls, and the way to keep one more.
fn sets(ui: Ui, choice: RwSignal<Choice>) -> impl IntoView {
    let list = move || {
        ui.choices.sets.with(|sets| {
            let kept = sets.iter().enumerate().filter(|(_, names)| !names.is_empty());
            kept.map(|(index, names)| {
                let key = index + 1;
                let words = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                let names = names.clone();
                view! {
                    <li class="setrow">
                        <kbd class="kbd">{key}</kbd>
                        <button
                            class="btn-link trunc"
                            type="button"
                            title=words.clone()
                            aria-label=format!("Select set {key}: {words}")
                            on:click=move |_| choice.set(Choice { names: names.clone(), except: false })
                        >
                            {words.clone()}
                        </button>
                        <button
                            class="rm"
                            type="button"
                            aria-label=format!("Forget set {key}")
                            on:click=move |_| ui.choices.sets.update(|sets| sets[index].clear())
                        >
                            {small_icon("#i-x")}
                        </button>
                    </li>
                }
            })
            .collect_view()
        })
    };
    // The first number that is free, for a set that is not kept yet.
    let next = move || {
        choice.with(|choice| {
            if choice.is_all() || choice.except {
                return None;
            }
            ui.choices.sets.with(|sets| {
                let kept = sets.iter().take(SETS).any(|names| *names == choice.names);
                let free = sets
                    .iter()
                    .position(BTreeSet::is_empty)
                    .unwrap_or(sets.len());
                (!kept && free < SETS).then_some(free)
            })
        })
    };
    let keep = move || {
        next().map(|index| {
            view! {
                <button
                    class="btn btn-s"
                    type="button"
                    on:click=move |_| {
                        let names = choice.with_untracked(|choice| choice.names.clone());
                        ui.choices.sets.update(|sets| {
                            sets.resize(sets.len().max(index + 1), BTreeSet::new());
                            sets[index] = names;
                        });
                    }
                >
                    {format!("Keep as {}", index + 1)}
                </button>
            }
        })
    };
    view! {
        <div class="sets">
            <h3>"Sets"<span class="grow"></span>{keep}</h3>
            <ul aria-label="Sets">{list}</ul>
            <p class="muted">"The keys 1 to 9 show a set, 0 shows all namespaces."</p>
        </div>
    }
}

fn state_words(state: NamespaceState) -> impl IntoView {
    let (class, glyph, word) = match state {
        NamespaceState::Live => ("st st-ok", "#i-okc", "Live"),
        NamespaceState::Syncing => ("st st-info", "#i-load", "Syncing"),
        NamespaceState::Retrying => ("st st-warn", "#i-refresh", "Retrying"),
        NamespaceState::Forbidden => ("st st-bad", "#i-lock", "Forbidden"),
    };
    view! { <span class=class>{icon(glyph)}<span class="trunc">{word}</span></span> }
}

fn namespace_row(
    ui: Ui,
    item: NamespaceSummary,
    choice: RwSignal<Choice>,
    toggle: impl Fn(&str) + Copy + 'static,
    pin: impl Fn(&str) + Copy + 'static,
) -> impl IntoView {
    let name = item.name;
    let id = format!("ns-{name}");
    let (checked, changed, pinned, pins) = (name.clone(), name.clone(), name.clone(), name.clone());
    let label = format!("Pin {name}");
    view! {
        <li class="nsrow">
            <input
                class="check"
                type="checkbox"
                id=id.clone()
                prop:checked=move || choice.with(|choice| choice.names.contains(&checked))
                on:change=move |_| toggle(&changed)
            />
            <label for=id title=name.clone()>{name.clone()}</label>
            {match item.state {
                Some(state) => Either::Left(state_words(state)),
                None => Either::Right(view! { <span></span> }),
            }}
            <span class="cnt">{item.count.map(count)}</span>
            <button
                class="pinb"
                type="button"
                tabindex="-1"
                aria-label=label
                title="Pin (p)"
                aria-pressed=move || if ui.choices.pins.with(|known| known.contains(&pinned)) { "true" } else { "false" }
                on:click=move |_| pin(&pins)
            >
                {small_icon("#i-pin")}
            </button>
        </li>
    }
}

/// A namespace that is asked for and that there is not, and those with a name like it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Missing {
    /// Its name.
    pub name: String,
    /// The nearest first.
    pub near: Vec<String>,
}

impl FromJson for Missing {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self {
            name: String::new(),
            near: Vec::new(),
        };
        reader.object(&["name", "near"]);
        while let Some(name) = reader.member() {
            match name {
                "name" => value.name = reader.read(),
                "near" => value.near = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// Those of the names that are not among the known ones.
#[must_use]
pub fn missing<'n>(
    names: impl IntoIterator<Item = &'n String>,
    known: &BTreeSet<String>,
) -> Vec<Missing> {
    (names.into_iter())
        .filter(|name| !known.contains(*name))
        .map(|name| Missing {
            name: name.clone(),
            near: crate::suggest::nearest(name, known.iter().map(String::as_str)),
        })
        .collect()
}

/// What is to be said of namespaces that there are not.
#[must_use]
pub fn no_such(missing: &[Missing]) -> String {
    let names: Vec<&str> = missing
        .iter()
        .map(|missing| missing.name.as_str())
        .collect();
    match names.as_slice() {
        [only] => format!("There is no namespace {only}"),
        [others @ .., last] => {
            format!("There are no namespaces {} and {last}", others.join(", "))
        }
        [] => String::new(),
    }
}

/// The names that are near those that there are not, as buttons that watch them instead.
pub fn did_you_mean(ui: Ui, missing: &[Missing]) -> impl IntoView + use<> {
    let buttons = missing.iter().flat_map(|missing| {
        missing.near.iter().map(move |near| {
            let (old, new) = (missing.name.clone(), near.clone());
            let watch = move |_| {
                let names = (ui.live.scope).with_untracked(|scope| scope.names().cloned());
                let mut names = names.unwrap_or_default();
                names.remove(&old);
                names.insert(new.clone());
                ui.watch(Scope::Namespaces(names));
            };
            view! { <button class="btn btn-s" type="button" on:click=watch>{near.clone()}</button> }
        })
    });
    let buttons: Vec<_> = buttons.collect();
    (!buttons.is_empty()).then(|| view! { <span class="row near">"Did you mean"{buttons}</span> })
}

/// Those that are watched.
pub fn missing_of_scope(ui: Ui) -> Vec<Missing> {
    let mut missing = ui.missing.get();
    ui.live.scope.with(|scope| {
        let names = scope.names();
        missing.retain(|missing| names.is_some_and(|names| names.contains(&missing.name)));
    });
    missing
}

/// The line above the table where some of what is watched is not there. Where nothing of it is,
/// that is said in the table's place.
#[component]
pub fn MissingNotice() -> impl IntoView {
    let ui = Ui::expect();
    move || {
        let missing = missing_of_scope(ui);
        (!missing.is_empty() && missing.len() < ui.namespaces()).then(|| {
            view! {
                <div class="notice notice-warn">
                    {icon("#i-warnt")}
                    <span class="msg"><b>{no_such(&missing)}"."</b></span>
                    {did_you_mean(ui, &missing)}
                </div>
            }
        })
    }
}
