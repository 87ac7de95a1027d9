//! The client's copy of the table: a [`Store`] of rows, and views of it.
//!
//! The views follow the store in a second step, [`Table::settle`]: many messages are applied and one
//! frame is drawn, and while somebody points at a row nothing has to move.

use crate::columns::{Column, Direction};
use crate::document::IngressDocument;
use crate::filter::Filter;
use crate::message::Message;
use crate::scope::Scope;
use crate::store::{Change, Row, Store};
use crate::view::{Grouping, Lines, View};

/// How long a row that was deleted stays in sight, struck through, in milliseconds.
pub const STRUCK_MS: u64 = 2_000;

/// A view of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ViewId(usize);

/// The rows, and the views of them. Every view shows the same moment.
#[derive(Clone, Debug, Default)]
pub struct Table {
    store: Store,
    /// By id. What was removed leaves its place empty.
    views: Vec<Option<View>>,
}

impl Table {
    /// An empty table without a view.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a view of all rows, sorted by name, and settles.
    pub fn add_view(&mut self) -> ViewId {
        self.settle();
        let view = Some(View::new(self.store.rows()));
        match self.views.iter().position(Option::is_none) {
            Some(id) => {
                self.views[id] = view;
                ViewId(id)
            }
            None => {
                self.views.push(view);
                ViewId(self.views.len() - 1)
            }
        }
    }

    /// Removes a view.
    pub fn remove_view(&mut self, ViewId(id): ViewId) {
        if let Some(view) = self.views.get_mut(id) {
            *view = None;
        }
    }

    /// The rows.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The lines of a view; none where it was removed.
    #[must_use]
    pub fn lines(&self, ViewId(id): ViewId) -> Option<Lines<'_>> {
        let view = self.views.get(id)?.as_ref()?;
        Some(Lines::new(&self.store, view))
    }

    /// Applies one message. `at_ms` is the time that a change is marked with; it comes from the
    /// caller's clock and means nothing to the table.
    ///
    /// The views show the effect after [`Table::settle`].
    pub fn apply(&mut self, message: Message, at_ms: u64) -> Change {
        let Self { store, views } = self;
        store.apply(message, at_ms, &|old, new| moves(views, old, new))
    }

    /// Applies a document. With a revision it is a replay; without one it is not the whole scope,
    /// so nothing is dropped.
    pub fn apply_document(&mut self, document: IngressDocument) -> Change {
        let Self { store, views } = self;
        store.apply_document(document, &|old, new| moves(views, old, new))
    }

    /// A stream opened: states and errors that it does not repeat before `synced` are over.
    pub fn begin_stream(&mut self) {
        self.store.begin_stream();
    }

    /// Narrows or widens the scope: rows outside leave, the others stay until the next replay.
    pub fn set_scope(&mut self, scope: &Scope) {
        self.store.set_scope(scope);
    }

    /// Removes every change mark, and says whether there was one: nothing is "just now" once the
    /// connection is not live.
    pub fn clear_marks(&mut self) -> bool {
        self.store.clear_marks()
    }

    /// Brings the views up to date. Until it is called they keep their rows and the order of them;
    /// values are current and deleted rows are shown as deleted.
    pub fn settle(&mut self) {
        self.settle_after(u64::MAX);
    }

    /// The same at a time of the marks' clock, for a viewer: a row that was deleted while the stream
    /// was live stays for [`STRUCK_MS`], shown as deleted. Returns when the next of them is to go.
    pub fn settle_at(&mut self, now_ms: u64) -> Option<u64> {
        let first = self.settle_after(now_ms.saturating_sub(STRUCK_MS));
        first.map(|at_ms| at_ms + STRUCK_MS)
    }

    /// The same, but rows that were deleted after this time stay, shown as deleted. Returns when
    /// the first of them was.
    fn settle_after(&mut self, ms: u64) -> Option<u64> {
        let Self { store, views } = self;
        let (mut touched, first) = store.rows_mut().take_touched(ms);
        if touched.is_empty() {
            return first;
        }
        for view in views.iter_mut().flatten() {
            view.take_out(store.rows(), ms);
        }
        store.rows_mut().let_go(&mut touched);
        for view in views.iter_mut().flatten() {
            view.put_in(store.rows(), &touched);
        }
        first
    }

    /// Replaces the filter of a view, and settles.
    pub fn set_filter(&mut self, id: ViewId, filter: Filter) {
        self.change(id, |view, store| view.set_filter(store.rows(), filter));
    }

    /// Replaces the order of a view, and settles.
    pub fn set_sort(&mut self, id: ViewId, column: Column, direction: Direction) {
        self.change(id, |view, store| {
            view.set_sort(store.rows(), column, direction);
        });
    }

    /// Puts the rows of a view together by what they share, all groups open, and settles.
    pub fn set_grouping(&mut self, id: ViewId, grouping: Option<Grouping>) {
        self.change(id, |view, store| view.set_grouping(store.rows(), grouping));
    }

    /// Opens or closes the group of this value.
    pub fn toggle_group(&mut self, ViewId(id): ViewId, value: &str) {
        if let Some(Some(view)) = self.views.get_mut(id) {
            view.toggle_group(value);
        }
    }

    /// Opens or closes every group.
    pub fn toggle_all_groups(&mut self, ViewId(id): ViewId, open: bool) {
        if let Some(Some(view)) = self.views.get_mut(id) {
            view.toggle_all_groups(open);
        }
    }

    fn change(&mut self, ViewId(id): ViewId, change: impl FnOnce(&mut View, &Store)) {
        self.settle();
        if let Some(Some(view)) = self.views.get_mut(id) {
            change(view, &self.store);
        }
    }
}

/// Whether a view has another place for the second version of a row.
fn moves(views: &[Option<View>], old: &Row, new: &Row) -> bool {
    views.iter().flatten().any(|view| view.moves(old, new))
}

#[cfg(test)]
mod tests;
