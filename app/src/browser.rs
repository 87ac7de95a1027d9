//! The page in the browser: its start, and the events that it listens to.
//!
//! Rows have no listeners of their own. One listener per kind of event sits on the document and
//! reads what an element says of itself (`data-act`, `data-popup`, `data-place`).

mod acts;
mod address;
mod announcing;
mod choices;
mod clicks;
mod copying;
mod details;
pub(crate) mod dom;
mod dragging;
pub(crate) mod fetch;
mod focus;
mod holding;
mod keys;
mod lines;
mod missing;
mod moving;
mod outside;
mod picking;
mod pool;
pub(crate) mod popups;
mod searching;
mod storage;

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, HtmlInputElement};

use self::address::{read_address, write_address, write_title};
use self::announcing::{announce_currency, announce_matches};
use self::choices::{SINGLE_KEYS, keep_choices, recall_namespaces};
use self::clicks::{clicked, pressed_twice};
use self::details::follow_selection;
use self::dom::{on, target};
use self::holding::{hold_now, point_at};
use self::keys::key_pressed;
use self::lines::wrap;
use self::missing::follow_missing;
use self::pool::{fill_pool, mark_cut, measure, scrolled, size_spacers, to_top};
use self::popups::focus_popup;
use self::storage::stored;
use crate::live::mono_now_ms;
use crate::state::Ui;

/// Brings the page to life once its markup is taken over.
pub(crate) fn start(ui: Ui) {
    // Effects run after hydration, so the first markup stays what the server rendered.
    Effect::new(move |started: Option<()>| {
        if started.is_none() {
            let (base, build) = ui
                .cluster
                .with_value(|cluster| (cluster.base_path.clone(), cluster.build.clone()));
            leptos::server_fn::client::set_server_url(Box::leak(base.clone().into_boxed_str()));
            ui.hydrated.set(true);
            ui.choices
                .single_keys
                .set(stored(SINGLE_KEYS).as_deref() != Some("off"));
            ui.set_search(&ui.table.text.get_untracked());
            dragging::restore_drawer();
            recall_namespaces(ui);
            tick(ui);
            set_interval(move || tick(ui), Duration::from_secs(1));
            listen(ui);
            ui.live.start(&base, &build, ui.reconnect);
        }
    });
    follow_selection(ui);
    write_address(ui);
    write_title(ui);
    announce_currency(ui);
    outside::follow(ui);
    announce_matches(ui);
    keep_choices(ui);
    searching::suggest(ui);
    searching::keep_count(ui);
    focus_popup(ui);
    follow_missing(ui);
}

/// Brings one of the page's tables to life, as the page sees it.
pub(crate) fn start_table(ui: Ui) {
    fill_pool(ui);
    size_spacers(ui);
    picking::drop_gone(ui);
    Effect::new(move |_| {
        // What changes the widths of columns.
        ui.table.layout.track();
        ui.details.selected.track();
        mark_cut(ui);
    });
    Effect::new(move |listens: Option<()>| {
        if listens.is_some() {
            return;
        }
        let _ = wrap(ui).map(|table| {
            let listener = Closure::<dyn Fn()>::new(move || scrolled(ui));
            let added =
                table.add_event_listener_with_callback("scroll", listener.as_ref().unchecked_ref());
            listener.forget();
            added
        });
        scrolled(ui);
    });
}

/// Does something in every table.
fn each_table(ui: Ui, act: impl Fn(Ui)) {
    for number in 0..ui.tables.with_value(Vec::len) {
        act(ui.of_table(number));
    }
}

fn tick(ui: Ui) {
    ui.clock.now.set(js_sys::Date::now() as i64);
    ui.clock.mono.set(mono_now_ms());
}

fn listen(ui: Ui) {
    on("click", move |event| clicked(ui, event));
    on("keydown", move |event| {
        if let Some(event) = event.dyn_ref() {
            key_pressed(ui, event);
        }
    });
    on("input", move |event| {
        if let Some(input) =
            target(event).and_then(|target| target.dyn_into::<HtmlInputElement>().ok())
            && input.id() == "search"
        {
            searching::typed(ui, &input);
            to_top(ui);
        }
    });
    on("focusout", move |event| searching::left(ui, event));
    on("contextmenu", move |event| acts::context_menu(ui, event));
    on("pointerdown", move |event| {
        // What is pressed takes the focus, if it can.
        each_table(ui, |ui| ui.table.note(|table| table.follows = false));
        searching::pressed(ui, event);
        dragging::begin(ui, event);
    });
    on("mousedown", searching::keep_focus);
    on("dblclick", move |event| pressed_twice(ui, event));
    on("submit", Event::prevent_default);
    on("pointerover", move |event| point_at(ui, event));
    on("pointermove", move |_| hold_now(ui));
    on("focusin", move |event| point_at(ui, event));
    let _ = window_event_listener_untyped("resize", move |_| {
        measure(ui);
        each_table(ui, |ui| {
            scrolled(ui);
            mark_cut(ui);
        });
    });
    let _ = window_event_listener_untyped("popstate", move |_| read_address(ui));
    measure(ui);
}
