use std::collections::BTreeSet;

use leptos::reactive::owner::Owner;
use protocol::columns::{Column, Direction};
use protocol::{Ingress, IngressDocument};

use super::*;
use crate::columns::Columns;
use crate::page::PageData;
use crate::table::Start;

fn rows() -> Vec<Ingress> {
    let row = |namespace: &str, name: &str| Ingress {
        name: name.into(),
        namespace: namespace.into(),
        hosts: vec![format!("{name}.example.com")],
        ..Ingress::default()
    };
    vec![
        row("docs", "handbook"),
        row("shop", "cart"),
        row("shop", "pay"),
    ]
}

fn names(ui: Ui) -> Vec<String> {
    ui.table.with_lines(|lines| {
        let rows = lines.rows();
        rows.map(|row| row.ingress.name.clone()).collect()
    })
}

/// Every value of an attribute in the markup.
fn values<'m>(markup: &'m str, attribute: &str) -> Vec<&'m str> {
    let start = format!(" {attribute}=\"");
    let parts = markup.split(&start).skip(1);
    parts.filter_map(|part| part.split('"').next()).collect()
}

#[test]
fn two_tables_on_one_page_have_rows_keys_and_elements_of_their_own() {
    let owner = Owner::new();
    owner.set();
    let first = Ui::provide(PageData::default());
    let columns = RwSignal::new(Columns::parse("name.host.-ns"));
    let second = first.add_table(
        columns,
        Start {
            search: "ns:shop".into(),
            sort: (Column::Name, Direction::Descending),
            ..Start::default()
        },
    );
    first.live.change(|table| {
        table.apply_document(IngressDocument {
            revision: Some("1".into()),
            items: rows(),
            ..IngressDocument::default()
        });
        table.settle();
    });
    assert_eq!(names(first), ["cart", "handbook", "pay"]);
    assert_eq!(names(second), ["pay", "cart"]);
    second.table.set_filter("cart");
    first.table.set_sort(Column::Name, Direction::Descending);
    assert_eq!(names(first), ["pay", "handbook", "cart"]);
    assert_eq!(names(second), ["cart"]);
    assert_eq!((first.matching(), second.matching()), (3, 1));
    second.table.note(|table| table.sight = (7, 9));
    assert_eq!(first.table.recall(|table| table.sight), (0, 40));
    assert_eq!(first.of_table(1).table.number, 1);

    let markup = view! {
        <Main/>
        {
            provide_context(second);
            view! { <Main/> }
        }
    };
    let markup = markup.to_html();
    assert_eq!(values(&markup, "data-table"), ["0", "1"]);
    let ids = values(&markup, "id");
    let different: BTreeSet<_> = ids.iter().collect();
    assert_eq!(different.len(), ids.len(), "{ids:?}");
    // The second has no column of namespaces.
    let headings = values(&markup, "data-sort");
    assert_eq!(headings.iter().filter(|id| **id == "ns").count(), 1);
    assert_eq!(headings.iter().filter(|id| **id == "host").count(), 2);
}
