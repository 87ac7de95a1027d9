//! The whole document, for the server.

use std::sync::Arc;

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use protocol::filter::Filter;
use protocol::table::Table;
use protocol::view::{Group, Line};
use protocol::{Ingress, IngressDocument, Scope};

use crate::ROOT_ID;
use crate::backend::{Backend, Rows};
use crate::components::app::App;
use crate::components::icons::Sprite;
use crate::noscript::{Links, last_page};
use crate::page::{Choices, DATA_ID, POOL, PageData};
use crate::query::{Query, Sort, Tab};

/// So many characters of a refused name stay in links: one more than a namespace's name has, so
/// that what is cut is refused as well.
const REFUSED: usize = 64;

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
    /// The namespaces whose rows are shown.
    #[must_use]
    pub fn scope(&self) -> Scope {
        let most = self.backend.cluster().max_namespaces;
        Query::parse(&self.query).scope(most).0
    }

    /// Where a visit starts whose address says nothing: with the words that leave out what the
    /// person leaves out. Nothing where that is here. An address that says anything is a view that
    /// somebody may have shared, and opens as it is.
    #[must_use]
    pub fn start(&self) -> Option<String> {
        let exclusions = Choices::parse(&self.cookies).exclusions;
        let mut query = Query::parse(&self.query);
        if exclusions.is_empty() || query != Query::parse("") {
            return None;
        }
        query.search = exclusions.to_string();
        let base = self.backend.cluster().base_path;
        Some(format!("{base}/{}", query.to_query_string()))
    }

    /// What is searched for.
    #[must_use]
    pub fn search(&self) -> String {
        Query::parse(&self.query).search
    }

    /// Whether the table is as it starts: then [`PageContext::lines`] looks at no other rows than
    /// the first.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let query = Query::parse(&self.query);
        query.search.is_empty() && query.sort == Sort::default() && query.grouping.is_none()
    }

    /// What of the address the lines depend on: pages of the same view have the same lines.
    #[must_use]
    pub fn view(&self) -> String {
        let view = Query {
            selected: None,
            tab: Tab::default(),
            ..Query::parse(&self.query)
        };
        view.to_query_string()
    }

    /// The lines of the table. Another order, and a search, look at every row of the scope.
    #[must_use]
    pub fn lines(&self) -> Lines {
        let query = Query::parse(&self.query);
        let scope = self.scope();
        let filter = Filter::parse(&query.search);
        if query.sort == Sort::default()
            && query.grouping.is_none()
            && filter.host_asked().is_none()
        {
            let offset = (query.page - 1).saturating_mul(POOL);
            let rows = self.backend.rows(&scope, &query.search, offset, POOL);
            return Lines {
                lines: rows.matching,
                rows,
                groups: Vec::new(),
            };
        }
        arranged(self.backend.all_rows(&scope, &query.search), &query, filter)
    }

    /// What the page is made of.
    #[must_use]
    pub fn data(&self, lines: Lines) -> PageData {
        let cluster = self.backend.cluster();
        let mut query = Query::parse(&self.query);
        let (scope, refused) = query.scope(cluster.max_namespaces);
        // Names that are refused are said once, not in every link. Where there are no others one
        // stays, because a link that names nothing is one to the whole cluster.
        query.namespaces = match scope.names() {
            Some(names) if names.is_empty() => (query.namespaces.first())
                .map(|name| name.chars().take(REFUSED).collect())
                .into_iter()
                .collect(),
            names => names.cloned().unwrap_or_default(),
        };
        let mut rows = lines.rows;
        self.backend.say(&scope, &mut rows);
        PageData {
            cluster,
            reconnect: self.backend.reconnect(),
            query: query.to_query_string().trim_start_matches('?').to_owned(),
            refused,
            rows,
            groups: lines.groups,
            lines: lines.lines,
            selected: query.selected.and_then(|key| self.backend.row(&key)),
            now: self.now,
            choices: Choices::parse(&self.cookies),
        }
    }
}

/// One page of the table.
#[derive(Clone, Debug)]
pub struct Lines {
    rows: Rows,
    /// The heads of groups, and where on the page each is.
    groups: Vec<(usize, Group)>,
    /// On all pages.
    lines: usize,
}

/// One page of the rows in another order than the backend's.
fn arranged(mut rows: Rows, query: &Query, filter: Filter) -> Lines {
    let mut table = Table::new();
    let view = table.add_view();
    table.set_filter(view, filter);
    let items = std::mem::take(&mut rows.items);
    table.apply_document(IngressDocument {
        total: items.len(),
        items,
        ..IngressDocument::default()
    });
    table.set_sort(view, query.sort.column, query.sort.direction);
    table.set_grouping(view, query.grouping);
    let shown = table.lines(view).expect("the view was added above");
    let mut groups = Vec::new();
    // A link from when there were more rows leads to the last page.
    let offset = (query.page.min(last_page(shown.len())) - 1).saturating_mul(POOL);
    let page = shown.range(offset..offset.saturating_add(POOL));
    for (place, line) in page.enumerate() {
        match line {
            Line::Group(group) => groups.push((place, group)),
            Line::Row(view) => rows.items.push(Ingress::clone(&view.ingress)),
        }
    }
    Lines {
        rows,
        groups,
        lines: shown.len(),
    }
}

/// The document of `GET /`. Run it where Leptos has a nonce in its context: every script has it.
pub fn shell(scope: &Scope, data: PageData) -> impl IntoView + use<> {
    let json = serde_json::to_string(&data).expect("page data has string keys only");
    // The text of a script element is not escaped: nothing in it may look like markup.
    let json = json
        .replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e");
    let base = data.cluster.base_path.clone();
    let asset = |name: &str| format!("{base}/pkg/{}/{name}", data.cluster.build);
    let links = Links::new(&data, scope);
    let (above, pager) = (links.above(), links.pager());
    let rows = match scope {
        _ if scope.is_nothing() => None,
        Scope::All => Some(format!("{base}/api/ingresses")),
        // As the page's request has it, so that it is answered by the one that `boot.js` begins.
        Scope::Namespaces(_) => {
            Some(format!("{base}/api/ingresses?namespaces={scope}").replace(',', "%2C"))
        }
    };
    let (theme, density) = (data.choices.theme.attribute(), data.choices.density.id());
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme data-density=density>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                // A text that is not fixed is followed by a marker, which a title would show: the
                // script names the cluster.
                <title>"Ingresses · kube-ingress-dash"</title>
                <link rel="icon" type="image/svg+xml" href=asset("favicon.svg")/>
                <link rel="manifest" href=asset("manifest.webmanifest")/>
                <link rel="stylesheet" href=asset("app.css")/>
                <link rel="modulepreload" href=asset("frontend.js") nonce=use_nonce()/>
                <link rel="modulepreload" href=asset("__wasm_split.js") nonce=use_nonce()/>
                <link rel="preload" r#as="fetch" r#type="application/wasm" crossorigin="anonymous" href=asset("frontend_bg.wasm")/>
                {rows.map(|rows| view! { <link rel="alternate" r#type="application/json" href=rows/> })}
                <script type="application/json" id=DATA_ID nonce=use_nonce()>{json}</script>
                <script type="module" src=asset("boot.js") nonce=use_nonce()></script>
            </head>
            <body>
                <Sprite/>
                <noscript>{above}</noscript>
                <div id=ROOT_ID><App data/></div>
                <noscript>{pager}</noscript>
            </body>
        </html>
    }
}
