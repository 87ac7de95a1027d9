use super::*;

#[test]
fn a_search_that_costs_too_much_is_refused_with_the_limit() {
    let words = |search: &str, rows| filter(search, rows).unwrap_err().detail;
    let values = |count: usize| format!("-label:{}", vec!["a"; count].join(","));
    assert!(filter(&values(500), 20_000).is_ok());
    assert_eq!(
        words(&values(501), 1),
        "the search has 501 values: allowed are 500"
    );
    assert_eq!(
        words(&values(500), 50_000),
        "the search has 500 values for 50000 rows: allowed are 200 for so many"
    );
    assert_eq!(
        words(&"a".repeat(4_097), 1),
        "the search has 4097 bytes: allowed are 4096"
    );
}

#[test]
fn what_is_found_is_what_the_filter_matches() {
    let rows = ["web", "api", "shop-web"].map(|name| {
        Arc::new(Row::from(Ingress {
            name: name.into(),
            namespace: "shop".into(),
            ..Ingress::default()
        }))
    });
    for search in ["", "web", "name:web", "-name:web", "shop -web", "ns:other"] {
        let filter = Filter::parse(search);
        let expected: Vec<_> = rows
            .iter()
            .filter(|row| filter.matches(&row.decode()))
            .cloned()
            .collect();
        assert_eq!(found(&filter, &rows), expected, "{search}");
    }
}
