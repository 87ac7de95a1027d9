//! What the page holds besides the live data: the pool of rows, what is open, the clock, and what
//! the address says.

use std::sync::Arc;

use leptos::prelude::*;
use protocol::table::RowView;
use protocol::{Ingress, Key, Scope};

use crate::backend::{ClusterInfo, Rows};
use crate::live::Live;
use crate::page::{Density, POOL, PageData, Theme};
use crate::query::{Query, Sort, Tab};
use crate::status::{Currency, Facts};

/// One element of the pool.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// The row in it, and where that is in the view.
    pub cell: RwSignal<Option<Cell>>,
    /// Whether the pointer or the focus is in it: only then it has its buttons.
    pub active: RwSignal<bool>,
}

/// A row in an element of the pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Where the row is in the view.
    pub index: usize,
    /// The row.
    pub view: RowView,
    /// Whether its change may flash: not where very much changed at once.
    pub flash: bool,
}

/// The ingress whose details are open.
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    /// Its last known state.
    pub row: Arc<Ingress>,
    /// When it was seen to be deleted, in milliseconds since 1970.
    pub deleted_at: Option<i64>,
}

/// What floats over the page; one at a time.
#[derive(Clone, Debug, PartialEq)]
pub enum Popup {
    /// The choice of namespaces.
    Namespaces,
    /// Light, dark, or like the system, at a place of the window.
    Theme((f64, f64)),
    /// How to start with a cluster of one's own.
    Connect,
    /// Every host of a row, at a place of the window.
    Hosts(Arc<Ingress>, (f64, f64)),
    /// Every path of a row.
    Routes(Arc<Ingress>, (f64, f64)),
    /// A text that the browser did not let us copy.
    Copy(String),
}

/// The page's state, from the context. A copy is the same state.
#[derive(Clone, Copy)]
pub struct Ui {
    /// The live data.
    pub live: Live,
    /// The cluster and the server.
    pub cluster: StoredValue<ClusterInfo>,
    /// The rows and counts that the server rendered: the truth until the live data has some.
    pub first: StoredValue<Rows>,
    /// What of the address is refused, in plain words.
    pub refused: RwSignal<Option<String>>,
    /// The pool.
    pub slots: StoredValue<Vec<Slot>>,
    /// The first row of the view that is in the pool.
    pub start: RwSignal<usize>,
    /// The row that the keys are at.
    pub current: RwSignal<Option<Key>>,
    /// The ingress whose details are asked for.
    pub selected: RwSignal<Option<Key>>,
    /// What the details show.
    pub detail: RwSignal<Option<Detail>>,
    /// The tab of the details.
    pub tab: RwSignal<Tab>,
    /// What floats over the page.
    pub popup: RwSignal<Option<Popup>>,
    /// Milliseconds since 1970, once a second.
    pub now: RwSignal<i64>,
    /// The monotonic clock, once a second.
    pub mono: RwSignal<u64>,
    /// Whether the browser has taken over.
    pub hydrated: RwSignal<bool>,
    /// Light, dark, or like the system.
    pub theme: RwSignal<Theme>,
    /// How high a row is.
    pub density: RwSignal<Density>,
    /// How current the page is.
    pub currency: Memo<Currency>,
    /// Whether the details leave the table room for fewer columns.
    pub narrow: Memo<bool>,
    /// What is announced to assistive technology.
    pub announced: RwSignal<String>,
    /// Parameters of the address that this build does not know.
    pub other: StoredValue<Vec<(String, String)>>,
}

impl Ui {
    /// The state that the first markup is made of, put into the context.
    #[must_use]
    pub fn provide(data: PageData) -> Self {
        let query = Query::parse(&data.query);
        let (scope, _) = query.scope(data.cluster.max_namespaces);
        let live = Live::provide(
            scope,
            &query.search,
            (query.sort.column, query.sort.direction),
        );
        let offset = (query.page - 1).saturating_mul(POOL);
        let mut rows = data.rows;
        let mut items = std::mem::take(&mut rows.items).into_iter();
        let slots = (0..POOL)
            .map(|place| Slot {
                cell: RwSignal::new(items.next().map(|row| Cell {
                    index: offset + place,
                    view: RowView {
                        ingress: Arc::new(row),
                        mark: None,
                        old: false,
                        deleted: false,
                    },
                    flash: false,
                })),
                active: RwSignal::new(false),
            })
            .collect();
        let detail = data.selected.map(|row| Detail {
            row: Arc::new(row),
            deleted_at: None,
        });
        let ui = Self {
            live,
            cluster: StoredValue::new(data.cluster),
            first: StoredValue::new(rows),
            refused: RwSignal::new(data.refused),
            slots: StoredValue::new(slots),
            start: RwSignal::new(0),
            current: RwSignal::new(None),
            selected: RwSignal::new(query.selected),
            detail: RwSignal::new(detail),
            tab: RwSignal::new(query.tab),
            popup: RwSignal::new(None),
            now: RwSignal::new(data.now),
            mono: RwSignal::new(0),
            hydrated: RwSignal::new(false),
            theme: RwSignal::new(data.theme),
            density: RwSignal::new(data.density),
            announced: RwSignal::default(),
            other: StoredValue::new(query.other),
            narrow: Memo::new(|_| Self::expect().selected.with(Option::is_some)),
            currency: Memo::new(|_| Self::expect().facts().currency()),
        };
        provide_context(ui);
        ui
    }

