//! What serde writes is read back, and what is no JSON of the type is an error that says why.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Debug;

use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use protocol::connection::Reconnect;
use protocol::ingress::{
    Backend, Ingress, Key, More, Path, Port, ResourceBackend, Rule, ServiceBackend, TlsEntry,
};
use protocol::json::{self, FromJson};
use protocol::message::{
    Done, DoneReason, ErrorReason, Heartbeat, Message, Missing, NamespaceState, NamespaceStatus,
    Reset, StreamError, Synced,
};
use protocol::view::Group;
use protocol::{IngressDocument, NamespaceDocument, NamespaceSummary};
use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Any characters, those that are escaped among them.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z.-]{0,12}",
        "(\\PC|[\\x00-\\x1f\"\\\\/\u{7f}\u{2028}\u{1f600}]){0,8}"
    ]
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    vec(text(), 0..4)
}

fn backend() -> impl Strategy<Value = Backend> {
    let number = any::<i32>().prop_map(Port::Number);
    let port = prop_oneof![number, text().prop_map(Port::Name)];
    let service = (text(), of(port)).prop_map(|(name, port)| ServiceBackend { name, port });
    let resource = (of(text()), text(), text());
    let resource = resource.prop_map(|(api_group, kind, name)| ResourceBackend {
        api_group,
        kind,
        name,
    });
    (of(service), of(resource)).prop_map(|(service, resource)| Backend { service, resource })
}

fn rule() -> impl Strategy<Value = Rule> {
    let path = (of(text()), text(), backend());
    let path = path.prop_map(|(path, path_type, backend)| Path {
        path,
        path_type,
        backend,
    });
    (of(text()), vec(path, 0..3)).prop_map(|(host, paths)| Rule { host, paths })
}

fn ingress() -> impl Strategy<Value = Ingress> {
    let entry = (of(text()), texts());
    let entry = entry.prop_map(|(secret_name, hosts)| TlsEntry { secret_name, hosts });
    let more = any::<(usize, usize, usize)>().prop_map(|(hosts, paths, others)| {
        Box::new(More {
            hosts,
            paths,
            others,
        })
    });
    let own = (text(), text(), text(), text(), of(text()), of(text()));
    let lists = (texts(), texts(), texts(), vec(rule(), 0..3));
    let entries = (vec(entry, 0..3), btree_map(text(), text(), 0..4));
    let others = (of(backend()), of(more), any::<bool>());
    (own, lists, entries, others).prop_map(|(own, lists, entries, others)| {
        let (name, namespace, uid, version, created_at, ingress_class_name) = own;
        let (hosts, addresses, annotation_keys, rules) = lists;
        let (tls_entries, labels) = entries;
        let (default_backend, more, tls) = others;
        Ingress {
            name,
            namespace,
            hosts,
            tls,
            rules,
            uid,
            created_at,
            ingress_class_name,
            default_backend,
            addresses,
            tls_entries,
            labels,
            annotation_keys,
            more,
            version,
        }
    })
}

fn stream_error() -> impl Strategy<Value = StreamError> {
    let reason = select(vec![
        ErrorReason::Forbidden,
        ErrorReason::Unreachable,
        ErrorReason::Expired,
        ErrorReason::Invalid,
        ErrorReason::Internal,
        ErrorReason::Other,
    ]);
    let missing = (text(), texts(), of(text()));
    let missing = missing.prop_map(|(resource, verbs, account)| Missing {
        resource,
        verbs,
        account,
    });
    let all = (text(), of(text()), reason, of(any::<u64>()), of(missing));
    all.prop_map(
        |(error, namespace, reason, retry_in_ms, missing)| StreamError {
            error,
            namespace,
            reason,
            retry_in_ms,
            missing,
        },
    )
}

fn state() -> impl Strategy<Value = NamespaceState> {
    select(vec![
        NamespaceState::Syncing,
        NamespaceState::Live,
        NamespaceState::Retrying,
        NamespaceState::Forbidden,
    ])
}

fn done() -> impl Strategy<Value = Done> {
    let reason = select(vec![
        DoneReason::Timeout,
        DoneReason::Draining,
        DoneReason::SlowConsumer,
        DoneReason::Resync,
        DoneReason::Unauthorized,
        DoneReason::Other,
    ]);
    (text(), reason).prop_map(|(message, reason)| Done { message, reason })
}

