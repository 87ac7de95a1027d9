//! The lines above the table. They push it down and never cover it.

use leptos::prelude::*;

use super::icons::{icon, small_icon};
use super::namespaces::MissingNotice;
use crate::actions::{Action, Opens};
use crate::format::{counted, shown};
use crate::state::{Popup, Ui};
use crate::status::{NotShown, Notice, Retry};

/// How many lines there are at most; the rest is one line more.
const SHOWN: usize = 3;
/// How many namespaces a line names.
const NAMED: usize = 5;

/// Everything that has to be said above the table.
#[component]
pub fn Notices() -> impl IntoView {
    let ui = Ui::expect();
    let notices = Memo::new(move |_| ui.facts().notices());
    let simulated = ui.cluster.with_value(|cluster| cluster.simulated);
    let lines = move || {
        notices.with(|notices| notices.iter().take(SHOWN).cloned().map(line).collect_view())
    };
    let rest = move || {
        let rest = notices.with(|notices| {
            let rest = notices.iter().skip(SHOWN);
            rest.map(|notice| notice.subject.clone())
                .collect::<Vec<_>>()
        });
        (!rest.is_empty()).then(|| {
            let words = counted(rest.len(), "more namespace", "more namespaces");
            view! {
                <div class="notice notice-warn">
                    {icon("#i-refresh")}
                    <span class="msg" title=rest.join(", ")><b>{format!("{words} may be out of date: ")}</b>{few(&rest)}"."</span>
                </div>
            }
        })
    };
    let forbidden = Memo::new(move |_| ui.facts().not_shown());
    // What was hidden is shown again when another namespace joins it.
    let hidden = RwSignal::new(Vec::<String>::new());
    let forbidden = move || {
        let forbidden = forbidden.get();
        let names: Vec<_> = (forbidden.iter())
            .map(|namespace| namespace.namespace.clone())
            .collect();
        let is_new = hidden.with(|hidden| names.iter().any(|name| !hidden.contains(name)));
        is_new.then(|| not_shown(ui, forbidden, names, hidden))
    };
    let refused = move || {
        ui.refused.get().map(|text| {
            view! {
                <div class="notice notice-warn">
                    {icon("#i-warnt")}
                    <span class="msg"><b>"Part of the address is left out. "</b>{text}</span>
                </div>
            }
        })
    };
    view! {
        <div class="notices">
            {simulated.then(|| view! { <Simulated/> })}
            {refused}
            <MissingNotice/>
            {lines}
            {rest}
            {forbidden}
        </div>
    }
}

/// The first of these names, and how many others there are.
fn few(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let first = names[..names.len() - more].join(", ");
    match more {
        0 => first,
        more => format!("{first} and {}", counted(more, "other", "others")),
    }
}

/// Which namespaces may not be read, in one line, and what would help.
fn not_shown(
    ui: Ui,
    forbidden: Vec<NotShown>,
    names: Vec<String>,
    hidden: RwSignal<Vec<String>>,
) -> impl IntoView {
    let all = ui.namespaces().max(names.len());
    let title = format!(
        "{} of {} not shown: ",
        names.len(),
        counted(all, "namespace", "namespaces")
    );
    let open = move || ui.popup.with(|popup| *popup == Some(Popup::Grant));
    let (list, words) = (names.join(", "), few(&names));
    let ways = move || {
        let ways = forbidden.clone().into_iter().map(
            |NotShown {
                 namespace,
                 why,
                 command: commands,
             }| {
                view! {
                    <dt>{namespace}</dt>
                    <dd><p class="muted-2">{shown(&why)}</p>{commands.map(command)}</dd>
                }
            },
        );
        view! {
            <div class="pop connectpop" role="dialog" aria-labelledby="grant-title" tabindex="-1">
                <h2 id="grant-title">"Not shown"</h2>
                <dl>{ways.collect_view()}</dl>
            </div>
        }
    };
    view! {
        <div class="notice notice-idle">
            {icon("#i-lock")}
            <span class="msg" title=list><b>{title}</b>{words}"."</span>
            <span class="grow"></span>
            <div class="popwrap live-only">
                <button
                    class="btn btn-s"
                    type="button"
                    aria-haspopup="dialog"
                    aria-expanded=move || if open() { "true" } else { "false" }
                    data-popup=Opens::Grant.id()
                >
                    "How to grant"
                    {small_icon("#i-down")}
                </button>
                {move || open().then(&ways)}
            </div>
            <button class="btn btn-s btn-ghost live-only" type="button" on:click=move |_| hidden.set(names.clone())>"Hide"</button>
        </div>
    }
}

