//! What only a browser without scripts shows: that the page stands still, and links that do what
//! takes a script otherwise.

use leptos::prelude::*;
use protocol::filter::{Field, Filter};
use protocol::{Key, Scope};

use crate::backend::Rows;
use crate::format::{self, utc_clock};
use crate::page::{POOL, PageData};
use crate::query::{Query, Tab, object_path};

/// The tabs of the details that the server renders. YAML is a document of its own, and changes are
/// seen by a page that stays open.
const TABS: [Tab; 4] = [Tab::Overview, Tab::Routing, Tab::Tls, Tab::Labels];

/// Links to other states of one page.
pub(crate) struct Links<'d> {
    /// Before the query string.
    base: &'d str,
    query: Query,
    scope: &'d Scope,
    rows: &'d Rows,
    lines: usize,
    now: i64,
}

/// How many pages so many lines are.
pub(crate) fn last_page(lines: usize) -> usize {
    lines.div_ceil(POOL).max(1)
}

impl<'d> Links<'d> {
    /// From the page as it is.
    pub(crate) fn new(data: &'d PageData, scope: &'d Scope) -> Self {
        Self {
            base: &data.cluster.base_path,
            query: Query::parse(&data.query),
            scope,
            rows: &data.rows,
            lines: data.lines,
            now: data.now,
        }
    }

    /// The address of the same page, but for what `change` changes.
    fn href(&self, change: impl FnOnce(&mut Query)) -> String {
        let mut query = self.query.clone();
        change(&mut query);
        format!("{}/{}", self.base, query.to_query_string())
    }

    /// The address of the first page of what is left by another filter.
    fn filtered(&self, filter: &Filter) -> String {
        self.href(|query| {
            query.search = filter.to_string();
            // Without it what a person leaves out on every visit would be left out again.
            query.everything = query.search.is_empty();
            query.page = 1;
        })
    }

    /// What stands above the page.
    pub(crate) fn above(&self) -> impl IntoView + use<> {
        let clock = utc_clock(self.now);
        let details = self.query.selected.as_ref().map(|key| self.details(key));
        view! {
            <section class="notice notice-idle" aria-label="State of this page">
                <span class="msg">
                    <b>"This page does not update by itself. "</b>
                    {format!("JavaScript is off, so you see the state of {clock} UTC.")}
                </span>
                <span class="grow"></span>
                <a class="btn btn-s" href=self.href(|_| ())>"Reload"</a>
            </section>
            {(self.rows.total > 0 && !self.query.is_long()).then(|| self.filters())}
            {(!self.query.is_long()).then(|| self.namespaces())}
            {details}
        }
    }

    /// The filters that are asked for most.
    fn filters(&self) -> impl IntoView + use<> {
        let (rows, filter) = (self.rows, Filter::parse(&self.query.search));
        // What a word of the search cannot say is no link.
        let sayable = |class: &str| !class.contains([' ', ',', '"']);
        let classes = rows.largest_classes.iter();
        let classes = classes.filter(|(class, _)| sayable(class));
        let classes = classes.map(|(class, rows)| {
            let only = vec![class.to_lowercase()];
            let here = (filter.term(Field::Class))
                .is_some_and(|term| !term.negated && term.values == only);
            let values = if here { Vec::new() } else { only };
            let href = self.filtered(&filter.with(Field::Class, false, values));
            link(href, class.clone(), Some(*rows), here)
        });
        let words = [
            ("Without class", "class:none", rows.without_class),
            ("Without TLS", "tls:no", rows.total - rows.with_tls),
            ("Partly TLS", "tls:partly", rows.partly_tls),
        ];
        let words = words.into_iter().filter(|(.., rows)| *rows > 0);
        let words = words.map(|(label, word, rows)| {
            let href = self.filtered(&filter.toggled(word));
            link(href, label.to_owned(), Some(rows), filter.has(word))
        });
        let all = link(
            self.filtered(&Filter::default()),
            "All".to_owned(),
            Some(rows.total),
            filter.is_empty(),
        );
        view! {
            <nav class="njquick" aria-label="Quick filters">
                {all}
                {classes.collect_view()}
                {words.collect_view()}
            </nav>
        }
    }

    /// The largest namespaces, or the way back to all of them.
    fn namespaces(&self) -> impl IntoView + use<> {
        let to = |names: &[&str]| {
            self.href(|query| {
                query.namespaces = names.iter().map(|name| (*name).to_owned()).collect();
                query.page = 1;
            })
        };
        let links: Vec<_> = match self.scope {
            Scope::Namespaces(names) => {
                let here = link(self.href(|_| ()), self.scope.to_string(), None, true);
                let here = (!names.is_empty()).then_some(here);
                let all = link(to(&[]), "All".to_owned(), None, false);
                std::iter::once(all).chain(here).collect()
            }
            Scope::All => (self.rows.largest_namespaces.iter())
                .map(|(name, rows)| link(to(&[name]), name.clone(), Some(*rows), false))
                .collect(),
        };
        (!links.is_empty()).then(|| {
            view! { <nav class="njquick" aria-label="Namespaces">"Namespaces" {links}</nav> }
        })
    }

    /// The tabs of the details, and the way out.
    fn details(&self, key: &Key) -> impl IntoView + use<> {
        let tabs = TABS.map(|tab| {
            let here = tab == self.query.tab;
            let href = self.href(|query| query.tab = tab);
            link(href, tab.label().to_owned(), None, here)
        });
        let yaml = format!("{}?format=yaml", object_path(self.base, key));
        view! {
            <nav class="njquick" aria-label="Details">
                {format!("{}/{}", key.namespace, key.name)}
                {tabs.into_iter().collect_view()}
                <a href=yaml>"YAML"</a>
                <a href=self.href(|query| query.selected = None)>"Close"</a>
            </nav>
        }
    }

    /// Links to the pages of the table.
    pub(crate) fn pager(&self) -> impl IntoView + use<> {
        let pages = last_page(self.lines);
        let page = self.query.page.min(pages);
        let link = |page: usize| self.href(|query| query.page = page);
        let (first, last) = ((page - 1) * POOL + 1, (page * POOL).min(self.lines));
        let (before, after) = (link(page - 1), link(page + 1));
        (pages > 1).then(|| {
            view! {
                <nav class="pager" aria-label="Pages">
                    <span class="muted-2">
                        {format!("{} to {} of {}", format::count(first), format::count(last), format::count(self.lines))}
                    </span>
                    <span class="grow"></span>
                    {(page > 1).then(|| view! { <a class="btn btn-s" rel="prev" href=before>"Previous"</a> })}
                    <span class="muted">{format!("Page {page} of {pages}")}</span>
                    {(page < pages).then(|| view! { <a class="btn btn-s" rel="next" href=after>"Next"</a> })}
                </nav>
            }
        })
    }
}

/// A link that says how many rows it leads to, and whether it is where one is.
fn link(href: String, label: String, rows: Option<usize>, here: bool) -> impl IntoView + use<> {
    view! {
        <a href=href aria-current=here.then_some("true")>
            {label}
            {rows.map(|rows| view! { " " <span>{format::count(rows)}</span> })}
        </a>
    }
}
