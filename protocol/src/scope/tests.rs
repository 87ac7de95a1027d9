use proptest::prelude::*;

use super::*;

#[test]
fn lists_repeats_and_duplicates_fold() {
    let scope = Scope::parse(["b,a,,b", " a ", ""], 50).unwrap();
    assert_eq!(scope.to_string(), "a,b");
    assert_eq!(Scope::parse(["", ","], 50), Ok(Scope::All));
}

#[test]
fn what_is_not_a_dns_label_is_named_in_the_error() {
    for bad in [
        "../../",
        "\0",
        "UPPER",
        "-a",
        "a-",
        "a.b",
        "a b",
        "ä",
        &"x".repeat(300),
    ] {
        let error = Scope::parse([bad], 50).unwrap_err().to_string();
        assert!(error.contains("DNS-1123"), "{error}");
        assert!(error.len() < 400, "{error}");
    }
}

#[test]
fn too_many_counts_different_names() {
    assert!(Scope::parse(["a,a,b"], 2).is_ok());
    assert_eq!(
        Scope::parse(["a,b,c"], 2),
        Err(ScopeError::TooMany { named: 3, max: 2 })
    );
}

#[test]
fn no_names_are_nothing_and_not_everything() {
    let nothing = Scope::Namespaces(BTreeSet::new());
    assert!(nothing.is_nothing() && !nothing.contains("a"));
    assert!(!Scope::All.is_nothing() && Scope::All.contains("a"));
    assert_ne!(nothing, Scope::All);
}

proptest! {
    #[test]
    fn the_text_form_parses_back(names in prop::collection::btree_set("[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", 0..20)) {
        let scope = match names.is_empty() {
            true => Scope::All,
            false => Scope::Namespaces(names),
        };
        prop_assert_eq!(Scope::parse([scope.to_string().as_str()], 50), Ok(scope));
    }
}
