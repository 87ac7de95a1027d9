//! The state of the page besides the live data and its tables: what is open, what is typed, what a
//! person has chosen, the clock, and what the address says.
//!
//! It is one file, so that each signal of the page stands beside the methods that change it.

mod handles;

use std::collections::BTreeSet;
use std::sync::Arc;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use protocol::columns::Column;
use protocol::connection::Reconnect;
use protocol::filter::Field;
use protocol::store::RowView;
use protocol::view::{Group, Grouping, Line};
use protocol::{Ingress, Key, Scope};

pub use self::handles::{ChoicesUi, ClockUi, DetailsUi, SaidUi, SearchUi};
use crate::backend::{ClusterInfo, Rows};
use crate::columns::Columns;
use crate::components::namespaces::Missing;
use crate::exclusions::Exclusions;
use crate::format::unix_ms;
use crate::live::Live;
use crate::page::{POOL, PageData};
use crate::query::{Query, Sort, Tab};
use crate::status::{Currency, Facts};
use crate::table::{Start, TableUi};

/// How many namespaces are kept as chosen lately.
const RECENT: usize = 6;

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
    /// What rows are put together by.
    Group((f64, f64)),
    /// Which columns there are.
    Columns((f64, f64)),
    /// The values of a field, to filter by.
    Facet(Field, (f64, f64)),
    /// What can be done with a row.
    Row(Arc<Ingress>, (f64, f64)),
    /// Every key.
    Help,
    /// What is left out, and whether single keys do something.
    Settings,
    /// How to start with a cluster of one's own.
    Connect,
    /// How to grant what may not be read.
    Grant,
    /// On a phone: what rows can be filtered and put together by.
    Filters((f64, f64)),
    /// On a phone: what the header has no room for.
    Menu((f64, f64)),
    /// Two objects, line by line.
    Compare(Key, Key),
    /// The state of the connection.
    Connection((f64, f64)),
    /// Every host of a row, at a place of the window.
    Hosts(Arc<Ingress>, (f64, f64)),
    /// Every path of a row.
    Routes(Arc<Ingress>, (f64, f64)),
    /// A text that the browser did not let us copy.
    Copy(String),
}

/// What the pointer drags.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Drag {
    /// In a table the edge of a column: from this place of the pointer, at this width.
    Edge(usize, Column, f64, f64),
    /// A column, by its handle in the menu.
    Grip(Column),
    /// The edge of the drawer.
    Drawer,
}

/// What the page remembers between events. Nothing is drawn from it.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// What the pointer drags.
    pub drag: Option<Drag>,
    /// Whether the page listens to the pointer that drags.
    pub follows_drags: bool,
    /// The column that keys move, until the focus has followed it: before, the element with the
    /// focus is another column's.
    pub moved: Option<Column>,
    /// Counts presses, so that one knows whether another followed.
    pub press: u32,
    /// When the pointer or a key last did something over the rows, on the monotonic clock.
    pub held_at_ms: u64,
    /// Whether the end of a hold is waited for.
    pub waits_for_release: bool,
    /// Whether the next change of the address adds an entry whatever it is.
    pub adds_entry: bool,
    /// What takes the line over the page away.
    pub toast_leaves: Option<TimeoutHandle>,
}

/// The page's state, from the context. A copy is the same state.
#[derive(Clone, Copy)]
pub struct Ui {
    /// The live data.
    pub live: Live,
    /// The cluster and the server.
    pub cluster: StoredValue<ClusterInfo>,
    /// How the stream reconnects.
    pub reconnect: Reconnect,
    /// The rows and counts that the server rendered: the truth until the live data has some.
    pub first: StoredValue<Rows>,
    /// The table that an event concerns: the one that the element of the event is in, else the
    /// first.
    pub table: TableUi,
    /// Every table of the page.
    pub tables: StoredValue<Vec<TableUi>>,
    /// What the page remembers between events.
    pub input: StoredValue<Input>,
    /// What of the address is refused, in plain words.
    pub refused: RwSignal<Option<String>>,
    /// The names in the address. They stay there while none of them can be watched.
    pub asked: RwSignal<BTreeSet<String>>,
    /// Namespaces that the scope, the search or the details ask for and that there are not, as far as
    /// that is known.
    pub missing: RwSignal<Vec<Missing>>,
    /// What floats over the page.
    pub popup: RwSignal<Option<Popup>>,
    /// The search field: its tokens, what is typed, and what could be typed.
    pub search: SearchUi,
    /// Which details are open, and what they show.
    pub details: DetailsUi,
    /// What a person has chosen. It stays for the next visit.
    pub choices: ChoicesUi,
    /// The time.
    pub clock: ClockUi,
    /// What the page says of what was just done.
    pub said: SaidUi,
    /// Whether the browser has taken over.
    pub hydrated: RwSignal<bool>,
    /// Whether rows are cards, as on a phone.
    pub cards: RwSignal<bool>,
    /// What the badge and the notices are made of. It changes once a second at least.
    pub facts: Memo<Arc<Facts>>,
    /// How current the page is.
    pub currency: Memo<Currency>,
    /// When the browser's own search was last called, on the monotonic clock.
    pub finding: RwSignal<Option<u64>>,
}

