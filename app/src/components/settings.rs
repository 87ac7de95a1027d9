//! What a person chooses once: what is left out, and whether single keys do something.

use leptos::prelude::*;
use protocol::filter::Field;

use super::icons::icon;
use crate::actions::Action;
use crate::state::Ui;

/// The settings, over everything.
pub fn settings(ui: Ui) -> impl IntoView {
    view! {
        <div class="dlg help settings" role="dialog" aria-modal="true" aria-labelledby="settings-title" tabindex="-1">
            <div class="hhead">
                <h2 id="settings-title">"Settings"</h2>
                <span class="muted">"kept in this browser"</span>
                <span class="grow"></span>
                <button class="btn btn-icon btn-s btn-ghost" type="button" data-act=Action::ClosePopup.id() aria-label="Close (Esc)">{icon("#i-x")}</button>
            </div>
            <p class="muted about">
                "Hidden on every visit. Shown as a filter that you can remove."
            </p>
            <div class="cols">
                {left_out(ui, Field::Namespace, "Namespaces left out", "kube-system, team-*")}
                {left_out(ui, Field::Label, "Labels left out", "env=test, team=*")}
            </div>
            <div class="hfoot">
                <label class="row">
                    <input
                        class="check"
                        type="checkbox"
                        prop:checked=move || ui.choices.single_keys.get()
                        on:change=move |event| ui.choices.single_keys.set(event_target_checked(&event))
                    />
                    "Single keys"
                </label>
                <span class="muted">"Turn them off if speech input or another tool types letters for you."</span>
            </div>
        </div>
    }
}

/// The values of one field that are left out, and the way to add one.
fn left_out(ui: Ui, field: Field, heading: &'static str, example: &'static str) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let error = RwSignal::new(None::<String>);
    let add = move |_| {
        let words = typed.get_untracked();
        let words = words.split([',', ' ']).filter(|word| !word.is_empty());
        let mut words: Vec<&str> = words.collect();
        if words.is_empty() {
            words.push("");
        }
        // All of them or none: half of what was typed is not what was meant.
        let refusal = ui.leave_out(field, &words).err();
        if refusal.is_none() {
            typed.set(String::new());
        }
        error.set(refusal);
    };
    let items = move || {
        ui.choices.exclusions.with(|exclusions| {
            let items = exclusions.values(field).iter().map(|value| {
                let label = format!("Do not leave out {value}");
                view! {
                    <li class="token">
                        <span class="v trunc">{value.clone()}</span>
                        <button type="button" data-act=Action::LetIn.id() data-field=field.key() data-value=value.clone() aria-label=label>{icon("#i-x")}</button>
                    </li>
                }
            });
            items.collect_view()
        })
    };
    let nothing = move || {
        ui.choices
            .exclusions
            .with(|known| known.values(field).is_empty())
    };
    let id = format!("leave-out-{}", field.key());
    let error_id = format!("{id}-error");
    view! {
        <section>
            <h3><label for=id.clone()>{heading}</label></h3>
            <ul class="left-out" aria-label=heading>{items}</ul>
            {move || nothing().then(|| view! { <p class="muted">"None"</p> })}
            <form class="row" on:submit=add>
                <span class="field grow">
                    <input
                        type="text"
                        id=id
                        placeholder=example
                        aria-describedby=error_id.clone()
                        aria-invalid=move || if error.with(Option::is_some) { "true" } else { "false" }
                        autocomplete="off"
                        autocapitalize="off"
                        spellcheck="false"
                        maxlength="500"
                        prop:value=move || typed.get()
                        on:input=move |event| typed.set(event_target_value(&event))
                    />
                </span>
                <button class="btn" type="submit">"Leave out"</button>
            </form>
            <p class="refused" id=error_id role="status">{move || error.get()}</p>
        </section>
    }
}
