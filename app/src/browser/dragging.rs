//! The order and the width of columns, with the pointer and with keys.

use leptos::prelude::*;
use protocol::table::Column;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, KeyboardEvent, MouseEvent};

use super::{closest, elements, first_of, on, target};
use crate::columns;
use crate::state::Ui;

/// How far a key moves the edge of a column, in pixels.
const STEP: f64 = 16.0;

/// What the pointer drags.
#[derive(Clone, Copy)]
enum Drag {
    /// The edge of a column: from this place of the pointer, at this width.
    Edge(Column, f64, f64),
    /// A column, by its handle in the menu.
    Grip(Column),
}

thread_local! {
    static DRAG: std::cell::Cell<Option<Drag>> = const { std::cell::Cell::new(None) };
    /// The column that keys move, until the focus has followed it: before, the element with the
    /// focus is another column's.
    static MOVED: std::cell::Cell<Option<Column>> = const { std::cell::Cell::new(None) };
    static LISTENS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// The pointer takes an edge or a handle.
pub(super) fn begin(ui: Ui, event: &Event) {
    let (Some(target), Some(mouse)) = (target(event), event.dyn_ref::<MouseEvent>()) else {
        return;
    };
    let drag = if let Some((column, edge)) = named(&target, "data-edge") {
        let width = edge
            .parent_element()
            .map_or(0.0, |heading| heading.get_bounding_client_rect().width());
        Drag::Edge(column, f64::from(mouse.client_x()), width)
    } else if let Some((column, _)) = named(&target, "data-grip") {
        Drag::Grip(column)
    } else {
        return;
    };
    event.prevent_default();
    DRAG.set(Some(drag));
    if !LISTENS.replace(true) {
        on("pointermove", move |event| follow(ui, event));
        on("pointerup", |_| DRAG.set(None));
        on("pointercancel", |_| DRAG.set(None));
    }
}

fn follow(ui: Ui, event: &Event) {
    let (Some(drag), Some(mouse)) = (DRAG.get(), event.dyn_ref::<MouseEvent>()) else {
        return;
    };
    match drag {
        Drag::Edge(column, from, width) => {
            let width = width + f64::from(mouse.client_x()) - from;
            ui.columns.update(|columns| columns.resize(column, width));
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
            let at = ui.columns.with_untracked(|columns| columns.place(column));
            // Its own row counts as one that is above.
            let place = if above > at { above - 1 } else { above };
            if place != at {
                ui.columns.update(|columns| columns.move_to(column, place));
            }
        }
    }
}

/// Arrows on a handle move the column, with Shift on a heading its edge; whether it was one.
pub(super) fn key_pressed(ui: Ui, target: &Element, event: &KeyboardEvent) -> bool {
    let key = event.key();
    if let Some((column, _)) = named(target, "data-grip") {
        let column = MOVED.get().unwrap_or(column);
        let at = ui.columns.with_untracked(|columns| columns.place(column));
        let place = match key.as_str() {
            "ArrowUp" => at.saturating_sub(1),
            "ArrowDown" => at + 1,
            _ => return false,
        };
        ui.columns.update(|columns| columns.move_to(column, place));
        let id = columns::id(column);
        MOVED.set(Some(column));
        request_animation_frame(move || {
            MOVED.set(None);
            if let Some(grip) = first_of(&format!("[data-grip={id}]")) {
                let _ = grip.focus();
            }
        });
        ui.announce(format!("{}, place {}", columns::heading(column), place + 1));
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
        let width = heading.get_bounding_client_rect().width() + step;
        ui.columns.update(|columns| columns.resize(column, width));
        return true;
    }
    false
}

/// The column that an element names in an attribute.
fn named(target: &Element, attribute: &str) -> Option<(Column, HtmlElement)> {
    let element = closest(target, &format!("[{attribute}]"))?;
    let column = columns::by_id(&element.get_attribute(attribute)?)?;
    Some((column, element.dyn_into().ok()?))
}
