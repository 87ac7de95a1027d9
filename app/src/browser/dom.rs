//! The elements of the document and its events.

use leptos::prelude::*;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, HtmlElement, NodeList};

pub(crate) fn by_id(id: &str) -> Option<HtmlElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// The first element of the document that matches a selector.
pub(crate) fn first_of(selector: &str) -> Option<HtmlElement> {
    let found = document().query_selector(selector).ok()??;
    found.dyn_into().ok()
}

/// The first element within another one that matches a selector.
pub(super) fn first_in(within: &Element, selector: &str) -> Option<HtmlElement> {
    let found = within.query_selector(selector).ok()??;
    found.dyn_into().ok()
}

/// The elements of the document that match a selector.
pub(super) fn elements(selector: &str) -> Vec<HtmlElement> {
    list(document().query_selector_all(selector))
}

/// The elements within another one that match a selector.
pub(super) fn elements_in(within: &Element, selector: &str) -> Vec<HtmlElement> {
    list(within.query_selector_all(selector))
}

fn list(found: Result<NodeList, JsValue>) -> Vec<HtmlElement> {
    let Ok(list) = found else {
        return Vec::new();
    };
    (0..list.length())
        .filter_map(|index| list.get(index)?.dyn_into().ok())
        .collect()
}

pub(super) fn target(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

pub(super) fn closest(element: &Element, selector: &str) -> Option<Element> {
    element.closest(selector).ok().flatten()
}

/// Listens on the document for as long as the page lives.
pub(super) fn on(kind: &str, listener: impl Fn(&Event) + 'static) {
    let listener = Closure::<dyn Fn(Event)>::new(move |event: Event| listener(&event));
    let _ = document().add_event_listener_with_callback(kind, listener.as_ref().unchecked_ref());
    listener.forget();
}

/// Gives the focus to the element of this id with the next frame: it was there, and another element
/// has its id now.
pub(crate) fn focus_again(id: Option<String>) {
    let Some(id) = id else { return };
    request_animation_frame(move || {
        if let Some(element) = by_id(&id) {
            let options = web_sys::FocusOptions::new();
            options.set_prevent_scroll(true);
            let _ = element.focus_with_options(&options);
        }
    });
}