fn synced() -> impl Strategy<Value = Synced> {
    let all = (any::<usize>(), texts(), of(any::<usize>()));
    all.prop_map(|(count, pending, pending_count)| Synced {
        count,
        pending,
        pending_count,
    })
}

fn status() -> impl Strategy<Value = NamespaceStatus> {
    let counts = (of(any::<usize>()), of(any::<u64>()));
    let all = (of(text()), state(), counts, of(text()));
    all.prop_map(
        |(namespace, state, (count, retry_in_ms), since)| NamespaceStatus {
            namespace,
            state,
            count,
            retry_in_ms,
            since,
        },
    )
}

fn message() -> impl Strategy<Value = Message> {
    let key = (text(), text()).prop_map(|(namespace, name)| Key::new(namespace, name));
    prop_oneof![
        ingress().prop_map(Message::IngressAdded),
        ingress().prop_map(Message::IngressModified),
        key.prop_map(Message::IngressDeleted),
        stream_error().prop_map(Message::Error),
        done().prop_map(Message::Done),
        text().prop_map(|build| Message::Reset(Reset { build })),
        synced().prop_map(Message::Synced),
        status().prop_map(Message::NamespaceStatus),
        text().prop_map(|time| Message::Heartbeat(Heartbeat { time })),
    ]
}

fn ingress_document() -> impl Strategy<Value = IngressDocument> {
    let texts_of_it = (of(text()), text(), texts(), of(text()));
    let counts = (of(any::<usize>()), any::<usize>());
    let lists = (vec(stream_error(), 0..3), vec(ingress(), 0..3));
    (texts_of_it, counts, lists).prop_map(|(texts, counts, (errors, items))| {
        let (revision, build, pending, continue_token) = texts;
        let (pending_count, total) = counts;
        IngressDocument {
            revision,
            build,
            pending,
            pending_count,
            errors,
            total,
            continue_token,
            items,
        }
    })
}

fn namespace_document() -> impl Strategy<Value = NamespaceDocument> {
    let summary = (text(), of(any::<usize>()), of(state()));
    let summary = summary.prop_map(|(name, count, state)| NamespaceSummary { name, count, state });
    let all = (any::<bool>(), any::<usize>(), vec(summary, 0..4));
    all.prop_map(|(complete, max_per_stream, items)| NamespaceDocument {
        complete,
        max_per_stream,
        items,
    })
}

fn group() -> impl Strategy<Value = Group> {
    let all = (text(), any::<usize>(), any::<bool>());
    all.prop_map(|(value, rows, open)| Group { value, rows, open })
}

fn reconnect() -> impl Strategy<Value = Reconnect> {
    let backoff = (0..10_000_u32).prop_map(|thousandths| f64::from(thousandths) / 1_000.0);
    let all = (any::<u64>(), backoff, any::<u64>(), any::<u32>());
    all.prop_map(
        |(interval_ms, backoff, max_delay_ms, max_attempts)| Reconnect {
            interval_ms,
            backoff,
            max_delay_ms,
            max_attempts,
        },
    )
}

/// A value is read back from what serde writes of it, whatever space and whichever unknown members
/// there are, and no part of that is a value.
fn is_read_back<T: FromJson + Serialize + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&json::read::<T>(text.as_bytes()).unwrap(), value, "{text}");
    let pretty = serde_json::to_string_pretty(value).unwrap();
    assert_eq!(&json::read::<T>(pretty.as_bytes()).unwrap(), value);

    let member: Value = serde_json::from_str(&text).unwrap();
    let mut grown = member.clone();
    add_members(&mut grown, &member);
    let grown = serde_json::to_vec(&grown).unwrap();
    assert_eq!(&json::read::<T>(&grown).unwrap(), value);

    for end in 0..text.len() {
        let error = json::read::<T>(&text.as_bytes()[..end]).unwrap_err();
        assert!(error.to_string().contains("ends too early"), "{error}");
    }
    let more = format!("{text} 1");
    assert!(json::read::<T>(more.as_bytes()).is_err());
}

/// Gives every object one more member, but for labels, whose members are all known.
fn add_members(value: &mut Value, member: &Value) {
    match value {
        Value::Array(items) => {
            for item in items {
                add_members(item, member);
            }
        }
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                if name != "labels" {
                    add_members(value, member);
                }
            }
            members.insert("\"later\"".into(), member.clone());
        }
        _ => {}
    }
}

