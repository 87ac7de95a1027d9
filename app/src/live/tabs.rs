//! What the tabs of this browser share, as `boot.js` keeps it: a text that one tab at a time
//! changes, and a word that reaches the others.
//!
//! That is an IndexedDB transaction and a `BroadcastChannel`. Both are also there where the page
//! comes over plain http, unlike the Web Locks API.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Date, Function, Promise, Reflect};
use leptos::prelude::window;
use protocol::tabs::{Answer, Ask, News, Table};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Calls a function of `boot.js`; `None` where the browser keeps its storage closed.
fn call(name: &str, argument: &JsValue) -> Option<JsValue> {
    let tabs = Reflect::get(&window(), &"kubeIngressDashTabs".into()).ok()?;
    let function: Function = Reflect::get(&tabs, &name.into()).ok()?.dyn_into().ok()?;
    function.call1(&tabs, argument).ok()
}

/// One step of the table; `None` where there is no table.
pub(super) async fn step(ask: Ask) -> Option<Answer> {
    let answer = Rc::new(Cell::new(None));
    let given = Rc::clone(&answer);
    let change = Closure::<dyn FnMut(JsValue) -> JsValue>::new(move |text: JsValue| {
        let mut table = Table::decode(&text.as_string().unwrap_or_default());
        given.set(Some(table.step(ask, Date::now() as u64)));
        table.encode().into()
    });
    let changed: Promise = call("change", change.as_ref())?.dyn_into().ok()?;
    JsFuture::from(changed).await.ok()?;
    answer.get()
}

/// Tells the other tabs.
pub(super) fn tell(news: News) {
    call("tell", &news.word().into());
}

/// Hears what other tabs tell, for as long as the page lives.
pub(super) fn listen(hear: impl Fn(&str) + 'static) {
    let listener = Closure::<dyn Fn(JsValue)>::new(move |word: JsValue| {
        hear(&word.as_string().unwrap_or_default());
    });
    call("listen", listener.as_ref());
    listener.forget();
}
