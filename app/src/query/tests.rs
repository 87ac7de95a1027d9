use super::*;

#[test]
fn what_is_written_is_read_again() {
    let query = Query {
        namespaces: ["a".into(), "b".into()].into(),
        search: "a b&c=+%/ä".into(),
        everything: false,
        sort: Sort {
            column: Column::Age,
            direction: Direction::Descending,
        },
        grouping: Some(Grouping::HostSuffix),
        selected: Some(Key::new("shop", "cart")),
        tab: Tab::Yaml,
        page: 3,
    };
    let text = query.to_query_string();
    assert_eq!(Query::parse(text.trim_start_matches('?')), query);
    assert_eq!(Query::parse("").to_query_string(), "");
}

#[test]
fn an_empty_search_is_not_the_same_as_none() {
    assert!(Query::parse("q=").everything);
    assert_eq!(Query::parse("q=").to_query_string(), "?q=");
    assert!(!Query::parse("").everything && !Query::parse("q=a").everything);
}

#[test]
fn what_cannot_be_read_is_left_out() {
    let query = Query::parse("sort=-nothing&page=x&sel=none&tab=%zz&q=%E4%&ns=,,a&view=wall");
    assert_eq!(query.sort, Sort::default());
    assert_eq!(query.page, 1);
    assert_eq!(query.selected, None);
    assert_eq!(query.search, "\u{fffd}%");
    assert_eq!(query.namespaces.len(), 1);
    assert_eq!(query.to_query_string(), "?ns=a&q=%EF%BF%BD%25");
    // No ingress has such a name.
    let long = format!("sel=shop/{}", "x".repeat(254));
    assert_eq!(Query::parse(&long).selected, None);
}

#[test]
fn a_bad_namespace_is_named_and_the_good_ones_stay() {
    let (scope, problem) = Query::parse("ns=shop,..%2F..%2F").scope(50);
    assert_eq!(scope.to_string(), "shop");
    assert!(problem.is_some_and(|text| text.contains("../../")));
}

#[test]
fn where_no_name_can_be_a_namespace_nothing_is_shown() {
    let query = Query::parse("ns=UPPER");
    let (scope, problem) = query.scope(50);
    assert!(scope.is_nothing(), "{scope:?}");
    assert!(problem.is_some_and(|text| text.contains("UPPER")));
    assert_eq!(query.to_query_string(), "?ns=UPPER");
    assert_eq!(Query::parse("ns=,").scope(50), (Scope::All, None));
}

#[test]
fn a_second_press_turns_the_order() {
    let once = Sort::default().pressed(Column::Age);
    assert_eq!(once.to_string(), "age");
    assert_eq!(once.pressed(Column::Age).to_string(), "-age");
    assert_eq!(once.pressed(Column::Name), Sort::default());
}
