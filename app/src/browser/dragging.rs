//! The order and the width of columns, with the pointer and with keys.

use leptos::prelude::*;
use protocol::columns::Column;
use protocol::json;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, KeyboardEvent, MouseEvent};

use super::dom::{closest, elements, elements_in, first_in, first_of, on, target};
use super::lines::{at, wrap};
use super::pool::mark_cut;
use super::storage::{store, stored};
use crate::state::{Drag, Input, Ui};

/// How far a key moves the edge of a column, in pixels.
const STEP: f64 = 16.0;

/// What local storage calls the width of the drawer, in pixels.
const DRAWER: &str = "kube-ingress-dash-drawer";
/// How narrow the drawer gets, and what is left of the table, in pixels.
const DRAWER_LEAST: f64 = 480.0;
const TABLE_LEAST: f64 = 360.0;

/// The pointer takes an edge or a handle.
pub(super) fn begin(ui: Ui, event: &Event) {
    let (Some(target), Some(mouse)) = (target(event), event.dyn_ref::<MouseEvent>()) else {
        return;
    };
    let ui = at(ui, &target);
    let drag = if let Some((column, edge)) = named(&target, "data-edge") {
        let width = edge
            .parent_element()
            .map_or(0.0, |heading| heading.get_bounding_client_rect().width());
        Drag::Edge(ui.table.number, column, f64::from(mouse.client_x()), width)
    } else if closest(&target, "[data-drawer]").is_some() {
        Drag::Drawer
    } else if let Some((column, _)) = named(&target, "data-grip") {
        Drag::Grip(column)
    } else {
        return;
    };
    event.prevent_default();
    ui.input.update_value(|input| input.drag = Some(drag));
    let listens = |input: &mut Input| std::mem::replace(&mut input.follows_drags, true);
    if ui.input.try_update_value(listens) == Some(false) {
        let ends = move |_: &Event| ui.input.update_value(|input| input.drag = None);
        on("pointermove", move |event| follow(ui, event));
        on("pointerup", ends);
        on("pointercancel", ends);
    }
}

/// Sets the width of a column. The hosts have taken the room that was left; from now on they keep
/// theirs, so that no other column changes and the edge stays under the pointer.
fn resize(ui: Ui, column: Column, width: f64) {
    let hosts =
        heading_of(ui, Column::Host).map(|heading| heading.get_bounding_client_rect().width());
    ui.table.columns.update(|columns| {
        if let Some(width) = hosts.filter(|_| !columns.is_set(Column::Host)) {
            columns.resize(Column::Host, width);
        }
        columns.resize(column, width);
    });
    mark_cut(ui);
}

/// The cell of a column's heading, where the table has it.
fn heading_of(ui: Ui, column: Column) -> Option<Element> {
    let id = column.id();
    let wrap = wrap(ui)?;
    first_in(&wrap, &format!("th:has(> [data-sort={id}])")).map(Into::into)
}

/// Makes a column as wide as what is in it, as far as that is in the document and no other column
/// leaves the window for it; whether it was the edge of one that was pressed.
pub(super) fn fit(ui: Ui, target: &Element) -> bool {
    let Some((column, _)) = named(target, "data-edge") else {
        return false;
    };
    let table = wrap(ui).and_then(|wrap| first_in(&wrap, ".dt"));
    if let (Some(table), Some(heading)) = (table, heading_of(ui, column)) {
        let width = || heading.get_bounding_client_rect().width();
        let (before, room) = (width(), free_room(&table));
        // For a moment the browser lays the table out by what is in it.
        let classes = table.class_list();
        let _ = classes.add_1("fitting");
        let fitting = width().ceil();
        let _ = classes.remove_1("fitting");
        resize(ui, column, fitting.min(before + room));
    }
    true
}

/// What the window of the table has left beside its columns, in pixels.
fn free_room(table: &Element) -> f64 {
    let headings = elements_in(table, "thead th");
    let width = |heading: &Element| heading.get_bounding_client_rect().width();
    let window = table
        .parent_element()
        .map_or(0, |window| window.client_width());
    let gutter = first_in(table, "thead .mark").map_or(0.0, |gutter| width(&gutter));
    let columns: f64 = headings.iter().map(|heading| width(heading)).sum();
    (f64::from(window) - gutter - columns).max(0.0)
}

