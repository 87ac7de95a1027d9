//! The document of `/api/ingresses`: rows in order, what stands before them, and how they are
//! written.
//!
//! After a restart every page asks for it at once: the rows of a scope are put in order once, and
//! compressed once, for all who ask for them at the same revision. A document that is not
//! compressed is written from the journal's own bytes as it is read, so a client that does not
//! read holds a list of rows and no text.

use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream;
use protocol::IngressDocument;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

use super::Server;
use super::problem::Problem;
use super::turns::Turns;
use crate::access::Visible;
use crate::journal::Head;
use crate::row::Row;

/// What the document can be compressed with. Brotli is no smaller at the same speed, and takes ten
/// times the memory to write.
pub(super) const CODINGS: &[&str] = &[GZIP];
pub(super) const GZIP: &str = "gzip";

/// Between speed and size: the document is built anew after each change.
const GZIP_LEVEL: u32 = 4;

/// A document is written in pieces of about so many bytes.
const PIECE: usize = 64 << 10;

/// What compressed documents that are kept or being read may take, in KiB. Above it they are
/// written without compression, which takes no memory.
const COMPRESSED: usize = 48 << 10;

/// The scopes whose rows are kept in order.
const LISTS: usize = 4;

/// What is made once for all who ask for the same at the same time, and kept for the keys that were
/// asked for last.
pub(super) struct Shared<T> {
    /// Newest key last.
    slots: Mutex<Vec<Arc<Slot<T>>>>,
    /// At most so many.
    kept: usize,
}

/// The first request makes it while the others wait.
struct Slot<T> {
    key: String,
    made: tokio::sync::Mutex<Option<Made<T>>>,
}

struct Made<T> {
    /// The value is of a moment after this.
    since: Instant,
    value: Arc<T>,
}

impl<T> Shared<T> {
    /// Nothing is made yet.
    pub(super) fn new(kept: usize) -> Self {
        Self {
            slots: Mutex::default(),
            kept,
        }
    }

    /// The value of a key: the one that is kept where it is current, or was made since this was
    /// called; else the one that `make` makes now. `is_current` learns how old the value may be.
    pub(super) async fn get(
        &self,
        key: String,
        is_current: impl Fn(&T, Duration) -> bool,
        make: impl AsyncFnOnce() -> Result<T, Problem>,
    ) -> Result<Arc<T>, Problem> {
        let asked = Instant::now();
        let slot = self.slot(key);
        let mut made = slot.made.lock().await;
        if let Some(Made { since, value }) = &*made
            && (*since >= asked || is_current(value, asked - *since))
        {
            return Ok(value.clone());
        }
        let since = Instant::now();
        let value = Arc::new(make().await?);
        *made = Some(Made {
            since,
            value: value.clone(),
        });
        Ok(value)
    }

    fn slot(&self, key: String) -> Arc<Slot<T>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = match slots.iter().position(|slot| slot.key == key) {
            Some(index) => slots.remove(index),
            None => Arc::new(Slot {
                key,
                made: tokio::sync::Mutex::default(),
            }),
        };
        slots.push(slot.clone());
        if slots.len() > self.kept {
            slots.remove(0);
        }
        slot
    }
}

/// Rows in order, by namespace, then name.
type Rows = Arc<[Arc<Row>]>;

/// All rows of a scope at one moment.
pub(super) struct Listed {
    pub(super) head: Head,
    pub(super) rows: Rows,
    /// The whole document, compressed, once somebody has asked for it; nothing where there was no
    /// room for it.
    compressed: OnceCell<Option<Bytes>>,
}

impl Listed {
    /// Puts the rows in order.
    fn new((head, mut rows): (Head, Vec<Arc<Row>>)) -> Self {
        rows.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Self {
            head,
            rows: rows.into(),
            compressed: OnceCell::new(),
        }
    }
}

/// Lists and documents for all who ask.
pub(super) struct Lists {
    listed: Shared<Listed>,
    room: Room,
}

impl Default for Lists {
    fn default() -> Self {
        Self {
            listed: Shared::new(LISTS),
            room: Room::default(),
        }
    }
}

