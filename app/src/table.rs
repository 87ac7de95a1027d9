//! The state of one table of the page: a view of the rows, the elements that show it, and where its
//! keys are. A page may have several, each of its own view.

use std::collections::BTreeSet;
use std::sync::Arc;

use leptos::prelude::*;
use protocol::columns::{Column, Direction};
use protocol::filter::Filter;
use protocol::table::ViewId;
use protocol::view::{Group, Grouping, Line, LineKey, Lines};
use protocol::{Ingress, Key};

use crate::columns::Columns;
use crate::live::Live;
use crate::page::POOL;

/// One element of the pool.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// The line in it.
    pub cell: RwSignal<Option<Cell>>,
    /// Where that line is in the view. Not part of the cell: most rows move without changing.
    pub index: RwSignal<usize>,
    /// Whether the pointer or the focus is in it: only then it has its buttons.
    pub active: RwSignal<bool>,
}

/// A line in an element of the pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The line.
    pub line: Line,
    /// Whether its change may flash: not where very much changed at once.
    pub flash: bool,
    /// What is marked in the line. It comes with it, so that a key draws each line once.
    pub filter: Arc<Filter>,
}

impl Cell {
    /// The ingress, where the line is a row.
    #[must_use]
    pub fn ingress(&self) -> Option<&Arc<Ingress>> {
        self.line.row().map(|view| &view.ingress)
    }
}

/// What a table remembers from frame to frame. Nothing is drawn from it.
#[derive(Clone, Debug)]
pub struct Memory {
    /// The order that the pool's elements are in, by place.
    pub order: Vec<usize>,
    /// The first line in sight, and the first below.
    pub sight: (usize, usize),
    /// How far the rows are scrolled, in pixels.
    pub top: f64,
    /// The filter that the rows were last asked for with.
    pub filled: Option<Filter>,
    /// Whether the next frame fills the pool.
    pub fills: bool,
    /// Whether the elements out of sight are still to be filled.
    pub fills_rest: bool,
    /// Whether the next frame looks where names are cut.
    pub marks_cut: bool,
    /// The line that the current row was last at: where it is gone, the next one is there.
    pub at: usize,
    /// Whether the focus belongs to the current row: it goes where that row goes, and waits on the
    /// table while no element holds that row.
    pub follows: bool,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            order: (0..POOL).collect(),
            sight: (0, 40),
            top: 0.0,
            filled: None,
            fills: false,
            fills_rest: false,
            marks_cut: false,
            at: 0,
            follows: false,
        }
    }
}

/// What a table starts with.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The text of the filter.
    pub search: String,
    /// The order.
    pub sort: (Column, Direction),
    /// What rows are put together by.
    pub grouping: Option<Grouping>,
    /// The lines that the server rendered, from the first place of the pool on.
    pub lines: Vec<Line>,
    /// The index of the first of them in the view.
    pub offset: usize,
    /// How many lines the server knew.
    pub line_count: usize,
}

/// A table of the page. A copy is the same table.
#[derive(Clone, Copy, Debug)]
pub struct TableUi {
    /// Which of the page's tables it is, from 0.
    pub number: usize,
    live: Live,
    view: ViewId,
    /// The text of the filter.
    pub text: RwSignal<String>,
    /// The filter; its words are marked in the rows.
    pub filter: Memo<Filter>,
    /// The order.
    pub sort: RwSignal<(Column, Direction)>,
    /// What rows are put together by.
    pub grouping: RwSignal<Option<Grouping>>,
    /// How many rows match the filter.
    pub matching: Memo<usize>,
    /// How many lines there are: the rows that match, but for those of closed groups, and their
    /// heads.
    pub lines: Memo<usize>,
    /// How many lines the server knew: rows, and heads of groups.
    pub first_lines: usize,
    /// Which columns there are.
    pub columns: RwSignal<Columns>,
    /// The columns that are shown, from left to right, and whether a person has set its width.
    pub layout: Memo<Vec<(Column, bool)>>,
    /// The pool.
    pub slots: StoredValue<Vec<Slot>>,
    /// The first row of the view that is in the pool.
    pub start: RwSignal<usize>,
    /// How many elements of the pool are used: more than the window shows at once.
    pub pool: RwSignal<usize>,
    /// The line that the keys are at.
    pub current: RwSignal<Option<LineKey>>,
    /// The rows that are picked.
    pub picked: RwSignal<BTreeSet<Key>>,
    /// The group that the first line in sight is in, where its head is out of sight.
    pub stuck: RwSignal<Option<Group>>,
    memory: StoredValue<Memory>,
}