fn line(notice: Notice) -> impl IntoView {
    // Where nothing comes by itself for a minute the button is what to do.
    let button = match notice.class {
        "notice notice-bad" => "btn btn-s btn-primary",
        _ => "btn btn-s",
    };
    view! {
        <div class=notice.class>
            {icon(notice.icon)}
            <span class="msg"><b>{notice.title}</b>{notice.text}</span>
            <span class="grow"></span>
            {notice.details.map(|text| copy_details(text, "btn btn-s"))}
            {notice.retry.map(|retry| {
                let (act, label) = match retry {
                    Retry::Connect(label) => (Action::Retry, label),
                    Retry::Ask => (Action::TryNow, "Try now"),
                };
                view! {
                    <button class=button type="button" data-act=act.id()>
                        {small_icon("#i-refresh")}
                        {label}
                    </button>
                }
            })}
        </div>
    }
}

/// Copies what is wrong, for a person who can help.
pub fn copy_details(text: String, class: &'static str) -> impl IntoView {
    view! {
        <button class=class type="button" data-act=Action::Copy.id() data-text=text>
            {small_icon("#i-copy")}
            "Copy details"
        </button>
    }
}

/// A command and a button that copies it.
pub fn command(text: String) -> impl IntoView {
    let (class, lines) = match text.lines().count() {
        1 => ("cmd", None),
        lines => ("cmd lines", Some(format!("Copies {lines} lines"))),
    };
    view! {
        <span class=class>
            <code title=text.clone()>{text.clone()}</code>
            <button type="button" data-act=Action::Copy.id() data-text=text.clone() aria-label="Copy command" title=lines>
                {small_icon("#i-copy")}
            </button>
        </span>
    }
}

/// Says that nothing here is real. It cannot be closed.
#[component]
fn Simulated() -> impl IntoView {
    let ui = Ui::expect();
    let open = move || ui.popup.with(|popup| *popup == Some(Popup::Connect));
    view! {
        <div class="notice notice-demo">
            {icon("#i-flask")}
            <span class="msg">
                <b>"Simulated cluster. "</b>
                <span class="wide">"These ingresses are made up and change by themselves."</span>
            </span>
            <span class="grow"></span>
            <div class="popwrap">
                <button
                    class="btn btn-s"
                    type="button"
                    aria-haspopup="dialog"
                    aria-expanded=move || if open() { "true" } else { "false" }
                    data-popup=Opens::Connect.id()
                >
                    "How to connect yours"
                    {small_icon("#i-down")}
                </button>
                {move || open().then(|| view! {
                    <div class="pop connectpop" role="dialog" aria-labelledby="connect-title" tabindex="-1">
                        <h2 id="connect-title">"Connect your cluster"</h2>
                        <p class="muted-2">"Stop this one and start it again in one of these ways. It only reads."</p>
                        <dl>
                            <dt>"With your kubeconfig"</dt>
                            <dd>{command("KUBECONFIG=~/.kube/config kube-ingress-dash".into())}</dd>
                            <dt>"From the source"</dt>
                            <dd>{command("KUBECONFIG=~/.kube/config ./x run".into())}</dd>
                        </dl>
                        <p class="muted">"Looked for: $KUBECONFIG, ~/.kube/config, the pod's service account."</p>
                    </div>
                })}
            </div>
        </div>
    }
}