/// The drawer is as wide as it was left.
pub(super) fn restore_drawer() {
    // `parse` is the one user of 10 kB of tables.
    if let Some(width) = stored(DRAWER).and_then(|width| json::read(width.as_bytes()).ok()) {
        widen_drawer(width);
    }
}

fn widen_drawer(width: f64) {
    let most = (window_width() - TABLE_LEAST).max(DRAWER_LEAST);
    let width = width.clamp(DRAWER_LEAST, most);
    if let Some(root) = first_of(":root") {
        let width = format!("{}px", whole(width));
        let _ = root.style().set_property("--w-drawer", &width);
    }
}

/// Whole pixels: nothing else writes numbers with a fraction, which takes 7 kB of code.
fn whole(width: f64) -> i32 {
    width.round() as i32
}

fn window_width() -> f64 {
    let width = window().inner_width().ok();
    width.and_then(|width| width.as_f64()).unwrap_or(1440.0)
}

fn follow(ui: Ui, event: &Event) {
    let drag = ui.input.with_value(|input| input.drag);
    let (Some(drag), Some(mouse)) = (drag, event.dyn_ref::<MouseEvent>()) else {
        return;
    };
    match drag {
        Drag::Edge(table, column, from, width) => {
            let ui = ui.of_table(table);
            resize(ui, column, width + f64::from(mouse.client_x()) - from);
        }
        Drag::Drawer => {
            let width = window_width() - f64::from(mouse.client_x());
            widen_drawer(width);
            store(DRAWER, &whole(width).to_string());
            mark_cut(ui);
        }
        Drag::Grip(column) => {
            let y = f64::from(mouse.client_y());
            let above = elements("[data-colrow]")
                .iter()
                .filter(|row| {
                    let rect = row.get_bounding_client_rect();
                    rect.top() + rect.height() / 2.0 < y
                })
                .count();
            let at = ui
                .table
                .columns
                .with_untracked(|columns| columns.place(column));
            // Its own row counts as one that is above.
            let place = if above > at { above - 1 } else { above };
            if place != at {
                ui.table
                    .columns
                    .update(|columns| columns.move_to(column, place));
            }
        }
    }
}

/// Arrows on a handle move the column, with Shift on a heading its edge; whether it was one.
pub(super) fn key_pressed(ui: Ui, target: &Element, event: &KeyboardEvent) -> bool {
    let key = event.key();
    if let Some((column, _)) = named(target, "data-grip") {
        let column = ui.input.with_value(|input| input.moved).unwrap_or(column);
        let at = ui
            .table
            .columns
            .with_untracked(|columns| columns.place(column));
        let place = match key.as_str() {
            "ArrowUp" => at.saturating_sub(1),
            "ArrowDown" => at + 1,
            _ => return false,
        };
        ui.table
            .columns
            .update(|columns| columns.move_to(column, place));
        let id = column.id();
        ui.input.update_value(|input| input.moved = Some(column));
        request_animation_frame(move || {
            ui.input.update_value(|input| input.moved = None);
            if let Some(grip) = first_of(&format!("[data-grip={id}]")) {
                let _ = grip.focus();
            }
        });
        ui.announce(format!("{}, place {}", column.heading(), place + 1));
        return true;
    }
    if let Some((column, heading)) = named(target, "data-sort")
        && event.shift_key()
    {
        let step = match key.as_str() {
            "ArrowLeft" => -STEP,
            "ArrowRight" => STEP,
            _ => return false,
        };
        resize(
            ui,
            column,
            heading.get_bounding_client_rect().width() + step,
        );
        return true;
    }
    false
}

/// The column that an element names in an attribute.
fn named(target: &Element, attribute: &str) -> Option<(Column, HtmlElement)> {
    let element = closest(target, &format!("[{attribute}]"))?;
    let column = Column::of_id(&element.get_attribute(attribute)?)?;
    Some((column, element.dyn_into().ok()?))
}