impl Ui {
    /// The state that the first markup is made of, put into the context.
    #[must_use]
    pub fn provide(data: PageData) -> Self {
        let query = Query::parse(&data.query);
        let (scope, _) = query.scope(data.cluster.max_namespaces);
        let live = Live::provide(scope);
        let mut rows = data.rows;
        let missing = std::mem::take(&mut rows.missing);
        live.states.set(std::mem::take(&mut rows.states));
        live.errors.set(std::mem::take(&mut rows.errors));
        let items = std::mem::take(&mut rows.items);
        let start = Start {
            search: query.search.clone(),
            sort: (query.sort.column, query.sort.direction),
            grouping: query.grouping,
            lines: with_heads(items, data.groups),
            offset: (query.page - 1).saturating_mul(POOL),
            line_count: data.lines,
        };
        let columns = RwSignal::new(data.choices.columns);
        let table = TableUi::new(0, live, columns, start);
        let detail = data.selected.map(|row| Detail {
            row: Arc::new(row),
            deleted_at: None,
        });
        let (cluster, first) = (StoredValue::new(data.cluster), StoredValue::new(rows));
        let (now, mono) = (RwSignal::new(data.now), RwSignal::new(0));
        // It is made once for all who read it; to compare two costs what it saves.
        let facts = Memo::new_with_compare(
            move |_| Arc::new(facts(live, cluster, first, now.get(), mono.get())),
            |_, _| true,
        );
        let ui = Self {
            live,
            cluster,
            reconnect: data.reconnect,
            first,
            input: StoredValue::default(),
            table,
            tables: StoredValue::new(vec![table]),
            refused: RwSignal::new(data.refused),
            asked: RwSignal::new(query.namespaces),
            missing: RwSignal::new(missing),
            popup: RwSignal::new(None),
            hydrated: RwSignal::new(false),
            cards: RwSignal::new(false),
            finding: RwSignal::new(None),
            facts,
            currency: Memo::new(move |_| facts.with(|facts| facts.currency())),
            search: SearchUi {
                numbers: RwSignal::default(),
                // Without a script the form sends what the field holds: all of it.
                tokens: RwSignal::default(),
                typed: RwSignal::new(query.search),
                suggesting: RwSignal::new(false),
                offers: RwSignal::new(None),
                suggestion: RwSignal::new(None),
            },
            details: DetailsUi {
                selected: RwSignal::new(query.selected),
                detail: RwSignal::new(detail),
                tab: RwSignal::new(query.tab),
            },
            choices: ChoicesUi {
                pins: RwSignal::default(),
                recent: RwSignal::default(),
                sets: RwSignal::default(),
                exclusions: RwSignal::new(data.choices.exclusions),
                single_keys: RwSignal::new(true),
                theme: RwSignal::new(data.choices.theme),
                density: RwSignal::new(data.choices.density),
            },
            clock: ClockUi { now, mono },
            said: SaidUi {
                announced: RwSignal::default(),
                toast: RwSignal::default(),
            },
        };
        provide_context(ui);
        ui
    }

    /// The same page as the table of this number sees it.
    #[must_use]
    pub fn of_table(self, number: usize) -> Self {
        let table = self.tables.with_value(|tables| tables.get(number).copied());
        Self {
            table: table.unwrap_or(self.table),
            ..self
        }
    }

    /// Adds a table with a view of its own, and the page as that table sees it.
    #[must_use]
    pub fn add_table(self, columns: RwSignal<Columns>, start: Start) -> Self {
        let number = self.tables.with_value(Vec::len);
        let table = TableUi::new(number, self.live, columns, start);
        self.tables.update_value(|tables| tables.push(table));
        Self { table, ..self }
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
        is_known(self.live, self.first)
    }

    /// Whether it is known how many rows there are: they have come, and they may be read.
    #[must_use]
    pub fn is_counted(self) -> bool {
        self.is_known() && self.currency.get() != Currency::Forbidden
    }

    /// [`Ui::is_fed`] without tracking it.
    #[must_use]
    pub fn is_fed_untracked(self) -> bool {
        self.live.version.get_untracked() > 0
    }

