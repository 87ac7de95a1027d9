//! What floats over the page: how it opens, its place, and the focus.

use leptos::html::Div;
use leptos::prelude::*;
use protocol::filter::Field;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement};

use super::dom::closest;
use super::focus::focus_line;
use super::lines::line_of;
use super::moving::current_key;
use crate::actions::Opens;
use crate::state::{Popup, Ui};

pub(super) fn open_popup(ui: Ui, opener: &Element) {
    let rect = opener.get_bounding_client_rect();
    let below = (rect.left(), rect.bottom() + 6.0);
    let Some(opens) = opener
        .get_attribute("data-popup")
        .and_then(|id| Opens::of(&id))
    else {
        return;
    };
    let popup = match opens {
        Opens::Namespaces => Popup::Namespaces,
        Opens::Theme => Popup::Theme((rect.right() - 240.0, rect.bottom() + 6.0)),
        Opens::Connect => Popup::Connect,
        Opens::Grant => Popup::Grant,
        Opens::Filters => Popup::Filters(below),
        Opens::Menu => Popup::Menu(below),
        Opens::Connection => Popup::Connection(below),
        Opens::Group => Popup::Group(below),
        Opens::Columns => Popup::Columns(below),
        Opens::Help => Popup::Help,
        Opens::Settings => Popup::Settings,
        Opens::Facet => {
            let key = opener.get_attribute("data-field").unwrap_or_default();
            match Field::of_key(&key) {
                Some(field) => Popup::Facet(field, below),
                None => return,
            }
        }
    };
    let open = ui
        .popup
        .with_untracked(|open| match (open.as_ref(), &popup) {
            (Some(Popup::Facet(open, _)), Popup::Facet(asked, _)) => open == asked,
            (open, _) => open
                .is_some_and(|open| std::mem::discriminant(open) == std::mem::discriminant(&popup)),
        });
    ui.popup.set((!open).then_some(popup));
}

/// Sets the place of a popup that belongs to a point of the window, within its edges. On a phone
/// it is a sheet at the lower edge.
pub(crate) fn place_popup(ui: Ui, element: NodeRef<Div>, (x, y): (f64, f64)) {
    Effect::new(move |_| {
        let Some(element) = element.get() else { return };
        if ui.cards.get_untracked() {
            return;
        }
        let extent = |value: Result<JsValue, JsValue>| {
            value.ok().and_then(|value| value.as_f64()).unwrap_or(800.0)
        };
        let (width, height) = (
            extent(window().inner_width()),
            extent(window().inner_height()),
        );
        let left = x
            .min(width - f64::from(element.offset_width()) - 12.0)
            .max(12.0);
        let top = y.min(height - 240.0).max(12.0);
        let style = web_sys::HtmlElement::style(&element);
        let _ = style.set_property("left", &format!("{}px", left as i64));
        let _ = style.set_property("top", &format!("{}px", top as i64));
        let _ = style.set_property("max-height", &format!("{}px", (height - top - 12.0) as i64));
    });
}

/// An opened popup gets the focus; a closed one gives it back to what had it, unless a press has
/// taken it elsewhere: to the row that the keys were at (its element may show another row by now,
/// and the focus is a frame behind the keys), else to the element.
pub(super) fn focus_popup(ui: Ui) {
    let opener = StoredValue::new_local(None::<HtmlElement>);
    Effect::new(move |before: Option<bool>| {
        let open = ui.popup.with(Option::is_some);
        if open && before != Some(true) {
            let active = document()
                .active_element()
                .filter(|active| active.tag_name() != "BODY" && line_of(ui, active).is_none())
                .and_then(|active| active.dyn_into().ok());
            opener.set_value(active);
        }
        if open {
            request_animation_frame(move || {
                // The first field, else what is chosen, else the popup itself.
                let inside = [
                    ".pop input:not([type=checkbox])",
                    ".pop textarea",
                    ".pop .mi.on",
                    ".pop .mi",
                    ".pop [aria-modal]",
                    ".pop",
                ];
                let first = inside
                    .iter()
                    .filter_map(|selector| document().query_selector(selector).ok().flatten())
                    .filter_map(|element| element.dyn_into::<HtmlElement>().ok())
                    .find(|element| element.client_width() > 0);
                if let Some(first) = first {
                    let _ = first.focus();
                    if let Some(text) = first.dyn_ref::<web_sys::HtmlTextAreaElement>() {
                        text.select();
                    }
                }
            });
        } else if before == Some(true) && !is_elsewhere() {
            if let Some(opener) = opener.get_value() {
                let _ = opener.focus();
            } else if let Some(key) = current_key(ui) {
                focus_line(ui, key);
            }
        }
        open
    });
}

/// Whether the focus is in something other than a popup.
fn is_elsewhere() -> bool {
    let active = document().active_element();
    active.is_some_and(|active| active.tag_name() != "BODY" && closest(&active, ".pop").is_none())
}
