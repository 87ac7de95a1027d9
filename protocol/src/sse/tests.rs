use proptest::prelude::*;

use super::*;

fn parse(chunks: &[&[u8]]) -> Vec<Event> {
    let mut parser = Parser::default();
    let mut events = Vec::new();
    for chunk in chunks {
        parser.push(chunk, |event| events.push(event)).unwrap();
    }
    events
}

fn event(data: &str, id: Option<&str>) -> Event {
    Event {
        data: data.into(),
        id: id.map(Into::into),
    }
}

#[test]
fn the_standards_own_examples_parse() {
    assert_eq!(
        parse(&[b"data: YHOO\ndata: +2\ndata: 10\n\n"]),
        [event("YHOO\n+2\n10", None)]
    );
    assert_eq!(
            parse(&[b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n"]),
            [event("first event", Some("1")), event("second event", Some(""))]
        );
    assert_eq!(
        parse(&[b"data\n\ndata\ndata\n\ndata:"]),
        [event("", None), event("\n", None)]
    );
}

#[test]
fn all_three_line_ends_and_a_byte_order_mark_are_taken() {
    assert_eq!(
        parse(&[b"\xEF\xBB\xBFdata: a\r\n\r\ndata: b\r\rdata: c\n\n"]),
        [event("a", None), event("b", None), event("c", None)]
    );
}

#[test]
fn the_reconnection_time_is_in_the_block_of_the_event_that_follows() {
    let mut bytes = Vec::new();
    write_retry(&mut bytes, 1_500);
    write_event(&mut bytes, Some("0"), b"first");
    assert_eq!(bytes, b"retry: 1500\nid: 0\ndata: first\n\n");
    let mut parser = Parser::default();
    let mut events = Vec::new();
    parser.push(&bytes, |event| events.push(event)).unwrap();
    assert_eq!(events, [event("first", Some("0"))]);
    assert_eq!(parser.retry_ms(), Some(1_500));
}

#[test]
fn an_event_that_never_ends_is_refused() {
    let mut parser = Parser::new(10);
    assert!(parser.push(b"data: 0123456789", |_| {}).is_err());
}

proptest! {
    #[test]
    fn where_chunks_are_cut_makes_no_difference(
        events in prop::collection::vec(("[^\\r\\n\\x00]{0,20}", prop::option::of("[0-9a-z.]{1,8}")), 0..10),
        cuts in prop::collection::vec(0usize..200, 0..8),
    ) {
        let mut bytes = Vec::new();
        for (data, id) in &events {
            write_event(&mut bytes, id.as_deref(), data.as_bytes());
        }
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.sort_unstable();
        let mut chunks = Vec::new();
        let mut from = 0;
        for cut in cuts {
            chunks.push(&bytes[from..cut]);
            from = cut;
        }
        chunks.push(&bytes[from..]);
        let expected: Vec<_> = events.iter().map(|(data, id)| event(data, id.as_deref())).collect();
        prop_assert_eq!(parse(&chunks), expected);
    }
}
