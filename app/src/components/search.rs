//! The search field: tokens, what is typed, and what could be typed.

use leptos::prelude::*;

use super::icons::{icon, small_icon};
use crate::actions::Action;
use crate::format::counted;
use crate::state::Ui;

/// The field and the list under it.
#[component]
pub fn SearchField() -> impl IntoView {
    let ui = Ui::expect();
    let tokens = move || {
        ui.search.tokens.with(|tokens| {
            tokens
                .iter()
                .enumerate()
                .map(|(index, token)| {
                    let (key, value) = token.split_once(':').unwrap_or(("", token));
                    view! {
                        <span class="token">
                            <span class="k">{format!("{key}:")}</span>
                            <span class="v">{value.to_owned()}</span>
                            <button type="button" data-act=Action::Untoken.id() data-value=index aria-label=format!("Remove {token}")>
                                {icon("#i-x")}
                            </button>
                        </span>
                    }
                })
                .collect_view()
        })
    };
    let open = move || ui.search.suggesting.get();
    let active = move || {
        ui.search
            .suggestion
            .get()
            .filter(|_| open())
            .map(|index| format!("offer-{index}"))
    };
    let first = ui.search.typed.get_untracked();
    view! {
        <div class="field search">
            {icon("#i-search")}
            <span class="tokens">{tokens}</span>
            <input
                type="search"
                role="combobox"
                name="q"
                id="search"
                aria-label="Search and filter"
                aria-expanded=move || if open() { "true" } else { "false" }
                aria-controls="offers"
                aria-autocomplete="list"
                aria-activedescendant=active
                placeholder=move || {
                    let empty = ui.search.tokens.with(Vec::is_empty);
                    empty.then_some("Find a host, URL, name, service, class or address")
                }
                value=first
                prop:value=move || ui.search.typed.get()
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                maxlength="500"
                aria-keyshortcuts="/"
            />
            <kbd class="kbd" aria-hidden="true">{move || if open() { "Esc" } else { "/" }}</kbd>
            {move || open().then(|| view! { <List/> })}
        </div>
    }
}

/// Says of the ingress whose details are open that the filter leaves it out of the table.
#[component]
pub fn NotInTable() -> impl IntoView {
    let ui = Ui::expect();
    let left_out = Memo::new(move |_| {
        let row = ui
            .details
            .detail
            .with(|detail| Some(detail.as_ref()?.row.clone()));
        row.is_some_and(|row| ui.table.filter.with(|filter| !filter.matches(&row)))
    });
    move || {
        left_out.get().then(|| {
            view! {
                <div class="notinbar" role="status">
                    {icon("#i-filter")}
                    <span class="grow">"The filter leaves this ingress out of the table."</span>
                    <button class="btn btn-s" type="button" data-act=Action::Clear.id()>"Clear the filter"</button>
                </div>
            }
        })
    }
}

/// What the last word could become.
#[component]
fn List() -> impl IntoView {
    let ui = Ui::expect();
    let hint = move || {
        ui.search.offers.with(|offers| {
            offers.as_ref()?.hint.clone().map(|(what, then)| {
                view! { <div class="hintline" role="status">{icon("#i-q")}<span><b>{what}</b>" "{then}</span></div> }
            })
        })
    };
    let items = move || {
        let chosen = ui.search.suggestion.get();
        ui.search.offers.with(|offers| {
            let mut group = "";
            offers
                .iter()
                .flat_map(|list| &list.offers)
                .enumerate()
                .map(|(index, offer)| {
                    let heading = (offer.group != group).then_some(offer.group);
                    group = offer.group;
                    let heading = heading
                        .map(|words| view! { <div class="gl" role="presentation">{words}</div> });
                    view! {
                        {heading}
                        <div
                            class="sopt"
                            role="option"
                            id=format!("offer-{index}")
                            data-offer=offer.word.clone()
                            aria-selected=if chosen == Some(index) { "true" } else { "false" }
                        >
                            {icon(offer.icon)}
                            <span class="trunc">{offer.word.clone()}</span>
                            <span class="d trunc">{offer.detail.clone()}</span>
                            <span class="e">{crate::suggest::rows_words(offer.rows)}</span>
                        </div>
                    }
                })
                .collect_view()
        })
    };
    // Where nothing is offered the word may still match.
    let none = move || {
        let none = (ui.search.offers)
            .with(|list| list.as_ref().is_some_and(|list| list.offers.is_empty()));
        none.then(|| match ui.matching() {
            0 => "No ingress matches.".to_owned(),
            many => format!("{}.", counted(many, "ingress matches", "ingresses match")),
        })
    };
    view! {
        <div class="pop sugm">
            {hint}
            <div id="offers" role="listbox" aria-label="Suggestions">{items}</div>
            {move || none().map(|words| view! { <p class="muted mnote">{words}</p> })}
            <div class="mfoot" aria-hidden="true">
                <span><kbd class="kbd">"↑"</kbd><kbd class="kbd">"↓"</kbd>"move"</span>
                <span><kbd class="kbd">"Tab"</kbd>"take"</span>
                <span><kbd class="kbd">"-"</kbd>"not"</span>
                <span><kbd class="kbd">","</kbd>"or"</span>
                <span class="end">{small_icon("#i-search")}<kbd class="kbd">"Enter"</kbd>"search"</span>
            </div>
        </div>
    }
}
