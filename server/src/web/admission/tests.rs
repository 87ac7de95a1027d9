use super::*;

fn client(peer: &str, forwarded: &[&str]) -> String {
    let mut headers = HeaderMap::new();
    for line in forwarded {
        headers.append("x-forwarded-for", line.parse().unwrap());
    }
    let trusted = ["10.0.0.0/8", "::1/128"].map(|network| network.parse().unwrap());
    let peer = peer.parse().unwrap();
    client_address(peer, &headers, &Networks(trusted.into())).to_string()
}

#[test]
fn what_a_stranger_says_of_itself_is_ignored() {
    assert_eq!(client("192.0.2.1", &["198.51.100.1"]), "192.0.2.1");
    assert_eq!(client("192.0.2.1", &[]), "192.0.2.1");
    assert_eq!(client("::ffff:192.0.2.1", &["198.51.100.1"]), "192.0.2.1");
}

#[test]
fn behind_trusted_proxies_it_is_the_first_stranger_from_the_right() {
    for (forwarded, expected) in [
        (&["198.51.100.1"][..], "198.51.100.1"),
        (&["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
        (&["203.0.113.9, 198.51.100.1, 10.9.9.9"], "198.51.100.1"),
        (&["203.0.113.9", "198.51.100.1", "10.9.9.9"], "198.51.100.1"),
        (&["198.51.100.1:4711"], "198.51.100.1"),
        (&["[2001:db8::1]:4711"], "2001:db8::1"),
        (&["[2001:db8::1]"], "2001:db8::1"),
        (&["10.2.2.2, 10.3.3.3"], "10.2.2.2"),
        (&[], "10.1.1.1"),
        (&["198.51.100.1, unknown"], "10.1.1.1"),
        (&["198.51.100.1, unknown, 10.3.3.3"], "10.3.3.3"),
        (&["198.51.100.1, "], "10.1.1.1"),
    ] {
        for peer in ["10.1.1.1", "::ffff:10.1.1.1"] {
            assert_eq!(client(peer, forwarded), expected, "{forwarded:?}");
        }
    }
    assert_eq!(client("::1", &["198.51.100.1"]), "198.51.100.1");
}

#[test]
fn nothing_is_kept_of_who_has_left_or_was_refused() {
    let streams = Streams::default();
    let clients = ["192.0.2.1", "2001:db8::"].map(|client| Some(client.parse().unwrap()));
    let limits = |streams| Limits {
        streams,
        streams_per_client: 2,
        replays: 1,
    };
    for client in clients {
        streams.enter(client, limits(4)).unwrap();
        streams.enter(client, limits(4)).unwrap();
        let refused = streams.enter(client, limits(5));
        assert!(refused.is_err(), "its own are too many");
    }
    let other = Some([192, 0, 2, 9].into());
    assert!(streams.enter(other, limits(4)).is_err());
    assert_eq!(streams.lock().by_client.len(), 2);
    for client in clients.into_iter().chain(clients) {
        streams.leave(client);
    }
    let open = streams.lock();
    assert!(open.all == 0 && open.by_client.is_empty(), "{open:?}");
}

#[test]
fn an_ipv6_client_is_its_network() {
    let of = |address: &str| network_of(address.parse().unwrap());
    assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:0:0:2"));
    assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
    assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
}
