//! The page's live data: fetches the document, reads the stream, applies messages once per frame
//! and hands out signals. The decisions are `protocol::connection`'s and `protocol::table`'s.
//!
//! On the server the same handle exists with an empty table and never starts.

#[cfg(target_arch = "wasm32")]
mod engine;
#[cfg(target_arch = "wasm32")]
mod tabs;

use std::collections::BTreeMap;

use leptos::prelude::*;
use protocol::Scope;
#[cfg(target_arch = "wasm32")]
use protocol::connection::Reconnect;
use protocol::connection::State;
use protocol::message::{NamespaceStatus, StreamError};
use protocol::store::{Store, Totals};
use protocol::table::{Table, ViewId};
use protocol::tabs::Answer;
use protocol::view::Lines;

/// What the connection badge and the notices need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionView {
    /// The state.
    pub state: State,
    /// When the rows were last known to be current, in milliseconds since 1970.
    pub data_as_of_wall_ms: Option<u64>,
    /// The last message of the stream, on the clock of [`mono_now_ms`].
    pub last_message_mono_ms: Option<u64>,
    /// Since when it is in this state, in milliseconds since 1970.
    pub since_wall_ms: Option<u64>,
    /// The last failures, the newest last.
    pub failures: Vec<Lost>,
    /// What the tabs of this browser have of what they share, where that is known.
    pub tabs: Option<Answer>,
}

/// A connection that was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Why, in plain words.
    pub why: String,
    /// When, in milliseconds since 1970.
    pub at_wall_ms: u64,
}

/// The live data of the page, from the context. A copy is the same data.
#[derive(Clone, Copy, Debug)]
pub struct Live {
    /// The connection. Changes with each state and at most once per frame with each message.
    pub connection: RwSignal<ConnectionView>,
    /// Goes up once per frame that changed rows, marks, order or filter: read the table again.
    /// 0 until the first rows have come: until then the server-rendered rows are the truth.
    pub version: RwSignal<u64>,
    /// Counts over all rows of the scope.
    pub totals: RwSignal<Totals>,
    /// Rows that wait for the end of a hold.
    pub waiting: RwSignal<usize>,
    /// Whether every namespace of the scope has answered.
    pub complete: RwSignal<bool>,
    /// The namespaces watched.
    pub scope: RwSignal<Scope>,
    /// The server's build, where it is not the page's.
    pub new_build: RwSignal<Option<String>>,
    /// What fails: the whole scope first, then by namespace.
    pub errors: RwSignal<Vec<StreamError>>,
    /// When the server tries again, by namespace, on the clock of [`mono_now_ms`]; `None` is the
    /// whole scope.
    pub retries: RwSignal<BTreeMap<Option<String>, u64>>,
    /// What is not live: the whole scope first, then by namespace.
    pub states: RwSignal<Vec<NamespaceStatus>>,
    table: StoredValue<Table>,
    held: StoredValue<bool>,
}

impl Live {
    /// Creates the data and puts it into the context. Nothing is fetched until [`Live::start`].
    pub fn provide(scope: Scope) -> Self {
        let live = Self {
            connection: RwSignal::default(),
            version: RwSignal::default(),
            totals: RwSignal::default(),
            waiting: RwSignal::default(),
            complete: RwSignal::default(),
            scope: RwSignal::new(scope),
            new_build: RwSignal::default(),
            errors: RwSignal::default(),
            retries: RwSignal::default(),
            states: RwSignal::default(),
            table: StoredValue::default(),
            held: StoredValue::new(false),
        };
        provide_context(live);
        live
    }

    /// The page's live data.
    #[must_use]
    pub fn expect() -> Self {
        expect_context()
    }

    /// Starts to fetch, in the browser. `base_path` is the server's; `build` the one that the
    /// page was served by. Call it once, from an effect.
    #[cfg(target_arch = "wasm32")]
    pub fn start(self, base_path: &str, build: &str, reconnect: Reconnect) {
        engine::start(self, base_path, build, reconnect);
    }

