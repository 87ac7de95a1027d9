//! The lines above the table. They push it down and never cover it.

use leptos::prelude::*;

use super::icons::{icon, small_icon};
use crate::format::count;
use crate::state::{Popup, Ui};
use crate::status::{Notice, Retry};

/// How many lines there are at most; the rest is counted.
const SHOWN: usize = 3;

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
        let rest = notices.with(|notices| notices.len().saturating_sub(SHOWN));
        (rest > 0).then(|| {
            view! {
                <div class="notice notice-idle">
                    {icon("#i-q")}
                    <span class="msg">{format!("{} more namespaces are not live.", count(rest))}</span>
                </div>
            }
        })
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
            {lines}
            {rest}
        </div>
    }
}

fn line(notice: Notice) -> impl IntoView {
    view! {
        <div class=notice.class>
            {icon(notice.icon)}
            <span class="msg"><b>{notice.title}</b>{notice.text}</span>
            {notice.command.map(command)}
            <span class="grow"></span>
            {notice.details.map(|text| copy_details(text, "btn btn-s"))}
            {notice.retry.map(|retry| {
                let (act, label) = match retry {
                    Retry::Connect(label) => ("retry", label),
                    Retry::Ask => ("try-now", "Try now"),
                };
                view! {
                    <button class="btn btn-s" type="button" data-act=act>
                        {small_icon("#i-refresh")}
                        {label}
                    </button>
                }
            })}
        </div>
    }
}

/// Copies what is wrong, for whoever can help.
pub fn copy_details(text: String, class: &'static str) -> impl IntoView {
    view! {
        <button class=class type="button" data-act="copy" data-text=text>
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
            <button type="button" data-act="copy" data-text=text.clone() aria-label="Copy command" title=lines>
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
                "These ingresses are made up and change by themselves."
            </span>
            <span class="grow"></span>
            <div class="popwrap">
                <button
                    class="btn btn-s"
                    type="button"
                    aria-haspopup="dialog"
                    aria-expanded=move || if open() { "true" } else { "false" }
                    data-popup="connect"
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
                            <dd>{command("KUBECONFIG=~/.kube/config cargo xtask run".into())}</dd>
                        </dl>
                        <p class="muted">"Looked for: $KUBECONFIG, ~/.kube/config, the pod's service account."</p>
                    </div>
                })}
            </div>
        </div>
    }
}
