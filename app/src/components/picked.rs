//! The bar over the lower edge while rows are picked.

use std::collections::BTreeSet;

use leptos::prelude::*;

use super::icons::icon;
use crate::actions::Action;
use crate::format::{count, counted};
use crate::state::Ui;

/// How many rows are picked, and what to do with all of them.
#[component]
pub fn PickedBar() -> impl IntoView {
    let ui = Ui::expect();
    let numbers = Memo::new(move |_| {
        ui.table.picked.with(|picked| {
            let namespaces: BTreeSet<&str> =
                picked.iter().map(|key| key.namespace.as_str()).collect();
            (picked.len(), namespaces.len())
        })
    });
    let buttons = [
        (Action::PickedNames, "Copy names", "#i-copy"),
        (Action::PickedHosts, "Copy hosts", "#i-copy"),
        (Action::PickedUrls, "Copy URLs", "#i-link"),
        (Action::PickedKubectl, "Copy kubectl", "#i-terminal"),
    ];
    move || {
        let (rows, namespaces) = numbers.get();
        (rows > 0).then(|| {
            let buttons = buttons.map(|(act, label, glyph)| {
                view! { <button class="btn btn-ghost" type="button" data-act=act.id()>{icon(glyph)}{label}</button> }
            });
            view! {
                <div class="selbar" role="toolbar" aria-label=format!("{} picked", counted(rows, "row", "rows"))>
                    <b>{format!("{} picked", count(rows))}</b>
                    " "
                    <span class="muted">{format!("in {}", counted(namespaces, "namespace", "namespaces"))}</span>
                    <span class="vr"></span>
                    {buttons.into_iter().collect_view()}
                    {(rows == 2).then(|| view! {
                        <button class="btn btn-ghost" type="button" data-act=Action::Compare.id()>{icon("#i-columns")}"Compare"</button>
                    })}
                    <span class="vr"></span>
                    <button class="btn btn-ghost" type="button" data-act=Action::Unpick.id()>"Clear "<kbd class="kbd">"Esc"</kbd></button>
                </div>
            }
        })
    }
}
