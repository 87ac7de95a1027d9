//! Every key.

use leptos::prelude::*;

use protocol::filter::Field;

use super::icons::icon;
use crate::actions::{Action, Opens};
use crate::state::Ui;

/// The keys of a thing to do, and what it is.
type Entry = (&'static [&'static str], &'static str);

const MOVE: [Entry; 6] = [
    (&["j", "k", "↓", "↑"], "Next and previous row"),
    (&["Home", "End"], "First and last row"),
    (&["PgUp", "PgDn"], "Page up, page down"),
    (&["Enter"], "Open details, open or close a group"),
    (&["[", "]"], "Tab in the details"),
    (&["Esc"], "Close, then empty the search"),
];
const FIND: [Entry; 4] = [
    (&["/"], "Search and filter"),
    (&["n"], "Choose namespaces"),
    (&["1", "9"], "A set of namespaces"),
    (&["0"], "All namespaces"),
];
const SEARCH: [(&str, &str); 6] = [
    ("https://host/path", "What takes a host or URL"),
    ("shop/web", "One ingress"),
    ("class:nginx", "A value of one field"),
    ("class:nginx,traefik", "One of them"),
    ("-class:nginx", "All but that"),
    ("ns:team-*", "A pattern"),
];
const VIEW: [Entry; 8] = [
    (&["t"], "Theme"),
    (&["d"], "Row density"),
    (&["g"], "Group"),
    (&["v"], "Columns"),
    (&["Shift", "←", "→"], "Narrower, wider: the column in focus"),
    (&["."], "Show waiting updates"),
    (&[","], "Settings"),
    (&["?"], "This list"),
];
const ROW: [Entry; 7] = [
    (&["o"], "Open the first host"),
    (&["y"], "Copy YAML"),
    (&["c"], "Copy kubectl command"),
    (&["x"], "Pick the row"),
    (&["Shift", "↓"], "Pick the next row as well"),
    (&["Ctrl", "A"], "Pick all rows that match"),
    (&["Shift", "F10"], "Row menu"),
];

/// The list of keys, over everything.
pub fn help(ui: Ui) -> impl IntoView {
    let version = (ui.cluster).with_value(|cluster| cluster.server_version.clone());
    view! {
        <div class="dlg help" role="dialog" aria-modal="true" aria-labelledby="help-title" tabindex="-1">
            <div class="hhead">
                <h2 id="help-title">"Keyboard"</h2>
                <span class="muted"><kbd class="kbd">"?"</kbd>"opens and closes this"</span>
                <span class="grow"></span>
                <button class="btn btn-icon btn-s btn-ghost" type="button" data-act=Action::ClosePopup.id() aria-label="Close (Esc)">{icon("#i-x")}</button>
            </div>
            <div class="cols">
                <div>{section("Move", &MOVE)}{section("Act on a row", &ROW)}</div>
                <div>{section("Find", &FIND)}{section("View", &VIEW)}</div>
                <div>
                    <section>
                        <h3>"Search"</h3>
                        <dl>{SEARCH.map(|(word, what)| view! { <div><dt><code>{word}</code></dt><dd>{what}</dd></div> }).into_iter().collect_view()}</dl>
                        <p class="muted">{format!("Fields: {}.", Field::ALL.map(Field::key).join(", "))}</p>
                    </section>
                </div>
            </div>
            <div class="hfoot">
                <span class="muted">"Turn single keys off in "</span>
                <button class="btn-link" type="button" data-popup=Opens::Settings.id()>"Settings"</button>
                <span class="grow"></span>
                <span class="muted">{format!("Version {version}")}</span>
            </div>
        </div>
    }
}

fn section(title: &'static str, entries: &'static [Entry]) -> impl IntoView {
    let entries = entries.iter().map(|(keys, what)| {
        let keys = keys
            .iter()
            .map(|key| view! { <kbd class="kbd">{*key}</kbd> });
        view! { <div><dt>{keys.collect_view()}</dt><dd>{*what}</dd></div> }
    });
    view! { <section><h3>{title}</h3><dl>{entries.collect_view()}</dl></section> }
}