/// Whether serde takes it. A number is JSON that no type can hold, too.
fn is_json(text: &[u8]) -> bool {
    match serde_json::from_slice::<Value>(text) {
        Err(error) if error.to_string().starts_with("number out of range") => {
            serde_json::from_slice::<IgnoredAny>(text).is_ok()
        }
        value => value.is_ok(),
    }
}

/// Whether it is passed over as an unknown member's value is.
fn is_passed_over(text: &[u8]) -> bool {
    struct Unknown;
    impl FromJson for Unknown {
        fn from_json(reader: &mut json::Reader<'_>) -> Self {
            reader.skip();
            Self
        }
    }
    json::read::<Unknown>(text).is_ok()
}

proptest! {
    // Each is cut at every byte.
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_and_documents_are_read_back(
        row in ingress(),
        document in ingress_document(),
        namespaces in namespace_document(),
        group in group(),
        reconnect in reconnect(),
    ) {
        is_read_back(&row);
        is_read_back(&document);
        is_read_back(&namespaces);
        is_read_back(&group);
        is_read_back(&reconnect);
    }

    #[test]
    fn messages_are_read_back(message in message()) {
        let text = message.encode();
        prop_assert_eq!(Message::decode(&text).unwrap(), Some(message));
        for (end, _) in text.char_indices() {
            prop_assert!(Message::decode(&text[..end]).is_err());
        }
        // The type may be last.
        let event: Value = serde_json::from_str(&text).unwrap();
        let turned = format!(r#" {{"data":{}, "type" : {} }} "#, event["data"], event["type"]);
        prop_assert_eq!(Message::decode(&turned).unwrap(), Message::decode(&text).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_row_with_other_bytes_is_json_or_an_error(
        row in ingress(),
        changes in vec((any::<Index>(), any::<u8>()), 1..4),
    ) {
        let mut text = serde_json::to_vec(&row).unwrap();
        for (place, byte) in changes {
            let place = place.index(text.len());
            text[place] = byte;
        }
        prop_assert_eq!(is_passed_over(&text), is_json(&text));
        prop_assert!(json::read::<Ingress>(&text).is_err() || is_json(&text));
    }

    #[test]
    fn json_is_what_serde_takes(
        text in "[\\[\\]{}:,\"\\\\ u0-9dDeE.+-]{0,12}|(true|false|null|nul|[\\[\\]{}:, \"a1]){0,8}",
    ) {
        prop_assert_eq!(is_passed_over(text.as_bytes()), is_json(text.as_bytes()), "{}", text);
    }

    #[test]
    fn numbers_are_the_nearest_or_close_to_it(number in any::<f64>()) {
        prop_assume!(number.is_finite() && number.abs() > 1e-300);
        let text = serde_json::to_string(&number).unwrap();
        let read: f64 = json::read(text.as_bytes()).unwrap();
        prop_assert!((read / number - 1.0).abs() < 1e-14, "{number:e}: {read:e}");
    }

    #[test]
    fn short_numbers_are_exact(
        digits in -999_999_999_999_999_i64..=999_999_999_999_999,
        power in -22..=22,
    ) {
        for text in [format!("{digits}e{power}"), (digits as f64 / 1e6).to_string()] {
            let read = json::read::<f64>(text.as_bytes());
            prop_assert_eq!(read.ok(), text.parse::<f64>().ok());
        }
    }
}

#[test]
fn escapes_are_what_they_stand_for() {
    let read = |text: &str| json::read::<String>(text.as_bytes());
    assert_eq!(
        read(r#""\"\\\/\b\f\n\r\t\u0041\u00e9\uD83D\ude00\u0000""#).unwrap(),
        "\"\\/\u{8}\u{c}\n\r\tA\u{e9}\u{1f600}\0"
    );
    for wrong in [
        r#""\ud83d""#,
        r#""\ud83dx""#,
        r#""\ud83d\n""#,
        r#""\ud83d\u0041""#,
        r#""\ud83d\ud83d""#,
        r#""\ude00""#,
        r#""\u00g0""#,
        r#""\u+041""#,
        r#""\u004""#,
        r#""\x""#,
        "\"\\\u{e9}\"",
        "\"\n\"",
        "\"\0\"",
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
        assert!(!is_passed_over(wrong.as_bytes()), "{wrong}");
    }
    assert!(json::read::<String>(b"\"\xff\"").is_err());
    assert!(!is_passed_over(b"{\"\xc3\":1}"));
    // Names are compared without their escapes.
    let heartbeat: Heartbeat = json::read(br#"{"t\u0069me":"now"}"#).unwrap();
    assert_eq!(heartbeat.time, "now");
}

#[test]
fn numbers_have_their_kind_and_size() {
    assert_eq!(json::read::<u64>(b"18446744073709551615"), Ok(u64::MAX));
    assert_eq!(json::read::<i64>(b"-9223372036854775808"), Ok(i64::MIN));
    assert_eq!(json::read::<f64>(b"-12.5e-1"), Ok(-1.25));
    assert_eq!(json::read::<f64>(b"0e99999999999"), Ok(0.0));
    assert_eq!(json::read::<f64>(b"1e-99999999999"), Ok(0.0));
    for wrong in ["-1", "1.0", "1e2", "18446744073709551616", "\"1\"", "null"] {
        assert!(json::read::<u64>(wrong.as_bytes()).is_err(), "{wrong}");
    }
    assert!(json::read::<u32>(b"4294967296").is_err());
    assert!(json::read::<i32>(b"2147483648").is_err());
    for beyond in ["1e309", "1e99999999999"] {
        assert!(json::read::<f64>(beyond.as_bytes()).is_err(), "{beyond}");
    }
    for wrong in ["01", "1.", ".1", "1e", "+1", "-", "NaN", "0x1"] {
        assert!(json::read::<f64>(wrong.as_bytes()).is_err(), "{wrong}");
        assert!(!is_passed_over(wrong.as_bytes()), "{wrong}");
    }
}

#[test]
fn an_error_names_the_member() {
    let error = |text: &str| Message::decode(text).unwrap_err().to_string();
    assert_eq!(
        error(r#"{"type":"synced","data":{"count":"x"}}"#),
        "not a message of the stream: count: not a number (byte 9)"
    );
    assert_eq!(
        error(r#"{"type":"done","data":{"message":"Stream closed"}}"#),
        "not a message of the stream: reason: missing (byte 26)"
    );
    assert_eq!(
        error(
            r#"{"type":"ingressAdded","data":{"rules":[{"host":"a"},{"paths":[{"backend":7}]}]}}"#
        ),
        "not a message of the stream: rules.paths.backend: not an object (byte 44)"
    );
    for wrong in [
        r#"{"data":{}}"#,
        r#"{"type":7}"#,
        r#"{"type":"synced"}"#,
        r#"{"type":"synced","data":null}"#,
        r#"{"type":"heartbeat","data":{"time":null}}"#,
        r#"{"type":"later","data":{]}"#,
        r#"{"type":"namespaceStatus","data":{"state":"asleep"}}"#,
        r#"{"type":"ingressAdded","data":{"labels":{"a":1}}}"#,
        r#"{"type":"ingressAdded","data":{"hosts":["a",]}}"#,
        r#"{"type":"ingressAdded","data":{"tls":1}}"#,
        r#"{"type":"ingressAdded","data":[]}"#,
    ] {
        assert!(Message::decode(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn nesting_has_an_end() {
    for depth in [1, 98, 99, 100, 101, 100_000] {
        for (start, inner, end) in [("[", "", "]"), ("{\"a\":", "1", "}")] {
            let text = [start.repeat(depth), inner.into(), end.repeat(depth)].concat();
            assert_eq!(is_passed_over(text.as_bytes()), depth <= 100);
            assert!(!is_passed_over(start.repeat(depth).as_bytes()));
            let message = format!(r#"{{"type":"reset","data":{{"build":"","later":{text}}}}}"#);
            assert_eq!(Message::decode(&message).is_ok(), depth <= 98);
        }
    }
}

#[test]
fn a_pair_has_two() {
    let read = |text: &str| json::read::<Vec<(usize, String)>>(text.as_bytes());
    assert_eq!(
        read(r#"[[1,"a"],[2,"b"]]"#).unwrap(),
        [(1, "a".into()), (2, "b".into())]
    );
    for wrong in [
        "[[]]",
        "[[1]]",
        r#"[[1,"a",2]]"#,
        r#"[[1],"a"]"#,
        r#"[[],1,"a"]"#,
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}