impl Lists {
    /// The rows of a scope in order, in the state that `head` names or a later one.
    pub(super) async fn get(
        &self,
        server: &Server,
        visible: &Visible,
        head: &Head,
    ) -> Result<Arc<Listed>, Problem> {
        let is_current = |listed: &Listed, _| listed.head.is_same(head);
        let list = async || {
            let (journal, visible) = (server.journal.clone(), visible.clone());
            let list = move || Listed::new(journal.snapshot(&visible));
            server.own.turns.work(list).await
        };
        self.listed.get(visible.to_string(), is_current, list).await
    }

    /// A document of these rows, compressed; once for all where it is that of the `whole` list.
    /// Nothing where there is no room for it.
    pub(super) async fn compress(
        &self,
        turns: &Turns,
        listed: &Listed,
        document: Document,
        whole: bool,
    ) -> Result<Option<Bytes>, Problem> {
        let compress = || turns.work(self.room.compress(document));
        match whole {
            true => {
                let compressed = listed.compressed.get_or_try_init(compress);
                compressed.await.cloned()
            }
            false => compress().await,
        }
    }
}

/// The room for compressed documents. A document gives its part back when nobody reads it any more.
struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(COMPRESSED)))
    }
}

/// A compressed document in its room.
struct Compressed {
    bytes: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Compressed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Room {
    /// Compresses on another thread what the document is then; nothing where there is no room.
    fn compress(&self, document: Document) -> impl FnOnce() -> Option<Bytes> + use<> {
        let room = self.0.clone();
        move || {
            if room.available_permits() == 0 {
                return None;
            }
            let bytes = document.compressed();
            let kib = u32::try_from(bytes.len() / 1024 + 1).ok()?;
            Some(Bytes::from_owner(Compressed {
                bytes,
                _room: room.try_acquire_many_owned(kib).ok()?,
            }))
        }
    }
}

/// A document that can be written.
#[derive(Clone)]
pub(super) struct Document {
    /// All that stands before the rows.
    head: Bytes,
    rows: Rows,
}

impl Document {
    /// Of rows in order. The items of `head` are empty.
    pub(super) fn new(head: &IngressDocument, rows: Rows) -> Self {
        let mut head = serde_json::to_vec(head).expect("a document has string keys only");
        assert!(head.ends_with(b"]}"), "items come last");
        head.truncate(head.len() - END.len());
        Self {
            head: head.into(),
            rows,
        }
    }

    /// Its size in bytes.
    pub(super) fn size(&self) -> usize {
        let rows: usize = self.rows.iter().map(|row| row.json.len()).sum();
        self.head.len() + rows + self.rows.len().saturating_sub(1) + END.len()
    }

    /// Writes it as it is read.
    pub(super) fn body(self) -> Body {
        let pieces = self.pieces().map(Ok::<_, Infallible>);
        Body::from_stream(stream::iter(pieces))
    }

    fn pieces(self) -> impl Iterator<Item = Bytes> {
        let mut next = 0;
        let mut ended = false;
        std::iter::from_fn(move || {
            if ended {
                return None;
            }
            let mut piece = Vec::with_capacity(PIECE + PIECE / 4);
            if next == 0 {
                piece.extend_from_slice(&self.head);
            }
            while let Some(row) = self.rows.get(next).filter(|_| piece.len() < PIECE) {
                if next > 0 {
                    piece.push(b',');
                }
                piece.extend_from_slice(&row.json);
                next += 1;
            }
            if next == self.rows.len() {
                piece.extend_from_slice(END);
                ended = true;
            }
            Some(piece.into())
        })
    }

    fn compressed(self) -> Vec<u8> {
        let mut compressor = GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL));
        let written = self
            .pieces()
            .try_for_each(|piece| compressor.write_all(&piece))
            .and_then(|()| compressor.finish());
        let written: io::Result<Vec<u8>> = written;
        let mut bytes = written.expect("writing to memory does not fail");
        bytes.shrink_to_fit();
        bytes
    }
}

/// What follows the rows.
const END: &[u8] = b"]}";

#[cfg(test)]
mod tests;
