//! The band at the top: the product, the cluster, the connection, the theme.

use leptos::prelude::*;

use super::icons::{icon, small_icon};
use crate::actions::Opens;
use crate::format;
use crate::state::{Popup, Ui};

/// How many colours the style sheet has for clusters.
const COLOURS: u32 = 8;

/// The header.
#[component]
pub fn Header() -> impl IntoView {
    let ui = Ui::expect();
    let (name, version, simulated) = ui.cluster.with_value(|cluster| {
        (
            cluster.name.clone(),
            cluster.version.clone(),
            cluster.simulated,
        )
    });
    let badge = Memo::new(move |_| ui.facts().badge());
    let home = format!("{}/", ui.base_path());
    view! {
        <header class=format!("hdr cluster-{}", format::colour(&name, COLOURS))>
            <a class="brand" href=home aria-label="kube-ingress-dash, home">
                <svg class="logo" viewBox="0 0 22 22" aria-hidden="true">
                    <rect class="mark-bg" width="22" height="22" rx="6"/>
                    <path class="mark-fg" d="M5 11h3.5c3.5 0 2-4.5 5.5-4.5h2M8.5 11c3.5 0 2 4.5 5.5 4.5h2M8.5 11H16"/>
                    <circle class="mark-dot" cx="5.2" cy="11" r="1.9"/>
                </svg>
                <span>"kube-ingress-dash"</span>
            </a>
            <span class="slash" aria-hidden="true">"/"</span>
            <span class="ctx">
                {small_icon("#i-server")}
                <span class="trunc" title=name.clone()>
                    <span class="sr">"Cluster "</span>
                    {name.clone()}
                </span>
                {version.filter(|_| !simulated).map(|version| view! { <small>{version}</small> })}
            </span>
            <span class="grow"></span>
            <button
                class=move || badge.with(|badge| badge.class)
                type="button"
                aria-haspopup="dialog"
                aria-expanded=move || if ui.popup.with(|popup| matches!(popup, Some(Popup::Connection(_)))) { "true" } else { "false" }
                data-popup=Opens::Connection.id()
                data-testid="connection"
            >
                {move || match badge.with(|badge| badge.icon) {
                    None => leptos::either::Either::Left(view! { <span class="beat" aria-hidden="true"></span> }),
                    Some(name) => leptos::either::Either::Right(view! {
                        <svg class=if name == "#i-load" { "icon spin" } else { "icon" } aria-hidden="true">
                            <use_ href=name/>
                        </svg>
                    }),
                }}
                <span>{move || badge.with(|badge| badge.word)}</span>
                <span class="t">{move || badge.with(|badge| badge.detail.clone())}</span>
            </button>
            <button class="btn btn-icon btn-ghost menubtn" type="button" aria-haspopup="menu" aria-label="Menu" data-popup=Opens::Menu.id()>
                {icon("#i-menu")}
            </button>
            <button
                class="btn btn-icon btn-ghost"
                type="button"
                aria-haspopup="menu"
                aria-keyshortcuts="t"
                aria-label="Theme"
                title="Theme (t)"
                aria-expanded=move || if ui.popup.with(|popup| matches!(popup, Some(Popup::Theme(_)))) { "true" } else { "false" }
                data-popup=Opens::Theme.id()
            >
                <span class="when-light">{icon("#i-sun")}</span>
                <span class="when-dark">{icon("#i-moon")}</span>
            </button>
            <button class="btn btn-icon btn-ghost" type="button" aria-haspopup="dialog" aria-label="Settings" title="Settings (,)" aria-keyshortcuts="," data-popup=Opens::Settings.id()>
                {icon("#i-gear")}
            </button>
            <button class="btn btn-icon btn-ghost" type="button" aria-haspopup="dialog" aria-label="Keyboard help" title="Keyboard help (?)" aria-keyshortcuts="?" data-popup=Opens::Help.id()>
                {icon("#i-help")}
            </button>
        </header>
    }
}
