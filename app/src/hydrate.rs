//! The start in the browser: the page takes over what the server rendered.

use std::time::Duration;

use leptos::prelude::*;
use protocol::json;
use wasm_bindgen_futures::spawn_local;

use crate::browser::dom::{by_id, first_of};
use crate::components::app::App;
use crate::page::{DATA_ID, PageData};
use crate::query::Query;
use crate::{ROOT_ID, parts};

/// Takes over the server-rendered page. Without its data it stays as it is.
pub fn hydrate() {
    let data = by_id(DATA_ID)
        .and_then(|element| element.text_content())
        .and_then(|json| json::read::<PageData>(json.as_bytes()).ok());
    let (Some(data), Some(root)) = (data, by_id(ROOT_ID)) else {
        return;
    };
    let has_drawer = Query::parse(&data.query).selected.is_some();
    let has_instead = first_of("main > :is(.empty, .reach)").is_some();
    let take_over = move || {
        leptos::mount::hydrate_from(root, move || view! { <App data/> }).forget();
    };
    if !has_drawer && !has_instead {
        return take_over();
    }
    // Markup is taken over at once and whole: the parts that made it have to be here.
    spawn_local(async move {
        let drawer = !has_drawer || parts::drawer::load().await.is_ok();
        let instead = !has_instead || parts::instead::load().await.is_ok();
        if drawer && instead {
            take_over();
        } else {
            set_timeout(hydrate, Duration::from_secs(2));
        }
    });
}
