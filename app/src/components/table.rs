//! The table: its headings, its lines, and the line under a short list.

use leptos::attr::custom::custom_attribute;
use leptos::prelude::*;
use protocol::columns::{Column, Direction};

use super::icons::{classed_icon, icon};
use super::instead::{Instead, place};
use super::picked::PickedBar;
use super::row::{PoolRow, StuckHead};
use crate::actions::Opens;
use crate::columns;
use crate::format::{count, counted};
use crate::page::POOL;
use crate::parts::{self, Part};
use crate::state::Ui;
use crate::status::{Coverage, Currency};

/// A list of so few rows ends with a line that says so.
const SHORT: usize = 20;

/// What the main area shows.
#[derive(Clone, Copy, PartialEq)]
enum View {
    Table,
    Loading,
    Instead(Instead),
}

fn current_view(ui: Ui) -> View {
    let facts = ui.facts();
    let currency = facts.currency();
    if currency == Currency::NoCluster {
        return View::Instead(Instead::Unreachable);
    }
    if currency == Currency::Idle {
        return View::Instead(Instead::Empty);
    }
    // A row that was deleted a moment ago still stands there, struck through.
    if ui.matching() > 0 || ui.table.lines.get() > 0 {
        return View::Table;
    }
    if ui.total() > 0 {
        return View::Instead(Instead::NoMatch);
    }
    let complete = if ui.is_fed() {
        ui.live.complete.get()
    } else {
        ui.first.with_value(|rows| rows.synced) && ui.live.states.with(Vec::is_empty)
    };
    if facts.nothing_allowed() {
        View::Instead(Instead::Forbidden)
    } else if complete {
        View::Instead(Instead::Empty)
    } else {
        View::Loading
    }
}

/// The main area. The table stays in the document whatever is shown, so that no row element is
/// ever made twice.
#[component]
pub fn Main() -> impl IntoView {
    let ui = Ui::expect();
    #[cfg(target_arch = "wasm32")]
    crate::browser::start_table(ui);
    let view = Memo::new(move |_| current_view(ui));
    let shown = view.with_untracked(|view| matches!(view, View::Instead(_)));
    let part = Part::new(ui, parts::instead::load, shown);
    let matching = Memo::new(move |_| ui.matching());
    let short = move || matching.get() <= SHORT;
    let headings = move || {
        ui.table.layout.with(|layout| {
            layout
                .iter()
                .map(|(column, _)| heading(ui, *column))
                .collect_view()
        })
    };
    // A width that is set is an attribute: the policy of the page forbids styles in the markup.
    let cols = move || {
        let grouping = ui.table.grouping.get();
        ui.table.columns.with(|columns| {
            columns
                .in_table(grouping)
                .map(|chosen| {
                    let class = columns::class(chosen.column);
                    let own = chosen.width.is_some();
                    let width =
                        custom_attribute("width", chosen.width.map(|width| width.to_string()));
                    view! { <col class=class class:own=own data-col=chosen.column.id() {..width}/> }
                })
                .collect_view()
        })
    };
    // The hosts take the room that is left, until a person has set their width: then what is left
    // stays empty, so that every column keeps its own.
    let class = move || {
        let flexible = |layout: &Vec<_>| layout.contains(&(Column::Host, false));
        if ui.table.layout.with(flexible) {
            "dt"
        } else {
            "dt set"
        }
    };
    let lines = move || {
        if ui.is_fed() {
            ui.table.lines.get()
        } else {
            ui.table.first_lines
        }
    };
    let printed = move || {
        let (lines, first, pool) = (lines(), ui.table.start.get(), ui.table.pool.get());
        (lines > pool).then(|| {
            let last = (first + pool).min(lines);
            let words = format!(
                "Lines {} to {last} of {}. A page in the browser holds the rows near its window only: print it with a \
                 filter that leaves fewer, or without JavaScript, where the list has pages.",
                first + 1,
                count(lines),
            );
            view! { <p class="printed">{words}</p> }
        })
    };
    let caption = move || format!("Ingresses, by {}{}", ui.sort().words(), ui.grouped());
    view! {
        <div
            class=move || if short() { "tablewrap short" } else { "tablewrap" }
            id=ui.table.element_id()
            data-table=ui.table.number
            tabindex="0"
            role="region"
            aria-label="Ingresses table, scrollable"
            hidden=move || view.get() != View::Table
        >
            <table class=class aria-rowcount=move || lines() + 1>
                <caption>{caption}</caption>
                <colgroup>
                    <col class="c-mark"/>
                    {cols}
                    <col class="c-act"/>
                </colgroup>
                <thead>
                    <tr aria-rowindex="1">
                        <td class="mark th"><span class="sr">"Recent change"</span></td>
                        {headings}
                        <td class="th actcell"><span class="sr">"Actions"</span></td>
                    </tr>
                    <StuckHead/>
                </thead>
                // No cell spans columns: some leave where the table is narrow, and one that spans
                // more than there are would make new ones.
                <tbody>
                    <tr class="space" aria-hidden="true" hidden><td class="space-before"></td></tr>
                    {(0..POOL).map(|place| view! { <PoolRow place/> }).collect_view()}
                    <tr class="space" aria-hidden="true" hidden><td class="space-after"></td></tr>
                </tbody>
            </table>
            {move || short().then(|| view! { <Closing/> })}
        </div>
        {printed}
        <PickedBar/>
        {move || match view.get() {
            View::Table => None,
            View::Loading => Some(view! { <Loading/> }.into_any()),
            View::Instead(instead) => part.show("empty", parts::instead::view(instead)),
        }}
    }
}