    /// How many rows match the filter.
    #[must_use]
    pub fn matching(self) -> usize {
        if self.table.text.with(|filter| filter.trim().is_empty()) {
            // While the rows are held the view is behind the totals, and no filter is to blame.
            self.total()
        } else if self.is_fed() {
            self.table.matching.get()
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
        Sort::of(self.table.sort.get())
    }

    /// What the rows are put together by, as the end of a sentence; empty where by nothing.
    #[must_use]
    pub fn grouped(self) -> &'static str {
        match self.table.grouping.get() {
            None => "",
            Some(Grouping::Namespace) => ", grouped by namespace",
            Some(Grouping::Class) => ", grouped by class",
            Some(Grouping::HostSuffix) => ", grouped by host suffix",
            Some(Grouping::Tls) => ", grouped by TLS",
        }
    }

    /// The path under which everything is served.
    #[must_use]
    pub fn base_path(self) -> String {
        self.cluster.with_value(|cluster| cluster.base_path.clone())
    }

    /// What the address says about the page as it is, tracked.
    #[must_use]
    pub fn query(self) -> Query {
        let search = self.table.text.get();
        Query {
            everything: search.is_empty() && !self.choices.exclusions.with(Exclusions::is_empty),
            namespaces: self.live.scope.with(|scope| match scope.names() {
                Some(names) if names.is_empty() => self.asked.get(),
                names => names.cloned().unwrap_or_default(),
            }),
            search,
            sort: self.sort(),
            grouping: self.table.grouping.get(),
            selected: self.details.selected.get(),
            tab: self.details.tab.get(),
            page: 1,
        }
    }

    /// A link to this page with something else in its address.
    #[must_use]
    pub fn href(self, change: impl FnOnce(&mut Query)) -> String {
        let mut query = self.query();
        change(&mut query);
        query.everything =
            query.search.is_empty() && !self.choices.exclusions.with(Exclusions::is_empty);
        self.cluster
            .with_value(|cluster| format!("{}/{}", cluster.base_path, query.to_query_string()))
    }

    /// What the badge and the notices are made of.
    #[must_use]
    pub fn facts(self) -> Arc<Facts> {
        self.facts.get()
    }

    /// How many namespaces are watched, as far as that is known.
    #[must_use]
    pub fn namespaces(self) -> usize {
        namespaces(self.live, self.first)
    }

    /// Opens the details of a row, or closes them.
    pub fn select(self, key: Option<Key>) {
        if self
            .details
            .selected
            .with_untracked(|selected| *selected == key)
        {
            return;
        }
        if key.is_none() {
            self.details.detail.set(None);
            self.details.tab.set(Tab::default());
        }
        self.details.selected.set(key);
    }

    /// Shows the rows that match a text: its words with a key become tokens.
    pub fn set_search(self, text: &str) {
        let (tokens, typed) = crate::suggest::split(text);
        self.search.tokens.set(tokens);
        self.search.typed.set(typed);
        self.search();
    }

    /// What is typed after the tokens. A space after a word with a key makes it a token.
    pub fn type_search(self, text: &str) {
        if text.ends_with(char::is_whitespace) {
            let (tokens, mut typed) = crate::suggest::split(text);
            if !tokens.is_empty() {
                if !typed.is_empty() {
                    typed.push(' ');
                }
                self.search.tokens.update(|all| all.extend(tokens));
                self.search.typed.set(typed);
                return self.search();
            }
        }
        self.search.typed.set(text.to_owned());
        self.search();
    }

    fn search(self) {
        let text = self.search.tokens.with_untracked(|tokens| tokens.join(" "));
        let text = self
            .search
            .typed
            .with_untracked(|typed| format!("{text} {}", typed.trim()).trim().to_owned());
        self.search.suggestion.set(None);
        if self.table.text.with_untracked(|old| *old != text) {
            self.table.set_filter(&text);
        }
    }

    /// Leaves out the rows with one of these values of a field, here and on later visits. The error
    /// says in plain words why that cannot be; then none of them is left out.
    pub fn leave_out(self, field: Field, values: &[&str]) -> Result<(), String> {
        let mut exclusions = self.choices.exclusions.get_untracked();
        let mut filter = self.table.filter.get_untracked();
        for value in values {
            exclusions = exclusions.with(field, value)?;
            filter = filter.leaving_out(field, value);
        }
        self.choices.exclusions.set(exclusions);
        self.set_search(&filter.to_string());
        Ok(())
    }

    /// Leaves them out no more.
    pub fn let_in(self, field: Field, value: &str) {
        self.choices
            .exclusions
            .update(|known| *known = known.without(field, value));
        let filter = (self.table.filter).with_untracked(|filter| filter.letting_in(field, value));
        self.set_search(&filter.to_string());
    }

