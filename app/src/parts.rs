//! Parts of the page that its first view does not need. Each is WebAssembly of its own, which the
//! browser loads when the page is idle, or before that when a person opens it.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
#[cfg(target_arch = "wasm32")]
use std::time::Duration;

use leptos::prelude::*;
use wasm_split_helpers::SplitLoaderError;

use crate::state::Ui;

/// What is there once a part is.
pub type Loaded<T> = Pin<Box<dyn Future<Output = Result<T, SplitLoaderError>>>>;

/// Where no rows come, parts are loaded after this time.
#[cfg(target_arch = "wasm32")]
const WITHOUT_ROWS: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Absent,
    Loading,
    Here,
    Failed,
}

/// Whether a part is here, and how it comes.
#[derive(Clone, Copy)]
pub struct Part {
    ui: Ui,
    state: RwSignal<State>,
    /// Whether its view was wanted before it was here.
    awaited: StoredValue<bool>,
    load: fn() -> Loaded<()>,
}

impl Part {
    /// A part that is loaded when the page is idle. The server has all of them, and the browser the
    /// one that the first markup shows (`shown`): it waits for it before it takes the markup over.
    pub fn new(ui: Ui, load: fn() -> Loaded<()>, shown: bool) -> Self {
        let here = shown || !cfg!(target_arch = "wasm32");
        let state = RwSignal::new(if here { State::Here } else { State::Absent });
        let part = Self {
            ui,
            state,
            awaited: StoredValue::new(false),
            load,
        };
        #[cfg(target_arch = "wasm32")]
        if !here {
            // Until rows have come the line is theirs; where none come it is free a little later.
            Effect::new(move |loads: Option<bool>| {
                let loads = loads.unwrap_or_default();
                if loads || !ui.is_fed() {
                    return loads;
                }
                request_idle_callback(move || part.load());
                true
            });
            set_timeout(move || part.load(), WITHOUT_ROWS);
        }
        part
    }

    fn load(self) {
        if !matches!(
            self.state.try_get_untracked(),
            Some(State::Absent | State::Failed)
        ) {
            return;
        }
        self.state.set(State::Loading);
        leptos::task::spawn_local(async move {
            let loaded = (self.load)().await;
            let state = if loaded.is_ok() {
                State::Here
            } else {
                State::Failed
            };
            let awaited = self.awaited.try_get_value().unwrap_or_default();
            if self.state.try_set(state).is_none()
                && awaited
                && self.ui.popup.with_untracked(Option::is_some)
            {
                // The popup that waited for this part is there, and takes the focus. Another one
                // would be made anew.
                self.ui.popup.notify();
            }
        });
    }

    /// The view, at once where the part is here; else nothing while it is on its way, or that it
    /// could not be loaded, in an element of the class.
    pub fn show(self, class: &'static str, view: Loaded<AnyView>) -> Option<AnyView> {
        match self.state.get() {
            State::Here => at_once(view),
            State::Loading | State::Absent => {
                self.awaited.set_value(true);
                self.load();
                None
            }
            State::Failed => Some(
                view! {
                    <div class=class role="alert" tabindex="-1">
                        <div class="empty">
                            <p>"This part of the page could not be loaded."</p>
                            <button class="btn" type="button" on:click=move |_| self.load()>"Try again"</button>
                        </div>
                    </div>
                }
                .into_any(),
            ),
        }
    }
}

/// The result of what waits for nothing, as the functions of a part that is here.
fn at_once<T>(mut view: Loaded<T>) -> Option<T> {
    match view.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(view)) => Some(view),
        _ => None,
    }
}

/// The drawer with the details of an ingress.
pub mod drawer {
    #![allow(
        unsafe_code,
        clippy::unnecessary_wraps,
        reason = "the macro imports and exports the function, and wants a Result of it"
    )]

    use leptos::prelude::*;
    use protocol::Key;
    use wasm_split_helpers::{SplitLoaderError, wasm_split};

    use super::Loaded;
    use crate::components::details;

    /// Makes the drawer.
    pub fn view(key: Key, walks: bool) -> Loaded<AnyView> {
        Box::pin(drawer(key, walks))
    }

    /// Loads the part.
    pub fn load() -> Loaded<()> {
        Box::pin(load_drawer())
    }

    #[wasm_split(drawer, fallible, preload(load_drawer))]
    fn drawer(key: Key, walks: bool) -> Result<AnyView, SplitLoaderError> {
        Ok(details::drawer(key, walks))
    }
}

/// What stands in the place of a table that has nothing to show.
pub mod instead {
    #![allow(
        unsafe_code,
        clippy::unnecessary_wraps,
        reason = "the macro imports and exports the function, and wants a Result of it"
    )]

    use leptos::prelude::*;
    use wasm_split_helpers::{SplitLoaderError, wasm_split};

    use super::Loaded;
    use crate::components::instead::{Instead, instead_of_table};

    /// Makes it.
    pub fn view(instead: Instead) -> Loaded<AnyView> {
        Box::pin(make(instead))
    }

    /// Loads the part.
    pub fn load() -> Loaded<()> {
        Box::pin(load_instead())
    }

    #[wasm_split(instead, fallible, preload(load_instead))]
    fn make(instead: Instead) -> Result<AnyView, SplitLoaderError> {
        Ok(instead_of_table(instead))
    }
}

/// The choice of namespaces.
pub mod namespaces {
    #![allow(
        unsafe_code,
        clippy::unnecessary_wraps,
        reason = "the macro imports and exports the function, and wants a Result of it"
    )]

    use leptos::prelude::*;
    use wasm_split_helpers::{SplitLoaderError, wasm_split};

    use super::Loaded;
    use crate::components::namespaces;

    /// Makes the popover.
    pub fn view() -> Loaded<AnyView> {
        Box::pin(picker())
    }

    /// Loads the part.
    pub fn load() -> Loaded<()> {
        Box::pin(load_picker())
    }

    #[wasm_split(namespaces, fallible, preload(load_picker))]
    fn picker() -> Result<AnyView, SplitLoaderError> {
        Ok(namespaces::picker())
    }
}

/// What floats at a place of the window, help and settings.
pub mod popups {
    #![allow(
        unsafe_code,
        clippy::unnecessary_wraps,
        reason = "the macro imports and exports the function, and wants a Result of it"
    )]

    use leptos::prelude::*;
    use wasm_split_helpers::{SplitLoaderError, wasm_split};

    use super::Loaded;
    use crate::components::popups;
    use crate::state::{Popup, Ui};

    /// Makes the popup.
    pub fn view(ui: Ui, popup: Popup) -> Loaded<AnyView> {
        Box::pin(body(Box::new((ui, popup))))
    }

    /// Loads the part.
    pub fn load() -> Loaded<()> {
        Box::pin(load_popups())
    }

    #[wasm_split(popups, fallible, preload(load_popups))]
    fn body(of: Box<(Ui, Popup)>) -> Result<AnyView, SplitLoaderError> {
        let (ui, popup) = *of;
        Ok(popups::popup(ui, popup).into_any())
    }
}