/// A heading, which sorts, and its edge, which sets the width.
fn heading(ui: Ui, column: Column) -> impl IntoView {
    let sorted = move || {
        let sort = ui.sort();
        (sort.column == column).then_some(match sort.direction {
            Direction::Ascending => "ascending",
            Direction::Descending => "descending",
        })
    };
    let glyph = move || {
        if sorted() == Some("ascending") {
            "#i-sort-up"
        } else {
            "#i-sort"
        }
    };
    let class = columns::class(column);
    let id = column.id();
    // The name always stays, so it says what the rows are sorted by where that has left.
    let sign = move || {
        let by = ui.sort().column;
        let shown = ui
            .table
            .layout
            .with(|layout| layout.iter().any(|(column, _)| *column == by));
        if column != Column::Name || by == column {
            return None;
        }
        let class = if shown {
            columns::sign_class(by)?
        } else {
            "by"
        };
        Some(view! { <span class=class>{format!("by {}", ui.sort().words())}</span> })
    };
    view! {
        <th scope="col" class=class aria-sort=sorted>
            <button
                type="submit"
                form="filter"
                name="sort"
                value=move || ui.sort().pressed(column).to_string()
                data-sort=id
            >
                {column.heading()}
                <svg class="icon" aria-hidden="true"><use_ href=glyph/></svg>
            </button>
            {sign}
            <span class="edge" data-edge=id aria-hidden="true"></span>
        </th>
    }
}

/// The line under a short list.
#[component]
fn Closing() -> impl IntoView {
    let ui = Ui::expect();
    let coverage = Memo::new(move |_| ui.facts().coverage());
    let what = move || {
        let (total, matching) = (ui.total(), ui.matching());
        let shown = counted(matching, "ingress", "ingresses");
        let place = place(ui);
        let all = coverage.with(|coverage| *coverage == Coverage::All);
        match (matching == total, all) {
            _ if total == 0 => format!("No ingresses in {place}"),
            (false, _) => format!("{shown} of {total} in {place} match the filter"),
            (true, true) if total == 1 => format!("This is the only ingress in {place}"),
            (true, true) => format!("These are all {shown} in {place}"),
            (true, false) => format!("{shown} in {place}"),
        }
    };
    let when = move || {
        coverage.with(|coverage| match coverage {
            Coverage::All | Coverage::Partly(_) | Coverage::AsOf(None) => ".".to_owned(),
            Coverage::AsOf(Some(time)) => format!(" as of {time}."),
            Coverage::Loaded => " when this page was loaded.".into(),
        })
    };
    let then = move || {
        coverage.with(|coverage| match coverage {
            Coverage::All => " A new one appears here by itself.".to_owned(),
            Coverage::Partly(live) => format!(" There may be more: {live} are live."),
            Coverage::AsOf(_) => " What has changed since is not known yet.".into(),
            Coverage::Loaded => String::new(),
        })
    };
    let dot = move || match coverage.with(|coverage| *coverage == Coverage::All) {
        true => "beat",
        false => "beat old",
    };
    view! {
        <div class="tend">
            <span class=dot aria-hidden="true"></span>
            <p><b>{what}{when}</b>{then}</p>
            {move || ui.live.scope.with(|scope| scope.names().is_some()).then(|| view! {
                <button class="btn live-only" type="button" aria-haspopup="dialog" data-popup=Opens::Namespaces.id()>
                    {icon("#i-ns")}
                    "Add namespaces"
                </button>
            })}
        </div>
    }
}

/// Until the first rows are known.
#[component]
fn Loading() -> impl IntoView {
    let ui = Ui::expect();
    let widths = ["w2", "w3", "w1", "w4", "w2", "w3", "w2", "w4", "w3", "w1"];
    let rows = (0..14).map(|row| {
        let bars = (0..6).map(|bar| view! { <i class=widths[(row + bar * 3) % widths.len()]></i> });
        view! { <div class="skrow">{bars.collect_view()}</div> }
    });
    view! {
        <div class="prog">
            {classed_icon("icon spin", "#i-load")}
            <span>{move || format!("{} so far. Rows appear as each namespace answers.", counted(ui.total(), "ingress", "ingresses"))}</span>
        </div>
        <div class="sk" aria-hidden="true">{rows.collect_view()}</div>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests;
