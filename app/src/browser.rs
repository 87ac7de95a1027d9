//! The page in the browser: the clock, the address, the pool of rows, keys and clicks.
//!
//! Rows have no listeners of their own. One listener per kind of event sits on the document and
//! reads what an element says of itself (`data-act`, `data-popup`, `data-place`).

mod acts;
mod dragging;
mod outside;
mod picking;
mod searching;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use gloo_net::http::Request;
use leptos::html::Div;
use leptos::prelude::*;
use protocol::filter::{Field, Filter};
use protocol::json::{self, FromJson};
use protocol::table::Line;
use protocol::{Ingress, Key, NamespaceDocument, Scope};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, HtmlElement, HtmlInputElement, KeyboardEvent, MouseEvent};

use crate::columns::{self, Columns};
use crate::components::namespaces::missing;
use crate::exclusions::Exclusions;
use crate::format::counted;
use crate::live::mono_now_ms;
use crate::page::{Choices, Density, POOL, Theme};
use crate::pool;
use crate::query::{Query, Sort, Tab, encode};
use crate::state::{Cell, Detail, Popup, Slot, Ui};
use crate::status::Currency;

/// What local storage calls the choice of single keys.
const SINGLE_KEYS: &str = "kube-ingress-dash-single-keys";
/// With more changes than this in sight nothing flashes: the glyphs are enough.
const MOST_FLASHES: usize = 20;
/// How long after the pointer and the focus have left the rows move again, in milliseconds.
const RELEASE_MS: u64 = 400;
/// Without a movement or a key for so long a hold ends, in milliseconds.
const LONGEST_HOLD_MS: u64 = 30_000;
/// Between the last key and saying how many rows match, in milliseconds.
const SAY_MATCHES_MS: u64 = 600;

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
            ui.single_keys
                .set(stored(SINGLE_KEYS).as_deref() != Some("off"));
            ui.set_search(&ui.live.filter.get_untracked());
            dragging::restore_drawer();
            recall_namespaces(ui);
            tick(ui);
            set_interval(move || tick(ui), Duration::from_secs(1));
            listen(ui);
            ui.live.start(&base, &build, ui.reconnect);
        }
    });
    fill_pool(ui);
    size_spacers(ui);
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
    picking::drop_gone(ui);
    Effect::new(move |_| {
        // What changes the widths of columns.
        ui.layout.track();
        ui.selected.track();
        mark_cut();
    });
    follow_missing(ui);
}

fn tick(ui: Ui) {
    ui.now.set(js_sys::Date::now() as i64);
    ui.mono.set(mono_now_ms());
}

fn document() -> web_sys::Document {
    leptos::prelude::document()
}

pub(crate) fn by_id(id: &str) -> Option<HtmlElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

// The pool ------------------------------------------------------------------------------------

/// How many elements out of sight are filled at once.
const OUT_OF_SIGHT: usize = 10;
/// Rows in the pool beyond those that fill the window.
const OVERSCAN: usize = 20;

/// The height of a card, which a row is on a phone. The style sheet has the same.
const CARD: f64 = 112.0;
/// In a window like this rows are cards; in a low one too few of them would be in sight.
const CARDS: &str = "(max-width: 719px) and (min-height: 480px)";

/// The height of a line, in pixels.
fn row_height(ui: Ui) -> f64 {
    if ui.cards.get_untracked() {
        return CARD;
    }
    match ui.density.get_untracked() {
        Density::Compact => 28.0,
        Density::Default => 34.0,
        Density::Comfortable => 44.0,
    }
}

