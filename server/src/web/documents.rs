//! The document of `/api/ingresses`, written row by row into its compression.
//!
//! After a restart every page asks for it at once: it is built and compressed once for all who
//! ask for the same rows in the same coding.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use protocol::IngressDocument;

use crate::row::Row;

/// What the document can be compressed with. Brotli is no smaller at the same speed, and takes ten
/// times the memory to write.
pub(super) const CODINGS: &[&str] = &[GZIP];
const GZIP: &str = "gzip";

/// Between speed and size: the document is built anew after each change.
const GZIP_LEVEL: u32 = 4;

/// Documents kept: of so many scopes and codings, each a tenth of its rows in size.
const KEPT: usize = 4;

/// The newest documents, oldest first.
#[derive(Default)]
pub(super) struct Documents(Mutex<Vec<Arc<Slot>>>);

/// One scope in one coding. Whoever comes first builds while the others wait.
struct Slot {
    scope: String,
    coding: &'static str,
    built: tokio::sync::Mutex<Option<(String, Bytes)>>,
}

impl Documents {
    /// The document that `tag` names, from `build` where nobody has built it yet.
    pub(super) async fn get(
        &self,
        scope: String,
        coding: &'static str,
        tag: &str,
        build: impl FnOnce() -> Bytes + Send + 'static,
    ) -> Bytes {
        let slot = self.slot(scope, coding);
        let mut built = slot.built.lock().await;
        if let Some((of, document)) = built.as_ref()
            && of == tag
        {
            return document.clone();
        }
        let document = apart(build).await;
        *built = Some((tag.to_owned(), document.clone()));
        document
    }

    fn slot(&self, scope: String, coding: &'static str) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |slot: &Arc<Slot>| slot.scope == scope && slot.coding == coding;
        let slot = match slots.iter().position(known) {
            Some(index) => slots.remove(index),
            None => Arc::new(Slot {
                scope,
                coding,
                built: tokio::sync::Mutex::default(),
            }),
        };
        slots.push(slot.clone());
        if slots.len() > KEPT {
            slots.remove(0);
        }
        slot
    }
}

/// Builds on a thread for work that takes long, so that streams are not held up.
pub(super) async fn apart(build: impl FnOnce() -> Bytes + Send + 'static) -> Bytes {
    tokio::task::spawn_blocking(build)
        .await
        .expect("building does not panic")
}

/// The document with these rows' own bytes as its items, which come last and are empty in `head`.
pub(super) fn encode(head: &IngressDocument, rows: &[Arc<Row>], coding: &str) -> Bytes {
    let encoded = match coding {
        GZIP => {
            let mut compressor = GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL));
            write(&mut compressor, head, rows).and_then(|()| compressor.finish())
        }
        _ => {
            let size: usize = rows.iter().map(|row| row.json.len() + 1).sum();
            let mut body = Vec::with_capacity(size + 1024);
            write(&mut body, head, rows).map(|()| body)
        }
    };
    encoded.expect("writing to memory does not fail").into()
}

fn write(to: &mut impl Write, head: &IngressDocument, rows: &[Arc<Row>]) -> io::Result<()> {
    let head = serde_json::to_vec(head)?;
    to.write_all(head.strip_suffix(b"]}").expect("items come last"))?;
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            to.write_all(b",")?;
        }
        to.write_all(&row.json)?;
    }
    to.write_all(b"]}")
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use protocol::Ingress;

    use super::*;

    fn rows() -> Vec<Arc<Row>> {
        ["a", "b"]
            .map(|name| {
                Arc::new(Row::from(Ingress {
                    name: name.into(),
                    ..Ingress::default()
                }))
            })
            .into()
    }

    #[test]
    fn every_coding_gives_the_same_document() {
        let head = IngressDocument {
            total: 2,
            ..IngressDocument::default()
        };
        let plain = encode(&head, &rows(), "identity");
        let document: IngressDocument = serde_json::from_slice(&plain).unwrap();
        assert_eq!((document.items.len(), document.total), (2, 2));
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&encode(&head, &rows(), GZIP)[..])
            .read_to_end(&mut text)
            .unwrap();
        assert_eq!(text, plain);
    }

    #[tokio::test]
    async fn those_who_ask_together_cost_one_document() {
        let documents = Documents::default();
        let built = Arc::new(AtomicUsize::new(0));
        let ask = |tag: &'static str| {
            let (documents, built) = (&documents, built.clone());
            async move {
                let build = move || {
                    built.fetch_add(1, Ordering::Relaxed);
                    Bytes::from_static(tag.as_bytes())
                };
                documents.get("all".into(), GZIP, tag, build).await
            }
        };
        let answers = futures::future::join_all((0..100).map(|_| ask("1"))).await;
        assert!(answers.iter().all(|answer| answer == "1"));
        assert_eq!(built.load(Ordering::Relaxed), 1);
        assert_eq!(ask("2").await, "2");
        assert_eq!(built.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn only_the_newest_are_kept() {
        let documents = Documents::default();
        let first = documents.slot("first".into(), GZIP);
        for scope in ["a", "b", "c"] {
            documents.slot(scope.into(), GZIP);
        }
        assert!(Arc::ptr_eq(&first, &documents.slot("first".into(), GZIP)));
        for scope in ["d", "e", "f", "g"] {
            documents.slot(scope.into(), GZIP);
        }
        assert!(!Arc::ptr_eq(&first, &documents.slot("first".into(), GZIP)));
    }
}
