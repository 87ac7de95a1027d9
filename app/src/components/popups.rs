//! What floats at a place of the window: the other hosts and paths of a row, the theme, a text to
//! copy by hand.

use leptos::html::Div;
use leptos::prelude::*;

use super::help::help;
use super::icons::{icon, small_icon};
use super::menus::{columns_menu, facet, facet_name, group_menu, row_menu};
use super::row::host;
use super::settings::settings;
use crate::format;
use crate::page::Theme;
use crate::state::{Popup, Ui};

/// The open popup, if it is one of these. Its place is set from script, never by a style attribute.
#[component]
pub fn RowPopup() -> impl IntoView {
    let ui = Ui::expect();
    move || {
        let (at, label, body) = match ui.popup.get()? {
            Popup::Hosts(row, at) => {
                let items = row.hosts.iter().map(|name| {
                    let copy = name.clone();
                    let label = format!("Copy {name}");
                    view! {
                        <li>
                            {host(name, row.tls, &[])}
                            <span></span>
                            <button type="button" data-act="copy" data-text=copy aria-label=label>{small_icon("#i-copy")}</button>
                        </li>
                    }
                });
                let title = format!(
                    "{} of {}",
                    format::counted(row.host_count(), "host", "hosts"),
                    row.name
                );
                let body =
                    view! { <h2>{title.clone()}</h2><ul>{items.collect_view()}</ul> }.into_any();
                (at, title, body)
            }
            Popup::Routes(row, at) => {
                let items = format::routes(&row).map(|route| {
                    let text = format!("{}{}", route.target, route.port);
                    view! {
                        <li>
                            <span class="trunc" title=route.path.clone()><span class="path">{route.path.clone()}</span></span>
                            <span class="trunc" title=text.clone()>{text.clone()}</span>
                        </li>
                    }
                });
                let title = format!(
                    "{} of {}",
                    format::counted(format::route_count(&row), "path", "paths"),
                    row.name
                );
                let body =
                    view! { <h2>{title.clone()}</h2><ul>{items.collect_view()}</ul> }.into_any();
                (at, title, body)
            }
            Popup::Theme(at) => {
                let items = Theme::ALL.map(|theme| {
                    let (glyph, words) = match theme {
                        Theme::System => ("#i-monitor", "Like the system"),
                        Theme::Light => ("#i-sun", "Light"),
                        Theme::Dark => ("#i-moon", "Dark"),
                    };
                    let on = move || ui.theme.get() == theme;
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
            Popup::Namespaces | Popup::Connect => return None,
        };
        let element = NodeRef::<Div>::new();
        #[cfg(feature = "hydrate")]
        if cfg!(target_arch = "wasm32") {
            crate::browser::place_popup(ui, element, at);
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = at;
        Some(view! {
            <div class="pop hostpop" role="dialog" aria-label=label tabindex="-1" node_ref=element>{body}</div>
        }
        .into_any())
    }
}
