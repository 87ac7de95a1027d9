use super::*;

#[test]
fn a_suffix_keeps_two_labels() {
    let hosts = [
        "a.b.example.com",
        "a.example.com",
        "example.com",
        "localhost",
    ];
    assert_eq!(
        hosts.map(suffix),
        ["b.example.com", "example.com", "example.com", "localhost"]
    );
    assert_eq!(suffix("*.promo.example.com"), "promo.example.com");
}

#[test]
fn a_closed_group_is_its_head() {
    let mut groups = Groups::default();
    groups.fill(["a", "a", "b", "c"].into_iter());
    assert_eq!(groups.lines(), 7);
    assert_eq!(groups.at(1), Some(Place::Row(0)));
    assert_eq!(groups.line_of(3), 6);
    groups.toggle("a");
    let head = Group {
        value: "a".into(),
        rows: 2,
        open: false,
    };
    assert_eq!(groups.at(0), Some(Place::Head(head)));
    assert_eq!(groups.at(2), Some(Place::Row(2)));
    assert_eq!((groups.line_of(1), groups.line_of(3)), (0, 4));
    assert_eq!((groups.lines(), groups.at(5)), (5, None));
    assert_eq!(groups.head("b"), Some(1));
}

#[test]
fn every_line_is_of_a_group_and_all_groups_close_and_open_together() {
    let mut groups = Groups::default();
    groups.fill(["a", "a", "b"].into_iter());
    let of = |groups: &Groups, line| groups.group_at(line).map(|group| group.value);
    assert_eq!(of(&groups, 0).as_deref(), Some("a"));
    assert_eq!(of(&groups, 2).as_deref(), Some("a"));
    assert_eq!(of(&groups, 4).as_deref(), Some("b"));
    groups.toggle_all(false);
    assert_eq!(groups.lines(), 2);
    assert_eq!(of(&groups, 1).as_deref(), Some("b"));
    groups.toggle_all(true);
    assert_eq!(groups.lines(), 5);
    groups.clear(3);
    assert_eq!(groups.group_at(1), None);
}
