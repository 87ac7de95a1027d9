//! Writes: what a cursor missed as bytes, built once for all clients at the same place.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use protocol::sse;

use super::log::{Above, Cursor, Entry, Revision, State, json_of};

/// One bounded write: what a cursor missed.
#[derive(Clone, Debug)]
pub struct Write {
    /// Whole events; empty where nothing was missed.
    pub bytes: Bytes,
    /// The cursor after it.
    pub cursor: Cursor,
    /// Whether the table after it is that of the cursor's revision. Rows that have moved up are
    /// still missing where there is more to read than one write holds.
    pub complete: bool,
    /// When the newest change in it came in.
    pub received: Option<Instant>,
    /// How many messages it holds.
    pub messages: u64,
}

impl Write {
    /// Encodes the entries above a cursor. `id` makes the id of a revision.
    pub(super) fn build(above: &Above, cursor: Cursor, id: impl Fn(Revision) -> String) -> Self {
        const ADDED: &[u8] = br#"{"type":"ingressAdded","data":"#;
        const MODIFIED: &[u8] = br#"{"type":"ingressModified","data":"#;
        const DELETED: &[u8] = br#"{"type":"ingressDeleted","data":"#;
        let Above {
            entries,
            after,
            complete,
        } = above;
        let (after, complete) = (*after, *complete);
        let told = |revision: Revision, entry: &Entry| match entry.state {
            State::Row { .. } => true,
            State::Deleted { .. } => cursor.replay.is_none_or(|start| revision > start),
        };
        let last = entries
            .iter()
            .rposition(|(revision, entry)| told(*revision, entry));
        let carries_id = cursor.replay.is_none() && complete;
        let size: usize = entries.iter().map(|(_, entry)| entry.size()).sum();
        let mut bytes = Vec::with_capacity(size + 64);
        let mut data = Vec::new();
        let mut messages = 0;
        for (index, (revision, entry)) in entries.iter().enumerate() {
            if !told(*revision, entry) {
                continue;
            }
            if let State::Row { row, deleted, .. } = &entry.state
                && *deleted > cursor.replay.unwrap_or(cursor.base)
            {
                // It was there before under this name. A delete is never folded.
                data.clear();
                data.extend_from_slice(DELETED);
                data.extend_from_slice(&json_of(&row.key));
                data.push(b'}');
                sse::write_event(&mut bytes, None, &data);
                messages += 1;
            }
            let (prefix, json) = match &entry.state {
                State::Row { row, first, .. }
                    if *first > cursor.base || cursor.replay.is_some() =>
                {
                    (ADDED, &row.json)
                }
                State::Row { row, .. } => (MODIFIED, &row.json),
                State::Deleted { json } => (DELETED, json),
            };
            data.clear();
            data.extend_from_slice(prefix);
            data.extend_from_slice(json);
            data.push(b'}');
            let id = (carries_id && Some(index) == last).then(|| id(after));
            sse::write_event(&mut bytes, id.as_deref(), &data);
            messages += 1;
        }
        Self {
            bytes: bytes.into(),
            cursor: cursor.after(after, complete),
            complete,
            received: entries.last().map(|(_, entry)| entry.received),
            messages,
        }
    }
}

/// The newest writes, each built once for all clients that are where the first one was. A write
/// never becomes wrong: it leads from its cursor to a revision that was the newest once.
#[derive(Debug, Default)]
pub(super) struct SharedWrites {
    writes: VecDeque<(Position, Write)>,
    bytes: usize,
}

/// What a write depends on: hash of the visible namespaces, cursor, base and limit.
pub(super) type Position = (u64, Revision, Revision, usize);

/// What the shared writes hold at most.
const SHARED_WRITES: usize = 64;
const SHARED_BYTES: usize = 1 << 20;

impl SharedWrites {
    /// The write from a position, unless there is one by now that leads further.
    pub(super) fn get(&self, position: Position, newest: Revision) -> Option<Write> {
        let (_, write) = self.writes.iter().rev().find(|(at, _)| *at == position)?;
        (write.cursor.at == newest || !write.complete).then(|| write.clone())
    }

    pub(super) fn insert(&mut self, position: Position, write: Write) {
        // Whatever their limits, only the newest of a place is kept: a client that comes back is
        // not given an older one than before.
        let place = |at: &Position| (at.0, at.1, at.2);
        self.writes.retain(|(at, old)| {
            let stays = place(at) != place(&position);
            self.bytes -= if stays { 0 } else { old.bytes.len() };
            stays
        });
        self.bytes += write.bytes.len();
        self.writes.push_back((position, write));
        while self.writes.len() > SHARED_WRITES || self.bytes > SHARED_BYTES {
            let Some((_, oldest)) = self.writes.pop_front() else {
                return;
            };
            self.bytes -= oldest.bytes.len();
        }
    }
}

#[cfg(test)]
mod tests;
