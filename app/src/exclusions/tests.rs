use super::*;

#[test]
fn only_words_that_leave_out_are_taken() {
    let text = "shop -ns:kube-system,kube-* -label:Team=A ns:x -class:y -host:z -ns:";
    let exclusions = Exclusions::parse(text);
    assert_eq!(
        exclusions.to_string(),
        "-ns:kube-system,kube-* -label:team=a"
    );
    assert_eq!(
        exclusions.values(Field::Namespace),
        ["kube-system", "kube-*"]
    );
    assert_eq!(Exclusions::parse("x").values(Field::Label), [""; 0]);
}

#[test]
fn a_value_is_there_once_and_goes_again() {
    let twice = Exclusions::default()
        .with(Field::Label, "tier=test")
        .and_then(|once| once.with(Field::Label, "TIER=test"))
        .unwrap();
    assert_eq!(twice.values(Field::Label), ["tier=test"]);
    assert!(twice.without(Field::Label, "tier=test").is_empty());
}

#[test]
fn what_is_left_out_fits_into_a_cookie_and_an_address() {
    let mut exclusions = Exclusions::default();
    let mut labels = 0;
    while let Ok(more) = exclusions.with(Field::Label, &format!("a{labels}=b")) {
        exclusions = more;
        labels += 1;
    }
    assert!(labels > 100);
    let mut cookie = String::new();
    crate::query::encode(&mut cookie, &exclusions.to_string());
    let cookie = cookie.replace(',', "%2C");
    assert!((MOST_BYTES - 12..=MOST_BYTES).contains(&cookie.len()));
}

#[test]
fn what_cannot_be_left_out_is_named() {
    let none = Exclusions::default();
    let error = none.with(Field::Namespace, "a b").unwrap_err();
    assert_eq!(
        error,
        "\u{201c} \u{201d} cannot be in a namespace: letters, digits, - and * can."
    );
    assert!(none.with(Field::Label, "a=b,c").is_err());
    assert!(none.with(Field::Namespace, "").is_err());
    assert!(none.with(Field::Class, "nginx").is_err());
    let long = "a".repeat(MOST_BYTES);
    assert!(none.with(Field::Namespace, &long).is_err());
}
