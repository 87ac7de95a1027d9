//! Which clients may open a stream: at most so many in all and per client address, and so many
//! replays at once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, StatusCode};
use tokio::sync::Semaphore;

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
    by_client: HashMap<IpAddr, Own>,
}

/// What one client has.
#[derive(Debug)]
struct Own {
    streams: u64,
    /// Its share of the turns to replay.
    share: Arc<Semaphore>,
}

/// What is allowed at the same time.
#[derive(Clone, Copy, Debug)]
struct Limits {
    streams: usize,
    /// 0: no limit.
    streams_per_client: u64,
    replays: usize,
}

impl Streams {
    fn lock(&self) -> MutexGuard<'_, Open> {
        // A count is changed in one step.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the client's share of the turns to replay: half of all, so that whoever takes its
    /// turns and does not read leaves some to others.
    fn enter(&self, client: Option<IpAddr>, limits: Limits) -> Result<Arc<Semaphore>, Problem> {
        let mut open = self.lock();
        if open.all >= limits.streams {
            return Err(too_many(format!(
                "{} streams are open, which is the most (MAX_STREAMS)",
                open.all
            )));
        }
        let share = match client {
            Some(client) => {
                let own = open.by_client.get(&client).map_or(0, |own| own.streams);
                if limits.streams_per_client > 0 && own >= limits.streams_per_client {
                    return Err(too_many(format!(
                        "{own} streams of {client} are open, which is the most for one client \
                         (MAX_STREAMS_PER_CLIENT). If that is a proxy, it should be among TRUSTED_PROXIES"
                    )));
                }
                let own = open.by_client.entry(client).or_insert_with(|| Own {
                    streams: 0,
                    share: Arc::new(Semaphore::new((limits.replays / 2).max(1))),
                });
                own.streams += 1;
                own.share.clone()
            }
            None => Arc::new(Semaphore::new(1)),
        };
        open.all += 1;
        Ok(share)
    }

    fn leave(&self, client: Option<IpAddr>) {
        let mut open = self.lock();
        open.all -= 1;
        if let Some(client) = client
            && let Entry::Occupied(mut own) = open.by_client.entry(client)
        {
            own.get_mut().streams -= 1;
            if own.get().streams == 0 {
                own.remove();
            }
        }
    }
}

/// One of the streams that may be open at the same time.
pub(super) struct Place {
    server: Arc<Server>,
    client: Option<IpAddr>,
    share: Arc<Semaphore>,
    _counted: Counted,
}

impl Place {
    /// Takes a place, or refuses with 429. `client` is not known where there is no socket.
    pub(super) fn take(server: &Arc<Server>, client: Option<IpAddr>) -> Result<Self, Problem> {
        let client = client.map(network_of);
        let limits = Limits {
            streams: server.max_streams,
            streams_per_client: server.config.max_streams_per_client,
            replays: server.config.max_replays as usize,
        };
        let share = server.own.streams.enter(client, limits)?;
        Ok(Self {
            server: server.clone(),
            client,
            share,
            _counted: Counted::new(&server.metrics.streams),
        })
    }

    /// What the client may have of all turns to replay.
    pub(super) fn share(&self) -> Arc<Semaphore> {
        self.share.clone()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.server.own.streams.leave(self.client);
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
mod tests;
