//! Who may open a stream: so many in all, so many per client address.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, StatusCode};

use super::Server;
use super::problem::Problem;
use crate::config::Networks;
use crate::metrics::Counted;

/// Open streams in all and by client. A client without streams has no entry.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_client: HashMap<IpAddr, u64>,
}

impl Streams {
    fn lock(&self) -> MutexGuard<'_, Open> {
        // A count is changed in one step.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, client: Option<IpAddr>, most: usize, per_client: u64) -> Result<(), Problem> {
        let mut open = self.lock();
        if open.all >= most {
            return Err(too_many(format!(
                "{} streams are open, which is the most (MAX_STREAMS)",
                open.all
            )));
        }
        if let Some(client) = client {
            let own = open.by_client.get(&client).copied().unwrap_or(0);
            if per_client > 0 && own >= per_client {
                return Err(too_many(format!(
                    "{own} streams of {client} are open, which is the most for one client \
                     (MAX_STREAMS_PER_CLIENT). If that is a proxy, it should be among TRUSTED_PROXIES"
                )));
            }
            open.by_client.insert(client, own + 1);
        }
        open.all += 1;
        Ok(())
    }

    fn leave(&self, client: Option<IpAddr>) {
        let mut open = self.lock();
        open.all -= 1;
        if let Some(client) = client
            && let Entry::Occupied(mut own) = open.by_client.entry(client)
        {
            *own.get_mut() -= 1;
            if *own.get() == 0 {
                own.remove();
            }
        }
    }
}

/// One of the streams that may be open at the same time.
pub(super) struct Place {
    server: Server,
    client: Option<IpAddr>,
    _counted: Counted,
}

impl Place {
    /// Takes a place, or refuses with 429. `client` is not known where there is no socket.
    pub(super) fn take(server: &Server, client: Option<IpAddr>) -> Result<Self, Problem> {
        let client = client.map(network_of);
        let per_client = server.config.max_streams_per_client;
        server
            .0
            .streams
            .enter(client, server.max_streams, per_client)?;
        Ok(Self {
            server: server.clone(),
            client,
            _counted: Counted::new(&server.metrics.streams),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.server.0.streams.leave(self.client);
    }
}

fn too_many(detail: String) -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(5)
}

/// Whose request it is: the peer, unless that is a trusted proxy; then the right-most address of
/// `X-Forwarded-For` that is not one. What is further left is what the client itself claims.
pub(super) fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &Networks) -> IpAddr {
    let mut client = peer.to_canonical();
    let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
    let mut hops = lines.iter().rev().flat_map(|line| {
        let text = line.to_str().unwrap_or_default();
        text.rsplit(',').map(hop)
    });
    while trusted.contain(client) {
        match hops.next() {
            Some(Some(hop)) => client = hop.to_canonical(),
            // The last one that is known.
            Some(None) | None => break,
        }
    }
    client
}

/// One entry of the header; some proxies add the port.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = || text.parse::<IpAddr>().ok();
    let with_port = || Some(text.parse::<std::net::SocketAddr>().ok()?.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    address().or_else(with_port).or_else(bracketed)
}

/// One IPv6 client has a whole /64 to take addresses from.
fn network_of(client: IpAddr) -> IpAddr {
    match client {
        IpAddr::V4(_) => client,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
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
        for client in clients {
            streams.enter(client, 4, 2).unwrap();
            streams.enter(client, 4, 2).unwrap();
            assert!(streams.enter(client, 5, 2).is_err(), "its own are too many");
        }
        assert!(streams.enter(Some([192, 0, 2, 9].into()), 4, 2).is_err());
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
}
