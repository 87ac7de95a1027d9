//! What floats at a place of the window: the other hosts and paths of a row, the theme, a text to
//! copy by hand.

use leptos::html::Div;
use leptos::prelude::*;
use protocol::filter::Field;
use protocol::view::Grouping;

use super::compare::compare;
use super::help::help;
use super::icons::{classed_icon, icon, small_icon};
use super::menus::{columns_menu, facet, facet_name, group_menu, row_menu};
use super::row::host;
use super::settings::settings;
use crate::actions::{Action, Opens};
use crate::format;
use crate::page::Theme;
use crate::parts::{self, Part};
use crate::state::{Popup, Ui};

/// The open popup, if it is one of these. Its place is set from script, never by a style attribute.
#[component]
pub fn RowPopup() -> impl IntoView {
    let ui = Ui::expect();
    let part = Part::new(ui, parts::popups::load, false);
    move || match ui.popup.get()? {
        Popup::Namespaces | Popup::Connect | Popup::Grant => None,
        popup => part.show("pop hostpop", parts::popups::view(ui, popup)),
    }
}

/// The popup, unless it has a place of its own; [`parts`] has it.
pub(crate) fn popup(ui: Ui, popup: Popup) -> Option<AnyView> {
    let (at, label, body) = match popup {
        Popup::Hosts(row, at) => {
            let items = row.hosts.iter().map(|name| {
                    let copy = name.clone();
                    let label = format!("Copy {name}");
                    view! {
                        <li>
                            {host(name, row.tls, &[])}
                            <span></span>
                            <button type="button" data-act=Action::Copy.id() data-text=copy aria-label=label>{small_icon("#i-copy")}</button>
                        </li>
                    }
                });
            let title = format!(
                "{} of {}",
                format::counted(row.host_count(), "host", "hosts"),
                row.name
            );
            let rest = rest(row.more.as_ref().map_or(0, |more| more.hosts));
            let body =
                view! { <h2>{title.clone()}</h2><ul>{items.collect_view()}</ul>{rest} }.into_any();
            (at, title, body)
        }
        Popup::Routes(row, at) => {
            let items = format::folded_routes(&row).into_iter().map(|(hosts, route)| {
                    let target = format::shown(&format!("{}{}", route.target, route.port));
                    let asked = format::asked_by(&hosts, &route);
                    let names = (hosts.len() > 1).then(|| format::shown(&hosts.join(", ")));
                    // What can be asked for: each host with the path.
                    let copy: Vec<_> = (hosts.iter())
                        .map(|host| format!("{}{}", host.trim_start_matches('*'), route.path))
                        .collect();
                    let label = format!("Copy {asked}");
                    // The default backend is asked by nothing in particular.
                    let can_be_asked = !route.path_type.is_empty();
                    view! {
                        <li title=names>
                            <span class="anywhere">{asked}</span>
                            {classed_icon("icon arr", "#i-arr")}
                            <span class="anywhere">{target}</span>
                            {can_be_asked.then(|| view! {
                                <button type="button" data-act=Action::Copy.id() data-text=copy.join("\n") aria-label=label title="Copy">{small_icon("#i-copy")}</button>
                            })}
                        </li>
                    }
                });
            let rest = rest(row.more.as_ref().map_or(0, |more| more.paths));
            let title = format!(
                "{} of {}",
                format::counted(format::route_count(&row), "path", "paths"),
                row.name
            );
            let body =
                view! { <h2>{title.clone()}</h2><ul class="routes">{items.collect_view()}</ul>{rest} }
                    .into_any();
            (at, title, body)
        }
        Popup::Theme(at) => {
            let items = Theme::ALL.map(|theme| {
                let (glyph, words) = match theme {
                    Theme::System => ("#i-monitor", "Like the system"),
                    Theme::Light => ("#i-sun", "Light"),
                    Theme::Dark => ("#i-moon", "Dark"),
                };
                let on = move || ui.choices.theme.get() == theme;
                view! {
                    <button
                        class=move || if on() { "mi on" } else { "mi" }
                        type="button"
                        role="menuitemradio"
                        data-theme-choice=theme.id()
                        aria-checked=move || if on() { "true" } else { "false" }
                    >
                        {icon(glyph)}
                        <span class="grow trunc">{words}</span>
                    </button>
                }
            });
            let body = view! { <div role="menu" aria-label="Theme">{items.into_iter().collect_view()}</div> }.into_any();
            (at, "Theme".into(), body)
        }
        Popup::Copy(text) => {
            let body = view! {
                    <h2>"Press Ctrl C to copy"</h2>
                    <textarea class="area" readonly rows="3" aria-label="Text to copy">{text}</textarea>
                    <p class="muted">"The browser keeps the clipboard closed here. The text is selected."</p>
                }
                .into_any();
            ((16.0, 64.0), "Copy by hand".into(), body)
        }
        Popup::Filters(at) => {
            let chips = [Field::Class, Field::Tls, Field::Label].map(|field| {
                let chosen = ui.table.filter.with_untracked(|filter| {
                    filter
                        .term(field)
                        .map(ToString::to_string)
                        .unwrap_or_default()
                });
                opener(
                    Opens::Facet,
                    "#i-filter",
                    facet_name(field),
                    field.key(),
                    chosen,
                )
            });
            let scope = ui.live.scope.with_untracked(format::namespaces);
            let grouping = ui.table.grouping.get_untracked();
            let group = grouping.map_or("not grouped", Grouping::words);
            let body = view! {
                <h2 class="mh">"Filter"</h2>
                <div role="menu" aria-label="Filter">
                    {opener(Opens::Namespaces, "#i-ns", "Namespaces", "", scope)}
                    {chips.into_iter().collect_view()}
                    {opener(Opens::Group, "#i-group", "Group", "", group.into())}
                </div>
            };
            (at, "Filter".into(), body.into_any())
        }
        Popup::Menu(at) => {
            let theme = match ui.choices.theme.get_untracked() {
                Theme::System => "like the system",
                Theme::Light => "light",
                Theme::Dark => "dark",
            };
            let body = view! {
                <div role="menu" aria-label="Menu">
                    {opener(Opens::Theme, "#i-sun", "Theme", "", theme.into())}
                    {opener(Opens::Settings, "#i-gear", "Settings", "", String::new())}
                    {opener(Opens::Help, "#i-help", "Keyboard help", "", String::new())}
                </div>
            };
            (at, "Menu".into(), body.into_any())
        }
        Popup::Compare(first, second) => {
            return Some(
                view! { <div class="pop scrim">{compare(first, second)}</div> }.into_any(),
            );
        }
        Popup::Connection(at) => {
            let lines = move || {
                let line = |(name, text)| view! { <dt>{name}</dt><dd>{text}</dd> };
                ui.facts().report().into_iter().map(line).collect_view()
            };
            let body = view! { <h2>"Connection"</h2><dl class="report">{lines}</dl> };
            (at, "Connection".into(), body.into_any())
        }
        Popup::Group(at) => (at, "Group".into(), group_menu(ui).into_any()),
        Popup::Columns(at) => (at, "Columns".into(), columns_menu(ui).into_any()),
        Popup::Facet(field, at) => (
            at,
            format!("Filter by {}", facet_name(field)),
            facet(ui, field).into_any(),
        ),
        Popup::Row(row, at) => (at, "Row".into(), row_menu(ui, &row).into_any()),
        Popup::Help => {
            return Some(view! { <div class="pop scrim">{help(ui)}</div> }.into_any());
        }
        Popup::Settings => {
            return Some(view! { <div class="pop scrim">{settings(ui)}</div> }.into_any());
        }
        Popup::Namespaces | Popup::Connect | Popup::Grant => return None,
    };
    let element = NodeRef::<Div>::new();
    #[cfg(target_arch = "wasm32")]
    crate::browser::popups::place_popup(ui, element, at);
    #[cfg(not(target_arch = "wasm32"))]
    let _ = at;
    Some(view! {
            <div class="pop hostpop" role="dialog" aria-label=label tabindex="-1" node_ref=element>{body}</div>
        }
        .into_any())
}

/// An entry of a menu that opens something else; at its end, what is chosen there.
fn opener(
    popup: Opens,
    glyph: &'static str,
    words: &'static str,
    field: &'static str,
    chosen: String,
) -> impl IntoView {
    view! {
        <button class="mi" type="button" role="menuitem" data-popup=popup.id() data-field=field>
            {icon(glyph)}
            <span class="grow">{words}</span>
            <span class="e trunc">{chosen}</span>
            {small_icon("#i-right")}
        </button>
    }
}

/// What a list says of those that the row of a large ingress leaves out.
fn rest(count: usize) -> Option<impl IntoView> {
    (count > 0).then(|| {
        let text = format!("{count} more are in the YAML tab of the details.");
        view! { <p class="muted">{text}</p> }
    })
}