    /// The page's state.
    #[must_use]
    pub fn expect() -> Self {
        expect_context()
    }

    /// Whether rows have come over the stream. Until then the server-rendered ones hold.
    #[must_use]
    pub fn is_fed(self) -> bool {
        self.live.version.get() > 0
    }

    /// Whether any rows are known, be it from the server's markup.
    #[must_use]
    pub fn is_known(self) -> bool {
        self.is_fed() || self.first.with_value(|rows| rows.synced)
    }

    /// [`Ui::is_fed`] without tracking it.
    #[must_use]
    pub fn is_fed_untracked(self) -> bool {
        self.live.version.get_untracked() > 0
    }

    /// How many rows match the filter.
    #[must_use]
    pub fn matching(self) -> usize {
        if self.live.filter.with(|filter| filter.trim().is_empty()) {
            // While the rows are held the view is behind the totals, and no filter is to blame.
            self.total()
        } else if self.is_fed() {
            self.live.matching.get()
        } else {
            self.first.with_value(|rows| rows.matching)
        }
    }

    /// How many rows the scope has.
    #[must_use]
    pub fn total(self) -> usize {
        if self.is_fed() {
            self.live.totals.get().rows
        } else {
            self.first.with_value(|rows| rows.total)
        }
    }

    /// The order of the rows.
    #[must_use]
    pub fn sort(self) -> Sort {
        let (column, direction) = self.live.sort.get();
        Sort { column, direction }
    }

    /// The path under which everything is served.
    #[must_use]
    pub fn base_path(self) -> String {
        self.cluster.with_value(|cluster| cluster.base_path.clone())
    }

    /// What the address says about the page as it is, tracked.
    #[must_use]
    pub fn query(self) -> Query {
        Query {
            namespaces: self
                .live
                .scope
                .with(|scope| scope.names().cloned().unwrap_or_default()),
            search: self.live.filter.get(),
            sort: self.sort(),
            selected: self.selected.get(),
            tab: self.tab.get(),
            page: 1,
            other: self.other.get_value(),
        }
    }

    /// A link to this page with something else in its address.
    #[must_use]
    pub fn href(self, change: impl FnOnce(&mut Query)) -> String {
        let mut query = self.query();
        change(&mut query);
        self.cluster
            .with_value(|cluster| format!("{}/{}", cluster.base_path, query.to_query_string()))
    }

    /// What the badge and the notices are made of.
    #[must_use]
    pub fn facts(self) -> Facts {
        self.cluster.with_value(|cluster| Facts {
            connection: self.live.connection.get(),
            states: self.live.states.get(),
            errors: self.live.errors.get(),
            known: self.is_known(),
            answered: cluster.answered,
            simulated: cluster.simulated,
            namespaces: self.namespaces(),
            mono: self.mono.get(),
            clock: crate::state::clock,
        })
    }

    /// How many namespaces are watched, as far as that is known.
    #[must_use]
    pub fn namespaces(self) -> usize {
        match self
            .live
            .scope
            .with(|scope| scope.names().map(std::collections::BTreeSet::len))
        {
            Some(named) => named,
            None => self.first.with_value(|rows| rows.namespaces),
        }
    }

    /// Opens the details of a row, or closes them.
    pub fn select(self, key: Option<Key>) {
        if self.selected.with_untracked(|selected| *selected == key) {
            return;
        }
        if key.is_none() {
            self.detail.set(None);
            self.tab.set(Tab::default());
        }
        self.selected.set(key);
    }

    /// Watches other namespaces.
    pub fn watch(self, scope: Scope) {
        self.refused.set(None);
        self.popup.set(None);
        self.live.set_scope(scope);
    }

    /// Says something to assistive technology.
    pub fn announce(self, text: impl Into<String>) {
        self.announced.set(text.into());
    }
}

/// The time of the day: the browser's, or UTC on the server.
#[must_use]
pub fn clock(ms: i64) -> String {
    #[cfg(feature = "hydrate")]
    if cfg!(target_arch = "wasm32") {
        let date = js_sys::Date::new(&(ms as f64).into());
        return format!(
            "{:02}:{:02}:{:02}",
            date.get_hours(),
            date.get_minutes(),
            date.get_seconds()
        );
    }
    crate::format::utc_clock(ms)
}