impl TableUi {
    /// A table with a view of its own.
    #[must_use]
    pub fn new(number: usize, live: Live, columns: RwSignal<Columns>, start: Start) -> Self {
        let view = live.add_view();
        let filter = Arc::new(Filter::parse(&start.search));
        live.change(|table| {
            table.set_filter(view, (*filter).clone());
            table.set_sort(view, start.sort.0, start.sort.1);
            table.set_grouping(view, start.grouping);
        });
        let mut lines = start.lines.into_iter();
        let slots = (0..POOL).map(|place| Slot {
            cell: RwSignal::new(lines.next().map(|line| Cell {
                line,
                flash: false,
                filter: filter.clone(),
            })),
            index: RwSignal::new(start.offset + place),
            active: RwSignal::new(false),
        });
        let grouping = RwSignal::new(start.grouping);
        let text = RwSignal::new(start.search);
        let counts = Memo::new(move |_| {
            live.version.track();
            let counts = live.with_lines(view, |lines| (lines.row_count(), lines.len()));
            counts.unwrap_or_default()
        });
        Self {
            number,
            live,
            view,
            text,
            filter: Memo::new(move |_| text.with(|text| Filter::parse(text))),
            sort: RwSignal::new(start.sort),
            grouping,
            matching: Memo::new(move |_| counts.get().0),
            lines: Memo::new(move |_| counts.get().1),
            first_lines: start.line_count,
            columns,
            layout: Memo::new(move |_| {
                let grouping = grouping.get();
                columns.with(|columns| {
                    columns
                        .in_table(grouping)
                        .map(|chosen| (chosen.column, chosen.width.is_some()))
                        .collect()
                })
            }),
            slots: StoredValue::new(slots.collect()),
            start: RwSignal::new(0),
            pool: RwSignal::new(POOL),
            current: RwSignal::new(None),
            picked: RwSignal::default(),
            stuck: RwSignal::new(None),
            memory: StoredValue::default(),
        }
    }

    /// The id of the element that scrolls.
    #[must_use]
    pub fn element_id(self) -> String {
        format!("table-{}", self.number)
    }

    /// Reads the lines. Track [`Live::version`] to be told when to read again.
    pub fn with_lines<T: Default>(self, read: impl FnOnce(Lines<'_>) -> T) -> T {
        self.live.with_lines(self.view, read).unwrap_or_default()
    }

    /// Reads what the table remembers.
    pub fn recall<T>(self, read: impl FnOnce(&Memory) -> T) -> T {
        self.memory.with_value(read)
    }

    /// Changes what the table remembers.
    pub fn note<T>(self, change: impl FnOnce(&mut Memory) -> T) -> T {
        let changed = self.memory.try_update_value(change);
        changed.expect("a table lives as long as its page")
    }

    /// Shows the rows that match a text.
    pub fn set_filter(self, text: &str) {
        let filter = Filter::parse(text);
        self.text.set(text.to_owned());
        self.live
            .change(|table| table.set_filter(self.view, filter));
    }

    /// Sorts the rows.
    pub fn set_sort(self, column: Column, direction: Direction) {
        self.sort.set((column, direction));
        (self.live).change(|table| table.set_sort(self.view, column, direction));
    }

    /// Puts rows together by what they share.
    pub fn set_grouping(self, grouping: Option<Grouping>) {
        self.grouping.set(grouping);
        (self.live).change(|table| table.set_grouping(self.view, grouping));
    }

    /// Opens or closes a group.
    pub fn toggle_group(self, value: &str) {
        (self.live).change(|table| table.toggle_group(self.view, value));
    }

    /// Opens or closes every group.
    pub fn toggle_all_groups(self, open: bool) {
        (self.live).change(|table| table.toggle_all_groups(self.view, open));
    }
}
