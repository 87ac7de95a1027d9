//! What the browser keeps for the next visit.

use leptos::prelude::*;
use wasm_bindgen::JsCast;

use crate::state::Ui;

pub(super) fn stored(name: &str) -> Option<String> {
    window().local_storage().ok()??.get_item(name).ok()?
}

pub(super) fn store(name: &str, value: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item(name, value);
    }
}

pub(super) fn keep(ui: Ui, name: &str, value: &str) {
    if let Ok(document) = document().dyn_into::<web_sys::HtmlDocument>() {
        let path = format!("{}/", ui.base_path());
        let _ = document.set_cookie(&format!(
            "{name}={value}; Path={path}; Max-Age=31536000; SameSite=Lax"
        ));
    }
    store(name, value);
}