thread_local! {
    /// The first line in sight, and the first below.
    static SIGHT: std::cell::Cell<(usize, usize)> = const { std::cell::Cell::new((0, 40)) };
    /// The order that the pool's elements are in, by place.
    static ORDER: RefCell<Vec<usize>> = RefCell::new((0..POOL).collect());
    /// The filter that the rows were last asked for with.
    static FILLED: RefCell<Option<Filter>> = const { RefCell::new(None) };
    /// Whether the next frame fills the pool.
    static FRAME: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    /// Whether the elements out of sight are still to be filled.
    static REST: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    /// Whether the next frame looks where names are cut.
    static CUT: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    /// How far the rows are scrolled, in pixels.
    static TOP: std::cell::Cell<f64> = const { std::cell::Cell::new(0.0) };
    /// The line that the current row was last at: where it is gone, the next one is there.
    static AT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    /// Whether the focus belongs to the current row: it goes where that row goes, and waits on the
    /// table while no element holds that row.
    static FOLLOWS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Moves rows into the pool's elements, whenever the table or the scroll position has changed: at
/// once into those in sight, then into the others.
fn fill_pool(ui: Ui) {
    Effect::new(move |_| {
        ui.start.track();
        ui.pool.track();
        let known = ui.live.version.get() > 0;
        // A key in the search is shown at once, the rows that it leaves with the next frame.
        let filter = ui.filter.get_untracked();
        let typed = FILLED.with_borrow(|filled| filled.as_ref().is_some_and(|old| *old != filter));
        FILLED.set(Some(filter));
        if typed && !FRAME.replace(true) {
            request_animation_frame(move || {
                FRAME.set(false);
                // Until the first rows have come those of the server are the truth.
                if ui.is_fed_untracked() {
                    fill_now(ui);
                }
            });
        }
        if known && !FRAME.get() {
            fill_now(ui);
        }
    });
}

fn fill_now(ui: Ui) {
    // A row that has the focus may be out of sight.
    let at_once = if FOLLOWS.get() {
        usize::MAX
    } else {
        OUT_OF_SIGHT
    };
    if !fill(ui, at_once) {
        fill_rest(ui);
    }
}

fn fill_rest(ui: Ui) {
    if REST.replace(true) {
        return;
    }
    set_timeout(
        move || {
            REST.set(false);
            if !fill(ui, OUT_OF_SIGHT) {
                fill_rest(ui);
            }
        },
        Duration::ZERO,
    );
}

/// Fills the elements in sight, and so many of the others; whether that were all.
fn fill(ui: Ui, mut others: usize) -> bool {
    let (start, pool) = (ui.start.get_untracked(), ui.pool.get_untracked());
    let filter = Arc::new(ui.filter.get_untracked());
    let now = mono_now_ms();
    let (first, below) = SIGHT.get();
    let mut all = true;
    ui.live.with_table(|table| {
        let start = start.min(table.line_count().saturating_sub(pool));
        let lines: Vec<Line> = table.lines(start..start + pool).collect();
        let is_new = |line: &Line| {
            line.row()
                .and_then(|view| view.mark)
                .is_some_and(|mark| now.saturating_sub(mark.at_ms) < 1_000)
        };
        let calm = lines.iter().filter(|line| is_new(line)).count() <= MOST_FLASHES;
        ui.slots.with_value(|slots| {
            let places = arrange(slots, &lines);
            let mut lines = lines.into_iter();
            for (index, place) in (start..).zip(places) {
                let slot = slots[place];
                let cell = lines.next().map(|line| Cell {
                    flash: calm && is_new(&line),
                    filter: filter.clone(),
                    line,
                });
                if slot.index.get_untracked() != index {
                    slot.index.set(index);
                }
                let same = slot.cell.with_untracked(|old| match (old, &cell) {
                    (Some(old), Some(new)) => old.line == new.line && old.filter == new.filter,
                    (None, None) => true,
                    _ => false,
                });
                if same {
                    continue;
                }
                // An element without a row gives its room to those below, so it does not wait.
                if cell.is_some() && !(first..below).contains(&index) {
                    if others == 0 {
                        all = false;
                        continue;
                    }
                    others -= 1;
                }
                slot.cell.set(cell);
            }
        });
    });
    if FOLLOWS.get() {
        request_animation_frame(move || keep_focus(ui));
    }
    stick(ui);
    mark_cut();
    all
}

/// Notes, with the next frame, which names do not fit into their cells: those are cut in the
/// middle. All are read before any is written, so that the browser lays out once.
fn mark_cut() {
    if CUT.replace(true) {
        return;
    }
    request_animation_frame(|| {
        CUT.set(false);
        let names = elements("#tablewrap .mid");
        let is_cut = |name: &HtmlElement| name.scroll_width() > name.client_width();
        let cut: Vec<bool> = names.iter().map(is_cut).collect();
        for (name, cut) in names.iter().zip(cut) {
            if name.has_attribute("data-cut") != cut {
                let _ = name.toggle_attribute_with_force("data-cut", cut);
            }
        }
    });
}

/// The head of the group in sight lies over the rows while it is scrolled away itself. Cards have
/// none.
fn stick(ui: Ui) {
    let (first, top) = (SIGHT.get().0, TOP.get());
    let group = ui.live.with_table(|table| match table.line(first)? {
        Line::Group(_) if first as f64 * row_height(ui) >= top => None,
        _ => table.group_at(first),
    });
    let group = group.filter(|_| !ui.cards.get_untracked());
    if ui.stuck.with_untracked(|old| *old != group) {
        ui.stuck.set(group);
    }
}

/// Puts the pool's elements into the order of these lines, and says which is for which. A line
/// keeps its element: to scroll by four rows is to write four rows.
fn arrange(slots: &[Slot], lines: &[Line]) -> Vec<usize> {
    let key = |cell: &Option<Cell>| cell.as_ref().map(|cell| cell.line.key());
    let held: Vec<_> = slots
        .iter()
        .map(|slot| slot.cell.with_untracked(key))
        .collect();
    let lines: Vec<_> = lines.iter().map(Line::key).collect();
    ORDER.with_borrow_mut(|order| {
        let places = pool::arrange(order, &held, &lines);
        if places != *order {
            move_elements(order, &places);
            order.clone_from(&places);
        }
        places
    })
}

/// Moves the pool's elements from one order into another, and as few of them as will do: one that
/// moves loses the focus, and its animation starts again.
fn move_elements(from: &[usize], to: &[usize]) {
    let elements = elements("tr[data-place]");
    let mut by_place: Vec<Option<HtmlElement>> = vec![None; from.len()];
    for (place, element) in from.iter().zip(elements) {
        by_place[*place] = Some(element);
    }
    let stays = pool::staying(from, to);
    let mut next = by_id("space-after").and_then(|cell| cell.parent_element());
    for (place, stays) in to.iter().zip(stays).rev() {
        let Some(element) = by_place[*place].take() else {
            continue;
        };
        if !stays && let Some(parent) = element.parent_element() {
            let _ = parent.insert_before(&element, next.as_deref());
        }
        next = Some(element.into());
    }
}

/// The line that has the focus, if any has.
fn focused_key(ui: Ui) -> Option<Key> {
    line_of(ui, &document().active_element()?).map(|cell| cell.line.key())
}

/// Gives the focus to the current row if it is that row's, and to the table as long as no element
/// holds the row.
fn keep_focus(ui: Ui) {
    let Some(mut key) = ui.current.get_untracked().filter(|_| FOLLOWS.get()) else {
        return;
    };
    let next = ui.live.with_table(|table| match table.line_of(&key) {
        Some(at) => {
            AT.set(at);
            None
        }
        // It is gone: the focus goes to the one that has taken its place.
        None => table.line(AT.get().min(table.line_count().checked_sub(1)?)),
    });
    if let Some(next) = next {
        key = next.key();
        ui.current.set(Some(key.clone()));
    }
    if focused_key(ui).as_ref() == Some(&key) {
        return;
    }
    let element = match place_of(ui, &key) {
        Some(place) => name_at(place),
        None => by_id("tablewrap"),
    };
    if let Some(element) = element {
        let options = web_sys::FocusOptions::new();
        options.set_prevent_scroll(true);
        let _ = element.focus_with_options(&options);
        FOLLOWS.set(true);
    }
}

/// Makes a line the current one and brings the focus to it, with the next frame: the line may only
/// now get its element.
fn focus_line(ui: Ui, key: Key) {
    ui.current.set(Some(key));
    FOLLOWS.set(true);
    request_animation_frame(move || keep_focus(ui));
}

fn place_of(ui: Ui, key: &Key) -> Option<usize> {
    let (first, below) = SIGHT.get();
    ui.slots.with_value(|slots| {
        let mut places = slots.iter().enumerate().filter_map(|(place, slot)| {
            slot.cell.with_untracked(|cell| {
                cell.as_ref().filter(|cell| cell.line.key() == *key)?;
                let index = slot.index.get_untracked();
                Some((!(first..below).contains(&index), place))
            })
        });
        // What is out of sight may still hold what it held before.
        let best = places.next()?;
        Some(places.fold(best, std::cmp::min).1)
    })
}

/// The element of a row that takes the focus: its name, or the head of a group.
fn name_at(place: usize) -> Option<HtmlElement> {
    first_of(&format!("tr[data-place=\"{place}\"] :is(.nm, .grp)"))
}

/// The first element of the document that matches a selector.
fn first_of(selector: &str) -> Option<HtmlElement> {
    let found = document().query_selector(selector).ok()??;
    found.dyn_into().ok()
}

fn focus_search() {
    if let Some(search) = by_id("search") {
        let _ = search.focus();
    }
}

/// The row that an element is in.
fn row_of(ui: Ui, element: &Element) -> Option<Arc<Ingress>> {
    line_of(ui, element)?.ingress().cloned()
}

/// The line that an element is in.
fn line_of(ui: Ui, element: &Element) -> Option<Cell> {
    let place = place_at(element)?;
    ui.slots
        .with_value(|slots| slots.get(place).and_then(|slot| slot.cell.get_untracked()))
}

fn place_at(element: &Element) -> Option<usize> {
    let row = element.closest("tr[data-place]").ok().flatten()?;
    row.get_attribute("data-place")?.parse().ok()
}

/// Which rows the pool holds, from the scroll position: what is in sight is in its middle.
fn scrolled(ui: Ui) {
    let Some(table) = by_id("tablewrap") else {
        return;
    };
    let height = row_height(ui);
    TOP.set(f64::from(table.scroll_top()));
    let first = (TOP.get() / height) as usize;
    let shown = (f64::from(table.client_height()) / height) as usize + 1;
    // The table is lower than the window, but while it is hidden it has no height.
    let most = window()
        .inner_height()
        .ok()
        .and_then(|height| height.as_f64())
        .unwrap_or(900.0);
    let pool = ((most / height) as usize + OVERSCAN).min(POOL);
    if ui.pool.get_untracked() != pool {
        ui.pool.set(pool);
    }
    // A table that is hidden has no height, and may be shown by what comes next.
    let in_sight = if shown > 1 { shown + 1 } else { pool };
    SIGHT.set((first, first + in_sight));
    let before = pool.saturating_sub(shown) / 2;
    // In steps of four, so that a slow scroll does not move the pool with each row.
    let start = first.saturating_sub(before) / 4 * 4;
    let last = ui.live.lines.get_untracked().saturating_sub(pool);
    if ui.is_fed_untracked() {
        stick(ui);
        if start.min(last) != ui.start.get_untracked() {
            ui.start.set(start.min(last));
        }
    }
}

/// The room of the rows that are not in the pool.
fn size_spacers(ui: Ui) {
    Effect::new(move |_| {
        ui.density.track();
        ui.cards.track();
        let height = row_height(ui);
        let fed = ui.is_fed();
        let lines = ui.live.lines.get();
        let pool = ui.pool.get();
        let start = ui.start.get().min(lines.saturating_sub(pool));
        if !fed {
            return;
        }
        let after = lines.saturating_sub(start + pool);
        for (id, rows) in [("space-before", start), ("space-after", after)] {
            let Some(cell) = by_id(id) else { continue };
            let style = cell.style();
            let _ = style.set_property(
                "block-size",
                &format!("{}px", (rows as f64 * height) as u64),
            );
            let _ = style.set_property("padding", "0");
            let _ = style.set_property("border", "0");
            if let Some(row) = cell.parent_element() {
                let _ = row.toggle_attribute_with_force("hidden", rows == 0);
            }
        }
    });
}

/// Another filter or order starts at the top again.
fn to_top(ui: Ui) {
    if let Some(table) = by_id("tablewrap") {
        table.set_scroll_top(0);
    }
    let (first, below) = SIGHT.get();
    SIGHT.set((0, below - first));
    TOP.set(0.0);
    ui.start.set(0);
}

/// Brings line `index` of the view into sight and the focus to it.
fn go_to(ui: Ui, index: usize) {
    let Some(line) = ui.live.with_table(|table| table.line(index)) else {
        return;
    };
    let Some(table) = by_id("tablewrap") else {
        return;
    };
    let height = row_height(ui);
    let (top, bottom) = (index as f64 * height, (index + 1) as f64 * height);
    let shown = height_of_rows(&table);
    let at = f64::from(table.scroll_top());
    // The head of a group lies over the first row.
    let covered = match &line {
        Line::Row(_) if ui.live.grouping.get_untracked().is_some() => height,
        _ => 0.0,
    };
    if top - covered < at {
        table.set_scroll_top((top - covered) as i32);
    } else if bottom > at + shown {
        table.set_scroll_top((bottom - shown).ceil() as i32);
    }
    scrolled(ui);
    AT.set(index);
    // In a low window the page scrolls as well.
    table.scroll_into_view_with_bool(false);
    let key = line.key();
    if line.row().is_some() && ui.selected.with_untracked(Option::is_some) {
        ui.selected.set(Some(key.clone()));
    }
    // Who goes through the rows from within the details stays there.
    if first_of(".drawer :focus").is_some() {
        ui.current.set(Some(key));
    } else {
        focus_line(ui, key);
    }
}

/// How much of the table's height is rows, in pixels.
fn height_of_rows(table: &Element) -> f64 {
    const HEAD: f64 = 30.0;
    f64::from(table.client_height()) - HEAD
}

/// As many rows on as the window shows, or back; from the first in sight where none is current.
fn turn_page(ui: Ui, forward: bool) {
    let Some(table) = by_id("tablewrap") else {
        return;
    };
    let rows = ((height_of_rows(&table) / row_height(ui)) as usize).max(1);
    let (at, len) = current_line(ui);
    let at = at.unwrap_or(SIGHT.get().0);
    let index = if forward {
        (at + rows).min(len.saturating_sub(1))
    } else {
        at.saturating_sub(rows)
    };
    go_to(ui, index);
}

/// One row on, or back.
fn step(ui: Ui, forward: bool) {
    let (at, len) = current_line(ui);
    let index = match (at, forward) {
        // None was, or it is gone.
        (None, _) => SIGHT.get().0,
        (Some(at), true) => at + 1,
        (Some(at), false) => at.saturating_sub(1),
    };
    if index < len {
        go_to(ui, index);
    }
}

/// The line that the keys are at. The focus follows a frame later: it is behind where keys come
/// faster than frames.
fn current_key(ui: Ui) -> Option<Key> {
    ui.current
        .get_untracked()
        .or_else(|| ui.selected.get_untracked())
        .or_else(|| focused_key(ui))
}

/// Where in the view the keys are, and how many lines it has.
fn current_line(ui: Ui) -> (Option<usize>, usize) {
    ui.live.with_table(|table| {
        let at = current_key(ui).and_then(|key| table.line_of(&key));
        (at, table.line_count())
    })
}

/// The row that the keys are at.
fn current_row(ui: Ui) -> Option<Arc<Ingress>> {
    let key = current_key(ui)?;
    let view = ui.live.with_table(|table| table.get(&key))?;
    Some(view.ingress)
}

// What follows the state -------------------------------------------------------------------------

/// The details show the newest state of their object, and say when it is gone.
fn follow_selection(ui: Ui) {
    Effect::new(move |_| {
        ui.live.version.track();
        let Some(key) = ui.selected.get() else { return };
        let found = ui.live.with_table(|table| table.get(&key));
        let held = ui
            .detail
            .get_untracked()
            .filter(|detail| detail.row.name == key.name && detail.row.namespace == key.namespace);
        let detail = match (found, held) {
            (Some(view), held) if view.deleted => Some(Detail {
                row: view.ingress,
                deleted_at: held
                    .and_then(|held| held.deleted_at)
                    .or(Some(js_sys::Date::now() as i64)),
            }),
            (Some(view), _) => Some(Detail {
                row: view.ingress,
                deleted_at: None,
            }),
            // Outside the scope, or before the first rows, nothing is known about it.
            (None, Some(held))
                if ui.live.complete.get()
                    && ui.live.scope.with(|scope| scope.contains(&key.namespace)) =>
            {
                Some(Detail {
                    deleted_at: held.deleted_at.or(Some(js_sys::Date::now() as i64)),
                    ..held
                })
            }
            (None, held) => held,
        };
        if ui.detail.with_untracked(|old| *old != detail) {
            ui.detail.set(detail);
        }
    });
}

thread_local! {
    /// Whether the next change of the address adds an entry whatever it is.
    static ADDS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// The address bar follows the state: a new selection or scope adds an entry and so does a search
/// that is cleared; typing replaces it.
fn write_address(ui: Ui) {
    Effect::new(move |before: Option<Query>| {
        let query = ui.query();
        if let Some(before) = before.filter(|before| *before != query) {
            let search = window().location().search().unwrap_or_default();
            let text = query.to_query_string();
            let mut there = Query::parse(search.trim_start_matches('?'));
            // A change of the settings alone is no change of the address.
            there.everything = query.everything;
            if there != query
                && let Ok(history) = window().history()
            {
                let url = format!("{}/{text}", ui.base_path());
                let adds = ADDS.take()
                    || before.selected != query.selected
                    || before.namespaces != query.namespaces;
                let _ = if adds {
                    history.push_state_with_url(&JsValue::NULL, "", Some(&url))
                } else {
                    history.replace_state_with_url(&JsValue::NULL, "", Some(&url))
                };
            }
        }
        query
    });
}

/// The state follows the address bar: back and forward.
fn read_address(ui: Ui) {
    let search = window().location().search().unwrap_or_default();
    let query = Query::parse(search.trim_start_matches('?'));
    ADDS.set(false);
    let max = ui.cluster.with_value(|cluster| cluster.max_namespaces);
    let (scope, refused) = query.scope(max);
    ui.refused.set(refused);
    ui.asked.set(query.namespaces);
    if ui.live.scope.with_untracked(|old| *old != scope) {
        ui.live.set_scope(scope);
    }
    if ui.live.filter.with_untracked(|old| *old != query.search) {
        ui.set_search(&query.search);
    }
    if ui.live.grouping.get_untracked() != query.grouping {
        ui.live.set_grouping(query.grouping);
    }
    let sort = (query.sort.column, query.sort.direction);
    if ui.live.sort.get_untracked() != sort {
        ui.live.set_sort(sort.0, sort.1);
    }
    ui.popup.set(None);
    ui.select(query.selected);
    ui.tab.set(query.tab);
}

fn write_title(ui: Ui) {
    Effect::new(move |_| {
        let name = ui.cluster.with_value(|cluster| cluster.name.clone());
        let title = format!("{name} · Ingresses");
        match ui.facts().title() {
            Some(state) => document().set_title(&format!("{state} · {title}")),
            None => document().set_title(&title),
        }
    });
}

/// Says a lost, a returned and an offline connection once each.
fn announce_currency(ui: Ui) {
    Effect::new(move |before: Option<(Currency, bool)>| {
        let now = ui.currency.get();
        let (before, lost) = before.unwrap_or((now, false));
        if before == now {
            return (now, lost);
        }
        match now {
            Currency::Live | Currency::Partly if lost => ui.announce("Live again"),
            Currency::Partly => ui.announce("Some namespaces are not live"),
            Currency::Stale | Currency::Reconnecting if !lost => ui.announce("Connection lost"),
            Currency::Forbidden => ui.announce("Nothing here may be read"),
            Currency::Offline => ui.announce("Offline"),
            Currency::ClusterLost => ui.announce("The Kubernetes API does not answer"),
            Currency::Refused => ui.announce("The server refuses the stream"),
            _ => {}
        }
        // A connection that is being opened again is still a lost one.
        (now, now.is_old() || (lost && !now.is_live()))
    });
}

/// Says how many rows match, when the typing has stopped.
fn announce_matches(ui: Ui) {
    Effect::new(move |before: Option<String>| {
        let typed = ui.live.filter.get();
        if before.is_some_and(|before| before != typed) {
            set_timeout(
                move || {
                    if ui.live.filter.with_untracked(|now| *now == typed) {
                        let matching = ui.live.matching.get_untracked();
                        ui.announce(counted(matching, "ingress matches", "ingresses match"));
                    }
                },
                Duration::from_millis(SAY_MATCHES_MS),
            );
        }
        ui.live.filter.get_untracked()
    });
}

/// What a person has chosen is kept: the cookie is what the server renders from.
fn keep_choices(ui: Ui) {
    Effect::new(move |before: Option<Choices>| {
        let choices = Choices {
            theme: ui.theme.get(),
            density: ui.density.get(),
            columns: ui.columns.get(),
            exclusions: ui.exclusions.get(),
        };
        let (theme, density) = (choices.theme, choices.density);
        if before.is_some_and(|before| before != choices)
            && let Some(root) = document().document_element()
        {
            let _ = match theme.attribute() {
                Some(value) => root.set_attribute("data-theme", value),
                None => root.remove_attribute("data-theme"),
            };
            let _ = root.set_attribute("data-density", density.id());
            keep(ui, Theme::COOKIE, theme.id());
            keep(ui, Density::COOKIE, density.id());
            keep(ui, Columns::COOKIE, &choices.columns.to_string());
            let mut exclusions = String::new();
            encode(&mut exclusions, &choices.exclusions.to_string());
            keep(ui, Exclusions::COOKIE, &exclusions.replace(',', "%2C"));
            scrolled(ui);
        }
        choices
    });
    Effect::new(move |before: Option<bool>| {
        let on = ui.single_keys.get();
        if before.is_some_and(|before| before != on) {
            store(SINGLE_KEYS, if on { "on" } else { "off" });
        }
        on
    });
}

/// What local storage calls the pinned namespaces, those chosen lately, and the sets of them.
const NAMESPACES: [&str; 3] = [
    "kube-ingress-dash-pins",
    "kube-ingress-dash-recent",
    "kube-ingress-dash-sets",
];

/// Recalls which namespaces are pinned, recent and in sets, and keeps them from then on.
fn recall_namespaces(ui: Ui) {
    fn names<C: FromIterator<String>>(text: &str) -> C {
        let names = text
            .split(',')
            .filter(|name| protocol::scope::is_dns_label(name));
        names.map(str::to_owned).collect()
    }
    let [pins, recent, sets] = NAMESPACES.map(|key| stored(key).unwrap_or_default());
    ui.pins.set(names(&pins));
    ui.recent.set(names(&recent));
    ui.sets.set(sets.split(';').take(9).map(names).collect());
    Effect::new(move |started: Option<()>| {
        let sets = ui.sets.get();
        let sets: Vec<_> = sets
            .into_iter()
            .map(|set| Scope::Namespaces(set).to_string())
            .collect();
        let pins = Scope::Namespaces(ui.pins.get()).to_string();
        let texts = [pins, ui.recent.get().join(","), sets.join(";")];
        if started.is_some() {
            for (key, text) in NAMESPACES.into_iter().zip(texts) {
                store(key, &text);
            }
        }
    });
}

/// How often a namespace that there is not is looked for again, in milliseconds.
const MISSING_MS: u64 = 10_000;

/// Asks which of the watched namespaces there are: the server has said it of the first ones.
fn follow_missing(ui: Ui) {
    Effect::new(move |before: Option<Scope>| {
        let scope = ui.live.scope.get();
        if before.is_some_and(|before| before != scope) {
            ui.missing.set(Vec::new());
            look_for_missing(ui);
        }
        scope
    });
    set_interval(
        move || {
            if !ui.missing.with_untracked(Vec::is_empty) {
                look_for_missing(ui);
            }
        },
        Duration::from_millis(MISSING_MS),
    );
}

fn look_for_missing(ui: Ui) {
    let scope = ui.live.scope.get_untracked();
    if scope.names().is_none() {
        return;
    }
    let url = format!("{}/api/namespaces", ui.base_path());
    leptos::task::spawn_local(async move {
        // Without an answer nothing new is known.
        let Ok(document) = fetch_json::<NamespaceDocument>(&url).await else {
            return;
        };
        if !document.complete || ui.live.scope.get_untracked() != scope {
            return;
        }
        let known = document.items.into_iter().map(|item| item.name).collect();
        let mut missing = missing(&scope, &known);
        // Of these the state says why.
        ui.live.states.with_untracked(|states| {
            let named = |name: &str| {
                let mut states = states.iter();
                states.any(|status| status.namespace.as_deref() == Some(name))
            };
            missing.retain(|missing| !named(&missing.name));
        });
        if ui.missing.with_untracked(|old| *old != missing) {
            ui.missing.set(missing);
        }
    });
}

/// Gives the focus to the element of this id with the next frame: it was there, and another element
/// has its id now.
pub(crate) fn focus_again(id: Option<String>) {
    let Some(id) = id else { return };
    request_animation_frame(move || {
        if let Some(element) = by_id(&id) {
            let options = web_sys::FocusOptions::new();
            options.set_prevent_scroll(true);
            let _ = element.focus_with_options(&options);
        }
    });
}

fn stored(name: &str) -> Option<String> {
    window().local_storage().ok()??.get_item(name).ok()?
}

fn store(name: &str, value: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item(name, value);
    }
}

fn keep(ui: Ui, name: &str, value: &str) {
    if let Ok(document) = document().dyn_into::<web_sys::HtmlDocument>() {
        let path = format!("{}/", ui.base_path());
        let _ = document.set_cookie(&format!(
            "{name}={value}; Path={path}; Max-Age=31536000; SameSite=Lax"
        ));
    }
    store(name, value);
}

/// Whether the focus is in something other than a popup.
fn is_elsewhere() -> bool {
    let active = document().active_element();
    active.is_some_and(|active| active.tag_name() != "BODY" && closest(&active, ".pop").is_none())
}

/// An opened popup gets the focus; a closed one gives it back to what had it, unless a press has
/// taken it elsewhere: to the row that the keys were at (its element may show another row by now,
/// and the focus is a frame behind the keys), else to the element.
fn focus_popup(ui: Ui) {
    let opener = StoredValue::new_local(None::<HtmlElement>);
    Effect::new(move |before: Option<bool>| {
        let open = ui.popup.with(Option::is_some);
        if open && before != Some(true) {
            let active = document()
                .active_element()
                .filter(|active| active.tag_name() != "BODY" && line_of(ui, active).is_none())
                .and_then(|active| active.dyn_into().ok());
            opener.set_value(active);
        }
        if open {
            request_animation_frame(move || {
                // The first field, else what is chosen, else the popup itself.
                let inside = [
                    ".pop input:not([type=checkbox])",
                    ".pop textarea",
                    ".pop .mi.on",
                    ".pop .mi",
                    ".pop [aria-modal]",
                    ".pop",
                ];
                let first = inside
                    .iter()
                    .filter_map(|selector| document().query_selector(selector).ok().flatten())
                    .filter_map(|element| element.dyn_into::<HtmlElement>().ok())
                    .find(|element| element.client_width() > 0);
                if let Some(first) = first {
                    let _ = first.focus();
                    if let Some(text) = first.dyn_ref::<web_sys::HtmlTextAreaElement>() {
                        text.select();
                    }
                }
            });
        } else if before == Some(true) && !is_elsewhere() {
            if let Some(opener) = opener.get_value() {
                let _ = opener.focus();
            } else if let Some(key) = current_key(ui) {
                focus_line(ui, key);
            }
        }
        open
    });
}

/// Sets the place of a popup that belongs to a point of the window, within its edges. On a phone
/// it is a sheet at the lower edge.
pub(crate) fn place_popup(ui: Ui, element: NodeRef<Div>, (x, y): (f64, f64)) {
    Effect::new(move |_| {
        let Some(element) = element.get() else { return };
        if ui.cards.get_untracked() {
            return;
        }
        let extent = |value: Result<JsValue, JsValue>| {
            value.ok().and_then(|value| value.as_f64()).unwrap_or(800.0)
        };
        let (width, height) = (
            extent(window().inner_width()),
            extent(window().inner_height()),
        );
        let left = x
            .min(width - f64::from(element.offset_width()) - 12.0)
            .max(12.0);
        let top = y.min(height - 240.0).max(12.0);
        let style = web_sys::HtmlElement::style(&element);
        let _ = style.set_property("left", &format!("{}px", left as i64));
        let _ = style.set_property("top", &format!("{}px", top as i64));
        let _ = style.set_property("max-height", &format!("{}px", (height - top - 12.0) as i64));
    });
}

// What people do ---------------------------------------------------------------------------------

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
        FOLLOWS.set(false);
        searching::pressed(ui, event);
        dragging::begin(ui, event);
    });
    on("mousedown", searching::keep_focus);
    on("dblclick", move |event| pressed_twice(ui, event));
    on("submit", Event::prevent_default);
    on("pointerover", move |event| point_at(ui, event));
    on("pointermove", move |_| hold_now());
    on("focusin", move |event| point_at(ui, event));
    let _ = by_id("tablewrap").map(|table| {
        let listener = Closure::<dyn Fn()>::new(move || scrolled(ui));
        let added =
            table.add_event_listener_with_callback("scroll", listener.as_ref().unchecked_ref());
        listener.forget();
        added
    });
    let _ = window_event_listener_untyped("resize", move |_| {
        measure(ui);
        scrolled(ui);
        mark_cut();
    });
    let _ = window_event_listener_untyped("popstate", move |_| read_address(ui));
    measure(ui);
    scrolled(ui);
}