    /// Watches other namespaces. The id is dropped, rows outside leave at once.
    pub fn set_scope(self, scope: Scope) {
        if self.scope.with_untracked(|old| *old == scope) {
            return;
        }
        self.table.update_value(|table| {
            table.set_scope(&scope);
            table.settle();
        });
        self.scope.set(scope.clone());
        #[cfg(target_arch = "wasm32")]
        engine::set_scope(scope);
        self.states.set(Vec::new());
        self.errors.set(Vec::new());
        self.publish_rows();
        self.publish_status();
    }

    /// Adds a view of the rows.
    #[must_use]
    pub fn add_view(self) -> ViewId {
        let added = self.table.try_update_value(Table::add_view);
        added.expect("the table lives as long as the page")
    }

    /// Changes the views, and tells of it.
    pub fn change(self, change: impl FnOnce(&mut Table)) {
        self.table.update_value(change);
        self.publish_rows();
    }

    /// Tries to connect at once: the button.
    pub fn retry_now(self) {
        #[cfg(target_arch = "wasm32")]
        engine::retry_now();
    }

    /// While held, rows change in place but none appears, leaves or moves.
    pub fn hold(self, held: bool) {
        if self.held.get_value() == held {
            return;
        }
        self.held.set_value(held);
        if self.with_store(Store::waiting) == 0 {
            return;
        }
        // A row that was deleted just before the hold began waits from then on.
        if !held {
            self.table.update_value(Table::settle);
        }
        self.publish_rows();
    }

    /// Reads the rows. Track [`Live::version`] to be told when to read again.
    pub fn with_store<T>(self, read: impl FnOnce(&Store) -> T) -> T {
        self.table.with_value(|table| read(table.store()))
    }

    /// Reads the lines of a view; nothing where it was removed.
    pub fn with_lines<T>(self, view: ViewId, read: impl FnOnce(Lines<'_>) -> T) -> Option<T> {
        self.table.with_value(|table| table.lines(view).map(read))
    }

    /// Tells that the rows changed. Until rows are known the server-rendered ones are the truth.
    fn publish_rows(self) {
        let (known, totals, waiting) = self.with_store(|store| {
            // A row waits for a viewer while it is held.
            let waiting = if self.held.get_value() {
                store.waiting()
            } else {
                0
            };
            (store.is_known(), store.totals(), waiting)
        });
        if !known && self.version.get_untracked() == 0 {
            return;
        }
        set_if_changed(self.totals, totals);
        set_if_changed(self.waiting, waiting);
        self.version.update(|version| *version += 1);
    }

    /// Tells what is not live. Until the stream has said a word the server-rendered is the truth.
    fn publish_status(self) {
        let (heard, complete, states, errors) = self.with_store(|table| {
            let states: Vec<_> = table
                .scope_state()
                .into_iter()
                .chain(table.states().values())
                .cloned()
                .collect();
            // The whole scope has no namespace, which sorts first.
            let errors: Vec<_> = table.errors().values().cloned().collect();
            let heard = table.is_known() || !states.is_empty();
            (heard, table.is_complete(), states, errors)
        });
        if !heard {
            return;
        }
        set_if_changed(self.complete, complete);
        set_if_changed(self.states, states);
        set_if_changed(self.errors, errors);
        set_if_changed(
            self.retries,
            self.with_store(|store| store.retries().clone()),
        );
    }
}

fn set_if_changed<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}

/// The browser's monotonic clock, the one of marks and of [`State`], in milliseconds; 0 on the
/// server.
#[must_use]
pub fn mono_now_ms() -> u64 {
    #[cfg(target_arch = "wasm32")]
    return window().performance().map_or(0, |clock| clock.now() as u64);
    #[cfg(not(target_arch = "wasm32"))]
    0
}
