//! The whole document, for the server.

use std::sync::Arc;

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use protocol::table::Table;
use protocol::{Ingress, IngressDocument, Key, Scope};

use crate::ROOT_ID;
use crate::backend::{Backend, Rows};
use crate::components::app::App;
use crate::components::icons::Sprite;
use crate::format::{self, utc_clock};
use crate::page::{DATA_ID, POOL, PageData, cookies};
use crate::query::{Query, Sort};

/// What a request says, and whom to ask.
#[derive(Clone)]
pub struct PageContext {
    /// The server.
    pub backend: Arc<dyn Backend>,
    /// The query string, without its `?`.
    pub query: String,
    /// The `Cookie` header, empty where there is none.
    pub cookies: String,
    /// Milliseconds since 1970.
    pub now: i64,
}

impl PageContext {
    fn data(&self) -> PageData {
        let cluster = self.backend.cluster();
        let query = Query::parse(&self.query);
        let (scope, refused) = query.scope(cluster.max_namespaces);
        let mut rows = self.rows(&query, &scope, query.page);
        let last = last_page(&rows);
        if query.page > last {
            // A link from when there were more rows.
            rows = self.rows(&query, &scope, last);
        }
        let selected = query.selected.and_then(|key| self.find(&key));
        let (theme, density) = cookies(&self.cookies);
        PageData {
            cluster,
            query: self.query.clone(),
            refused,
            rows,
            selected,
            now: self.now,
            theme,
            density,
        }
    }

    fn rows(&self, query: &Query, scope: &Scope, page: usize) -> Rows {
        let offset = (page - 1).saturating_mul(POOL);
        if query.sort == Sort::default() {
            return self.backend.rows(scope, &query.search, offset, POOL);
        }
        let mut rows = self.backend.rows(scope, &query.search, 0, usize::MAX);
        rows.items = sorted(rows.items, query.sort, offset);
        rows
    }

    fn find(&self, key: &Key) -> Option<Ingress> {
        let scope = Scope::parse([key.namespace.as_str()], 1).ok()?;
        let rows = self.backend.rows(&scope, &key.name, 0, usize::MAX);
        rows.items.into_iter().find(|row| row.key() == *key)
    }
}

fn last_page(rows: &Rows) -> usize {
    rows.matching.div_ceil(POOL).max(1)
}

/// One page of the rows in another order than the backend's.
fn sorted(items: Vec<Ingress>, sort: Sort, offset: usize) -> Vec<Ingress> {
    let mut table = Table::new();
    table.apply_document(IngressDocument {
        total: items.len(),
        items,
        ..IngressDocument::default()
    });
    table.set_sort(sort.column, sort.direction);
    table
        .window(offset..offset.saturating_add(POOL))
        .map(|view| Arc::unwrap_or_clone(view.ingress))
        .collect()
}

/// The document of `GET /`. Run it where Leptos has a nonce in its context: every script has it.
pub fn shell(context: PageContext) -> impl IntoView {
    let data = context.data();
    let json = serde_json::to_string(&data).expect("page data has string keys only");
    // The text of a script element is not escaped: nothing in it may look like markup.
    let json = json
        .replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e");
    let base = data.cluster.base_path.clone();
    let asset = |name: &str| format!("{base}/pkg/{}/{name}", data.cluster.build);
    let notice = NoScriptNotice(NoScriptNoticeProps {
        now: data.now,
        href: format!("{base}/{}", Query::parse(&data.query).to_query_string()),
    });
    let pager = Pager(PagerProps {
        base: base.clone(),
        query: Query::parse(&data.query),
        rows: data.rows.clone(),
    });
    let (theme, density) = (data.theme.attribute(), data.density.id());
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme data-density=density>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>"Ingresses · kube-ingress-dash"</title>
                <link rel="icon" type="image/svg+xml" href=asset("favicon.svg")/>
                <link rel="manifest" href=asset("manifest.webmanifest")/>
                <link rel="stylesheet" href=asset("app.css")/>
                <link rel="modulepreload" href=asset("frontend.js") nonce=use_nonce()/>
                <link rel="preload" r#as="fetch" r#type="application/wasm" crossorigin="anonymous" href=asset("frontend_bg.wasm")/>
                <script type="application/json" id=DATA_ID nonce=use_nonce()>{json}</script>
                <script type="module" src=asset("boot.js") nonce=use_nonce()></script>
            </head>
            <body>
                <Sprite/>
                <noscript>{notice}</noscript>
                <div id=ROOT_ID><App data/></div>
                <noscript>{pager}</noscript>
            </body>
        </html>
    }
}

/// Says that the page does not update by itself.
#[component]
fn NoScriptNotice(now: i64, href: String) -> impl IntoView {
    let clock = utc_clock(now);
    view! {
        <section class="notice notice-idle" aria-label="State of this page">
            <span class="msg">
                <b>"This page does not update by itself. "</b>
                {format!("JavaScript is off, so you see the state of {clock} UTC.")}
            </span>
            <span class="grow"></span>
            <a class="btn btn-s" href=href>"Reload"</a>
        </section>
    }
}

/// Links to the pages of the table.
#[component]
fn Pager(base: String, query: Query, rows: Rows) -> impl IntoView {
    let pages = last_page(&rows);
    let page = query.page.min(pages);
    let link = move |page: usize| {
        let query = Query {
            page,
            ..query.clone()
        };
        format!("{base}/{}", query.to_query_string())
    };
    let first = (page - 1) * POOL + 1;
    let last = (page * POOL).min(rows.matching);
    (rows.matching > POOL).then(|| view! {
        <nav class="pager" aria-label="Pages">
            <span class="muted-2">
                {format!("{} to {} of {}", format::count(first), format::count(last), format::count(rows.matching))}
            </span>
            <span class="grow"></span>
            {(page > 1).then(|| view! { <a class="btn btn-s" rel="prev" href=link(page - 1)>"Previous"</a> })}
            <span class="muted">{format!("Page {page} of {pages}")}</span>
            {(page < pages).then(|| view! { <a class="btn btn-s" rel="next" href=link(page + 1)>"Next"</a> })}
        </nav>
    })
}
