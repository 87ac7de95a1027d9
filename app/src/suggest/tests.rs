use protocol::table::Table;
use protocol::{Ingress, IngressDocument};

use super::*;

fn table() -> Table {
    let row = |namespace: &str, name: &str, class: &str| Ingress {
        name: name.into(),
        namespace: namespace.into(),
        hosts: vec![format!("{name}.example.com")],
        ingress_class_name: Some(class.into()),
        ..Ingress::default()
    };
    let items = vec![
        row("shop", "cart", "nginx"),
        row("shop", "checkout", "traefik"),
        row("docs", "handbook", "nginx"),
    ];
    let mut table = Table::new();
    table.apply_document(IngressDocument {
        items,
        ..IngressDocument::default()
    });
    table
}

fn offers(table: &Table, text: &str) -> Offers {
    let mut search = Search::new(text);
    while !search.step(table.store(), 2) {}
    search.finish(table.store())
}

fn words(text: &str) -> Vec<String> {
    let offers = offers(&table(), text).offers;
    offers
        .into_iter()
        .map(|offer| match offer.rows {
            Some(rows) => format!("{} ({rows})", offer.word),
            None => offer.word,
        })
        .collect()
}

#[test]
fn a_key_offers_its_values_with_what_they_leave() {
    assert_eq!(words("class:"), ["class:nginx (2)", "class:traefik (1)"]);
    assert_eq!(words("ns:shop class:t"), ["class:traefik (1)"]);
    assert_eq!(words("class:nginx,tr"), ["class:nginx,traefik"]);
    assert_eq!(words("-class:tr"), ["-class:traefik"]);
}

#[test]
fn a_plain_word_offers_keys_and_what_it_is_found_in() {
    assert_eq!(words("ho"), ["host:", "ns:shop (2)"]);
    assert_eq!(words("").len(), Field::ALL.len());
}

#[test]
fn what_is_pasted_is_no_key_and_finds_its_host() {
    for text in [
        "https://cart.example.com/x?y=1",
        "cart.example.com:443",
        "shop/cart",
    ] {
        let list = offers(&table(), text);
        assert_eq!(list.hint, None, "{text}");
        let words: Vec<_> = list
            .offers
            .iter()
            .map(|offer| offer.word.as_str())
            .collect();
        let expected = ["host:cart.example.com"];
        assert_eq!(
            words,
            &expected[..usize::from(text.contains('.'))],
            "{text}"
        );
    }
    assert_eq!(words("ginx"), ["class:nginx (2)"]);
}

#[test]
fn a_value_that_there_is_not_has_those_near_it() {
    let instead = |text: &str| {
        let found = instead(table().store(), &Filter::parse(text));
        let words = found
            .into_iter()
            .map(|(term, search, rows)| format!("{term} {search} {rows}"));
        words.collect::<Vec<_>>()
    };
    assert_eq!(instead("class:nignx"), ["class:nginx class:nginx 2"]);
    assert_eq!(instead("docs class:trefik"), [""; 0]);
    assert_eq!(
        instead("shop class:trefik"),
        ["class:traefik shop class:traefik 1"]
    );
    assert_eq!(
        instead("ns:sop class:nginx"),
        ["ns:shop ns:shop class:nginx 1"]
    );
    assert_eq!(instead("-class:nignx"), [""; 0]);
    // A key that there is not is likely another one.
    assert_eq!(instead("namespace:shop"), ["ns:shop ns:shop 2"]);
    assert_eq!(
        instead("tls:no namespace:docs"),
        ["ns:docs tls:no ns:docs 1"]
    );
    assert_eq!(instead("namespace:"), [""; 0]);
    // Nothing is near, but there are few.
    assert_eq!(instead("tls:maybe"), ["tls:no tls:no 3"]);
    assert_eq!(
        instead("ns:nosuch"),
        ["ns:shop ns:shop 2", "ns:docs ns:docs 1"]
    );
    assert_eq!(
        nearest(
            "shop",
            ["shop-eu", "stop", "ship", "docs", "shops", "s"].into_iter()
        ),
        ["ship", "shops", "stop"]
    );
    assert_eq!(nearest("nosuchns", ["shop", "docs"].into_iter()), [""; 0]);
}

#[test]
fn words_that_match_nothing_together_match_alone() {
    let found = alone(
        table().store(),
        &Filter::parse("ns:docs class:nginx zzzz -tls:no"),
    );
    let words = found
        .into_iter()
        .map(|(search, rows)| format!("{search} {rows}"));
    assert_eq!(words.collect::<Vec<_>>(), ["ns:docs 1", "class:nginx 2"]);
}

#[test]
fn an_unknown_key_is_explained_with_the_likely_one() {
    let list = offers(&table(), "namespace:shop");
    let (what, then) = list.hint.unwrap_or_default();
    assert_eq!(what, "namespace: is not a filter.");
    assert!(then.starts_with("It is searched as text."));
    assert_eq!(words("namespace:shop"), ["ns:shop (2)", "shop (2)"]);
    assert_eq!(words("owner:a"), ["label:owner=a (0)", "a (3)"]);
}

#[test]
fn words_with_a_key_and_a_value_are_tokens() {
    let (tokens, rest) = split("web ns:shop -tls:no host: odd:x");
    assert_eq!(tokens, ["ns:shop", "-tls:no"]);
    assert_eq!(rest, "web host: odd:x");
}