/// Whether the window is so narrow that rows are cards.
fn measure(ui: Ui) {
    let cards = window()
        .match_media(CARDS)
        .ok()
        .flatten()
        .is_some_and(|query| query.matches());
    if ui.cards.get_untracked() != cards {
        ui.cards.set(cards);
    }
}

/// Listens on the document for as long as the page lives.
fn on(kind: &str, listener: impl Fn(&Event) + 'static) {
    let listener = Closure::<dyn Fn(Event)>::new(move |event: Event| listener(&event));
    let _ = document().add_event_listener_with_callback(kind, listener.as_ref().unchecked_ref());
    listener.forget();
}

fn target(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

fn closest(element: &Element, selector: &str) -> Option<Element> {
    element.closest(selector).ok().flatten()
}

thread_local! {
    /// When the pointer or a key last did something over the rows, on the monotonic clock.
    static HELD_AT: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

fn hold_now() {
    HELD_AT.set(mono_now_ms());
}

/// The row under the pointer or the focus has its buttons, and holds the others in their places.
fn point_at(ui: Ui, event: &Event) {
    let place = target(event).as_ref().and_then(place_at);
    if event.type_() == "focusin" {
        FOLLOWS.set(place.is_some());
    }
    ui.slots.with_value(|slots| {
        for (index, slot) in slots.iter().enumerate() {
            let here = Some(index) == place;
            if slot.active.get_untracked() != here {
                slot.active.set(here);
            }
        }
    });
    if let Some(place) = place {
        if event.type_() == "focusin" {
            let key = ui.slots.with_value(|slots| {
                slots[place]
                    .cell
                    .with_untracked(|cell| cell.as_ref().map(|cell| cell.line.key()))
            });
            if ui.current.with_untracked(|current| *current != key) {
                ui.current.set(key);
            }
        }
        hold_now();
        ui.live.hold(true);
        release_later(ui);
    }
}

/// Ends the hold once nothing is over the rows, or nothing has moved there for long.
fn release_later(ui: Ui) {
    thread_local! {
        static WAITING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    }
    if WAITING.replace(true) {
        return;
    }
    set_timeout(
        move || {
            WAITING.set(false);
            let over = document()
                .query_selector("tr[data-place]:hover, tr[data-place]:focus-within")
                .ok()
                .flatten()
                .is_some();
            let idle = mono_now_ms().saturating_sub(HELD_AT.get()) > LONGEST_HOLD_MS;
            if over && !idle {
                release_later(ui);
            } else {
                ui.live.hold(false);
            }
        },
        Duration::from_millis(RELEASE_MS),
    );
}

fn clicked(ui: Ui, event: &Event) {
    let Some(target) = target(event) else { return };
    let mouse = event.dyn_ref::<MouseEvent>();
    let modified = mouse.is_some_and(|mouse| {
        mouse.ctrl_key() || mouse.meta_key() || mouse.shift_key() || mouse.button() != 0
    });
    // A button of a popup may be gone by now: its own listener came first.
    if target.is_connected()
        && closest(&target, ".pop").is_none()
        && closest(&target, "[data-popup], [data-act]").is_none()
    {
        ui.popup.set(None);
    }
    if target.class_list().contains("scrim") {
        return ui.popup.set(None);
    }
    if let Some(offer) = closest(&target, "[data-offer]") {
        return searching::take(ui, &offer.get_attribute("data-offer").unwrap_or_default());
    }
    if let Some(opener) = closest(&target, "[data-popup]") {
        return open_popup(ui, &opener);
    }
    if let Some(choice) = closest(&target, "[data-theme-choice]") {
        let id = choice
            .get_attribute("data-theme-choice")
            .unwrap_or_default();
        let theme = Theme::ALL
            .into_iter()
            .find(|theme| theme.id() == id)
            .unwrap_or_default();
        ui.theme.set(theme);
        return ui.popup.set(None);
    }
    if let Some(tab) = closest(&target, "[data-tab]") {
        return choose_tab(ui, &tab);
    }
    if let Some(heading) = closest(&target, "[data-sort]") {
        event.prevent_default();
        return sort_by(ui, &heading);
    }
    if let Some(button) = closest(&target, "[data-act]") {
        let mut act = button.get_attribute("data-act").unwrap_or_default();
        if act == "group" && mouse.is_some_and(MouseEvent::alt_key) {
            act = "groups".into();
        }
        if act == "clear" && modified {
            return;
        }
        event.prevent_default();
        if act == "filter-by" {
            let field = button.get_attribute("data-field").unwrap_or_default();
            let value = button.get_attribute("data-value").unwrap_or_default();
            let out = mouse.is_some_and(MouseEvent::alt_key);
            return acts::filter_by(ui, &field, &value, out);
        }
        return acts::act_on(ui, &act, &button);
    }
    if let (Some(mouse), Some(row)) = (mouse, row_of(ui, &target))
        && closest(&target, ".host").is_none()
        && mouse.button() == 0
    {
        let on_link = closest(&target, "a").is_some();
        if mouse.shift_key() {
            event.prevent_default();
            return picking::up_to(ui, &row.key());
        }
        if (mouse.ctrl_key() || mouse.meta_key()) && !on_link {
            return picking::toggle(ui, row.key());
        }
    }
    if modified || closest(&target, ".host, button, input, label").is_some() {
        return;
    }
    let selecting = window()
        .get_selection()
        .ok()
        .flatten()
        .is_some_and(|selection| !selection.is_collapsed());
    let Some(row) = row_of(ui, &target) else {
        return;
    };
    let key = row.key();
    let presses = mouse.map_or(0, |mouse| mouse.detail());
    if closest(&target, ".nm").is_some() {
        event.prevent_default();
        ui.current.set(Some(key.clone()));
        // Enter on a row whose details are open goes into them.
        if presses == 0
            && ui
                .selected
                .with_untracked(|open| open.as_ref() == Some(&key))
        {
            focus_details();
        }
        ui.select(Some(key));
    } else {
        ui.current.set(Some(key.clone()));
        open_soon(ui, key, !selecting && presses < 2);
    }
}

/// Between the two presses that select a text, in milliseconds.
const TWICE_MS: u64 = 250;

/// Opens the details of a row that was pressed beside its name, unless another press follows: a
/// second one selects what is in the cell. Nor does one that selects open anything.
fn open_soon(ui: Ui, key: Key, alone: bool) {
    thread_local! {
        static PRESS: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
    }
    let press = PRESS.get().wrapping_add(1);
    PRESS.set(press);
    if !alone {
        return;
    }
    set_timeout(
        move || {
            if PRESS.get() == press {
                ui.select(Some(key));
            }
        },
        Duration::from_millis(TWICE_MS),
    );
}

/// A second press selects the whole text of a cell, not the part between two hyphens; on the edge
/// of a heading it makes the column as wide as what is in it.
fn pressed_twice(ui: Ui, event: &Event) {
    let Some(target) = target(event) else { return };
    if dragging::fit(ui, &target) || closest(&target, "tr[data-place]").is_none() {
        return;
    }
    let text = closest(&target, ".mid, .host-text, .path, .svc, .cls");
    if let (Some(text), Ok(Some(selection))) = (text, window().get_selection()) {
        let _ = selection.select_all_children(&text);
    }
}

fn focus_details() {
    if let Some(details) = by_id("details") {
        let _ = details.focus();
    }
}

fn open_popup(ui: Ui, opener: &Element) {
    let rect = opener.get_bounding_client_rect();
    let below = (rect.left(), rect.bottom() + 6.0);
    let popup = match opener.get_attribute("data-popup").as_deref() {
        Some("theme") => Popup::Theme((rect.right() - 240.0, rect.bottom() + 6.0)),
        Some("connect") => Popup::Connect,
        Some("grant") => Popup::Grant,
        Some("filters") => Popup::Filters(below),
        Some("menu") => Popup::Menu(below),
        Some("connection") => Popup::Connection(below),
        Some("group") => Popup::Group(below),
        Some("columns") => Popup::Columns(below),
        Some("help") => Popup::Help,
        Some("settings") => Popup::Settings,
        Some("facet") => {
            let key = opener.get_attribute("data-field").unwrap_or_default();
            Popup::Facet(Field::of_key(&key).unwrap_or(Field::Class), below)
        }
        _ => Popup::Namespaces,
    };
    let open = ui
        .popup
        .with_untracked(|open| match (open.as_ref(), &popup) {
            (Some(Popup::Facet(open, _)), Popup::Facet(asked, _)) => open == asked,
            (open, _) => open
                .is_some_and(|open| std::mem::discriminant(open) == std::mem::discriminant(&popup)),
        });
    ui.popup.set((!open).then_some(popup));
}

fn choose_tab(ui: Ui, element: &Element) {
    let id = element.get_attribute("data-tab").unwrap_or_default();
    if let Some(tab) = Tab::ALL.into_iter().find(|tab| tab.id() == id) {
        ui.tab.set(tab);
    }
}

fn sort_by(ui: Ui, heading: &Element) {
    let id = heading.get_attribute("data-sort").unwrap_or_default();
    if let Some(column) = columns::by_id(&id) {
        let sort = Sort::of(ui.live.sort.get_untracked()).pressed(column);
        ui.live.set_sort(sort.column, sort.direction);
        to_top(ui);
        ui.announce(format!("Sorted by {}", sort.words()));
    }
}

/// Closes the details; the focus goes back to their row.
fn close_details(ui: Ui) {
    let key = ui.selected.get_untracked();
    ui.select(None);
    if let Some(key) = key {
        focus_line(ui, key);
    }
}

/// Single keys do nothing while a field has the focus, or with any modifier.
fn key_pressed(ui: Ui, event: &KeyboardEvent) {
    let key = event.key();
    let target = target(event);
    let within = |selector: &str| {
        target
            .as_ref()
            .is_some_and(|target| closest(target, selector).is_some())
    };
    if within("#search") && searching::key_pressed(ui, event) {
        return event.prevent_default();
    }
    if key == "Escape" {
        return escape(ui, event);
    }
    let no_popup = ui.popup.with_untracked(Option::is_none);
    if key == "a" && (event.ctrl_key() || event.meta_key()) && no_popup && within("#tablewrap") {
        picking::all(ui);
        return event.prevent_default();
    }
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        let all = ui.live.lines.get_untracked() <= ui.pool.get_untracked();
        if key == "f" && !event.alt_key() && !all {
            ui.finding.set(Some(mono_now_ms()));
        }
        return;
    }
    if let Some(target) = &target
        && dragging::key_pressed(ui, target, event)
    {
        return event.prevent_default();
    }
    let typing = within("input:not([type=checkbox]), textarea, select");
    if ui.popup.with_untracked(Option::is_some) {
        return in_popup(ui, event, typing);
    }
    if typing {
        return;
    }
    if let Some(tab) = target
        .as_ref()
        .and_then(|target| closest(target, "[role=tab]"))
    {
        let back = key == "ArrowLeft";
        if back || key == "ArrowRight" {
            event.prevent_default();
            return next_tab(ui, &tab, back);
        }
    }
    let in_table = within("#tablewrap")
        || target
            .as_ref()
            .is_some_and(|target| target.tag_name() == "BODY");
    hold_now();
    if in_table && key_in_table(ui, event, target.as_ref()) {
        return event.prevent_default();
    }
    if ui.single_keys.get_untracked() && single_key(ui, &key) {
        event.prevent_default();
    }
}

/// Keys that are no letters; whether it was one of them.
fn key_in_table(ui: Ui, event: &KeyboardEvent, target: Option<&Element>) -> bool {
    match (event.key().as_str(), event.shift_key()) {
        ("ArrowDown", true) => picking::on(ui, true),
        ("ArrowUp", true) => picking::on(ui, false),
        ("F10", true) => match current_row(ui) {
            Some(row) => acts::menu_at_row(ui, row),
            None => return false,
        },
        ("ArrowDown", false) => step(ui, true),
        ("ArrowUp", false) => step(ui, false),
        ("Home", false) => go_to(ui, 0),
        ("PageDown", false) => turn_page(ui, true),
        ("PageUp", false) => turn_page(ui, false),
        ("End", false) => go_to(ui, ui.live.lines.get_untracked().saturating_sub(1)),
        ("Enter", false) => return open_current(ui, target),
        _ => return false,
    }
    true
}

/// Opens the line that the keys are at; whether it did. A name or a group's head that has the focus
/// answers by itself, but where keys come faster than frames the focus is still behind. A row that
/// was scrolled away has left its focus to the table.
fn open_current(ui: Ui, target: Option<&Element>) -> bool {
    let elsewhere = target.is_some_and(|target| {
        closest(target, "tr[data-place]").is_some() && closest(target, ".nm, .grp").is_none()
    });
    let Some(key) = ui.current.get_untracked() else {
        return false;
    };
    if elsewhere || focused_key(ui).as_ref() == Some(&key) {
        return false;
    }
    let line = ui.live.with_table(|table| {
        let index = table.line_of(&key)?;
        table.line(index)
    });
    match line {
        Some(Line::Group(group)) => ui.live.toggle_group(&group.value),
        Some(Line::Row(_)) => ui.select(Some(key)),
        // It is gone: whatever has taken its place is not what was meant.
        None => {}
    }
    true
}

/// What a letter does; whether it does something.
fn single_key(ui: Ui, key: &str) -> bool {
    let press = |selector: &str| {
        if let Ok(Some(opener)) = document().query_selector(selector) {
            open_popup(ui, &opener);
        }
    };
    match key {
        "/" => {
            if let Some(search) = by_id("search") {
                let _ = search.focus();
                ui.suggesting.set(true);
            }
        }
        "n" => ui.popup.set(Some(Popup::Namespaces)),
        "?" => ui.popup.set(Some(Popup::Help)),
        "," => ui.popup.set(Some(Popup::Settings)),
        "g" => press("[data-popup=group]"),
        "v" => press("[data-popup=columns]"),
        "t" => press("[data-popup=theme]"),
        "j" => step(ui, true),
        "k" => step(ui, false),
        "[" | "]" if ui.selected.with_untracked(Option::is_some) => {
            turn_tab(ui, ui.tab.get_untracked(), key == "[");
        }
        "." => ui.live.hold(false),
        "0" => ui.show_namespaces(std::collections::BTreeSet::new(), false),
        _ if key.len() == 1 && key.as_bytes()[0].is_ascii_digit() => {
            let index = usize::from(key.as_bytes()[0] - b'1');
            let set = ui.sets.with_untracked(|sets| sets.get(index).cloned());
            match set.filter(|set| !set.is_empty()) {
                Some(set) => ui.show_namespaces(set, false),
                None => acts::say(
                    ui,
                    &format!("No set {key}: keep one where namespaces are chosen"),
                ),
            }
        }
        "d" => ui.density.update(|density| *density = density.next()),
        "x" | "c" | "y" | "o" => {
            let Some(row) = current_row(ui) else {
                return false;
            };
            match key {
                "x" => picking::toggle(ui, row.key()),
                "c" => acts::copy_kubectl(ui, &row.key()),
                "y" => acts::copy_yaml(ui, row.key()),
                _ => acts::open_host(&row),
            }
        }
        _ => return false,
    }
    true
}

/// What the arrow keys go through while namespaces are chosen.
const PICKER: &str = ".nspop :is(#find-namespace, .nslist .check)";

/// Keys while something floats over the page.
fn in_popup(ui: Ui, event: &KeyboardEvent, typing: bool) {
    let key = event.key();
    let closes = ui.popup.with_untracked(|popup| match popup {
        Some(Popup::Help) => key == "?",
        Some(Popup::Settings) => key == ",",
        _ => false,
    });
    if closes && !typing {
        event.prevent_default();
        return ui.popup.set(None);
    }
    let modal = first_of(".pop [aria-modal]").is_some();
    let picker = ui
        .popup
        .with_untracked(|popup| *popup == Some(Popup::Namespaces));
    let (selector, forward) = match key.as_str() {
        "ArrowDown" if picker => (PICKER, true),
        "ArrowUp" if picker => (PICKER, false),
        "ArrowDown" => (".pop [role=menu] .mi", true),
        "ArrowUp" => (".pop [role=menu] .mi", false),
        // The focus stays in what is modal.
        "Tab" if modal => (
            ".pop [aria-modal] :is(button, input, pre)",
            !event.shift_key(),
        ),
        _ => return,
    };
    let items = elements(selector);
    let active = document().active_element();
    let at = items
        .iter()
        .position(|item| active.as_ref() == Some(item.as_ref()));
    let count = items.len();
    let next = match (at, forward) {
        _ if count == 0 => return,
        (None, true) => 0,
        (Some(at), true) => (at + 1) % count,
        (at, false) => (at.unwrap_or(0) + count - 1) % count,
    };
    event.prevent_default();
    let _ = items[next].focus();
}

/// The elements of the document that match a selector.
fn elements(selector: &str) -> Vec<HtmlElement> {
    let Ok(list) = document().query_selector_all(selector) else {
        return Vec::new();
    };
    (0..list.length())
        .filter_map(|index| list.get(index)?.dyn_into().ok())
        .collect()
}

fn next_tab(ui: Ui, tab: &Element, back: bool) {
    let id = tab.get_attribute("data-tab").unwrap_or_default();
    let Some(tab) = Tab::ALL.into_iter().find(|tab| tab.id() == id) else {
        return;
    };
    let next = turn_tab(ui, tab, back);
    if let Some(tab) = by_id(&format!("t-{}", next.id())) {
        let _ = tab.focus();
    }
}

/// The tab after this one, or before it.
fn turn_tab(ui: Ui, tab: Tab, back: bool) -> Tab {
    let count = Tab::ALL.len();
    let at = Tab::ALL.iter().position(|other| *other == tab).unwrap_or(0);
    let next = Tab::ALL[(at + if back { count - 1 } else { 1 }) % count];
    ui.tab.set(next);
    next
}

/// Closes the top layer, then empties the search: its text, then one token with each press.
fn escape(ui: Ui, event: &KeyboardEvent) {
    if ui.popup.with_untracked(Option::is_some) {
        event.prevent_default();
        ui.popup.set(None);
    } else if ui.suggesting.get_untracked() {
        event.prevent_default();
        ui.suggesting.set(false);
    } else if ui.picked.with_untracked(|picked| !picked.is_empty()) {
        event.prevent_default();
        ui.picked.update(std::collections::BTreeSet::clear);
    } else if ui.selected.with_untracked(Option::is_some) {
        event.prevent_default();
        close_details(ui);
    } else if ui.typed.with_untracked(|typed| !typed.is_empty()) {
        event.prevent_default();
        acts::clear_to(ui, &ui.tokens.with_untracked(|tokens| tokens.join(" ")));
    } else if ui.tokens.with_untracked(|tokens| !tokens.is_empty()) {
        event.prevent_default();
        let mut tokens = ui.tokens.get_untracked();
        tokens.pop();
        acts::clear_to(ui, &tokens.join(" "));
    }
}

/// Fetches a JSON document of this server. The error is in plain words.
pub(crate) async fn fetch_json<T: FromJson>(url: &str) -> Result<T, String> {
    let unreachable = |_| "The server could not be reached.".to_owned();
    let response = Request::get(url).send().await.map_err(unreachable)?;
    if !response.ok() {
        return Err(format!(
            "The server refuses this (HTTP {}).",
            response.status()
        ));
    }
    let text = response.text().await.map_err(unreachable)?;
    json::read(text.as_bytes()).map_err(|_| "The server's answer cannot be read.".to_owned())
}