    /// Shows these namespaces, or all but these: by what the stream watches as long as it takes
    /// that many names, else by a word of the search.
    pub fn show_namespaces(self, names: BTreeSet<String>, except: bool) {
        let max = self.cluster.with_value(|cluster| cluster.max_namespaces);
        let by_word = except || names.len() > max || names.iter().any(|name| name.contains('*'));
        if !by_word && names.len() <= RECENT {
            self.choices.recent.update(|recent| {
                recent.retain(|name| !names.contains(name));
                recent.splice(..0, names.iter().cloned());
                recent.truncate(RECENT);
            });
        }
        let filter = self.table.filter.with_untracked(|filter| {
            // What a pattern leaves out stays left out.
            let terms = filter.terms().iter();
            let out = terms.filter(|term| term.negated && term.field == Some(Field::Namespace));
            let patterns =
                out.flat_map(|term| term.values.iter().filter(|value| value.contains('*')));
            let named = names.iter().filter(|_| by_word);
            let values = (patterns.filter(|_| except || !by_word).chain(named)).cloned();
            filter.with(Field::Namespace, except || !by_word, values.collect())
        });
        self.watch(if by_word || names.is_empty() {
            Scope::All
        } else {
            Scope::Namespaces(names)
        });
        self.set_search(&filter.to_string());
    }

    /// Watches other namespaces.
    pub fn watch(self, scope: Scope) {
        self.refused.set(None);
        self.popup.set(None);
        self.live.set_scope(scope);
    }

    /// Says something to assistive technology.
    pub fn announce(self, text: impl Into<String>) {
        let mut text = text.into();
        // The same text is no change, and would not be said a second time.
        if self.said.announced.with_untracked(|old| *old == text) {
            text.push('\u{a0}');
        }
        self.said.announced.set(text);
    }

    /// Whether the details are of this ingress and it is gone, or its row waits to go.
    #[must_use]
    pub fn is_gone(self, key: &Key) -> bool {
        let held = |detail: &Option<Detail>| {
            (detail.as_ref())
                .is_some_and(|detail| detail.deleted_at.is_some() && detail.row.key() == *key)
        };
        match self.live.with_store(|store| store.get(key)) {
            Some(view) => view.deleted,
            None => self.details.detail.with_untracked(held),
        }
    }
}

/// Whether any rows are known, be it from the server's markup.
fn is_known(live: Live, first: StoredValue<Rows>) -> bool {
    live.version.get() > 0 || first.with_value(|rows| rows.synced)
}

/// How many namespaces are watched, as far as that is known.
fn namespaces(live: Live, first: StoredValue<Rows>) -> usize {
    let named = live.scope.with(|scope| scope.names().map(BTreeSet::len));
    named.unwrap_or_else(|| first.with_value(|rows| rows.namespaces))
}

fn facts(
    live: Live,
    cluster: StoredValue<ClusterInfo>,
    first: StoredValue<Rows>,
    now: i64,
    mono: u64,
) -> Facts {
    cluster.with_value(|cluster| Facts {
        connection: live.connection.get(),
        states: live.states.get(),
        errors: live.errors.get(),
        known: is_known(live, first),
        retries: live.retries.get(),
        answered: cluster.answered,
        simulated: cluster.simulated,
        namespaces: namespaces(live, first),
        mono,
        now,
        clock: crate::state::clock,
        page_url: page_url(),
        api_url: cluster.url.clone(),
        started_at: unix_ms(&cluster.started_at),
    })
}

/// The rows with the heads of groups at their places.
fn with_heads(rows: Vec<Ingress>, groups: Vec<(usize, Group)>) -> Vec<Line> {
    let mut rows = rows.into_iter().map(|row| {
        Line::Row(RowView {
            ingress: Arc::new(row),
            mark: None,
            old: false,
            deleted: false,
        })
    });
    let mut groups = groups.into_iter().peekable();
    let line = |place: usize| match groups.next_if(|(at, _)| *at == place) {
        Some((_, group)) => Some(Line::Group(group)),
        None => rows.next(),
    };
    (0..).map_while(line).collect()
}

/// The address of the page without its query; empty on the server.
#[cfg(target_arch = "wasm32")]
fn page_url() -> String {
    let location = window().location();
    let origin = location.origin().unwrap_or_default();
    origin + &location.pathname().unwrap_or_default()
}

#[cfg(not(target_arch = "wasm32"))]
fn page_url() -> String {
    String::new()
}

/// The time of the day: the browser's, or UTC on the server.
#[cfg(target_arch = "wasm32")]
#[must_use]
pub fn clock(ms: i64) -> String {
    let date = js_sys::Date::new(&(ms as f64).into());
    format!(
        "{:02}:{:02}:{:02}",
        date.get_hours(),
        date.get_minutes(),
        date.get_seconds()
    )
}

/// The time of the day: the browser's, or UTC on the server.
#[cfg(not(target_arch = "wasm32"))]
#[must_use]
pub fn clock(ms: i64) -> String {
    crate::format::utc_clock(ms)
}
