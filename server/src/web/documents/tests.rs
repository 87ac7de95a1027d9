use std::io::Read as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::BodyExt as _;
use protocol::Ingress;

use super::*;

fn rows(count: usize) -> Rows {
    (0..count)
        .map(|number| {
            Arc::new(Row::from(Ingress {
                name: format!("row-{number}"),
                ..Ingress::default()
            }))
        })
        .collect()
}

fn document(count: usize) -> Document {
    let head = IngressDocument {
        total: count,
        ..IngressDocument::default()
    };
    Document::new(&head, rows(count))
}

async fn written(document: Document) -> Bytes {
    let body = document.body().collect().await.unwrap();
    body.to_bytes()
}

#[tokio::test]
async fn every_coding_gives_the_same_document_of_the_size_that_it_says() {
    for count in [0, 1, 2, 3_000] {
        let plain = written(document(count)).await;
        assert_eq!(plain.len(), document(count).size());
        let read: IngressDocument = protocol::json::read(&plain).unwrap();
        assert_eq!((read.items.len(), read.total), (count, count));
        let mut text = Vec::new();
        let compressed = Room::default().compress(document(count))().unwrap();
        flate2::read::GzDecoder::new(&compressed[..])
            .read_to_end(&mut text)
            .unwrap();
        assert_eq!(text, plain);
    }
}

#[test]
fn a_document_that_nobody_reads_any_more_gives_its_room_back() {
    let room = Room(Arc::new(Semaphore::new(2)));
    let first = room.compress(document(1))().unwrap();
    let (second, shared) = (room.compress(document(2))().unwrap(), first.clone());
    assert!(room.compress(document(3))().is_none());
    drop(first);
    assert!(room.compress(document(3))().is_none(), "one still reads it");
    drop(shared);
    assert!(room.compress(document(3))().is_some());
    drop(second);
}

#[tokio::test]
async fn those_who_ask_together_cost_one() {
    let shared = Shared::new(4);
    let made = AtomicUsize::new(0);
    let ask = async |value: usize| {
        let get = shared.get(
            "all".into(),
            |held, _| *held == value,
            async || {
                made.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Ok(value)
            },
        );
        *get.await.ok().unwrap()
    };
    let answers = futures::future::join_all((0..100).map(|_| ask(1))).await;
    assert!(answers.iter().all(|answer| *answer == 1));
    assert_eq!(made.load(Ordering::Relaxed), 1);
    assert_eq!(ask(2).await, 2);
    assert_eq!(made.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn what_was_made_since_one_asked_is_new_enough() {
    let shared = Shared::new(4);
    let number = AtomicUsize::new(0);
    let ask = async || {
        let get = shared.get(
            "all".into(),
            |_, _| false,
            async || {
                tokio::task::yield_now().await;
                Ok(number.fetch_add(1, Ordering::Relaxed))
            },
        );
        *get.await.ok().unwrap()
    };
    // The first begins at once; one more is made for all who came after it had begun.
    let answers = futures::future::join_all((0..50).map(|_| ask())).await;
    assert_eq!(answers[0], 0);
    assert!(
        answers[1..].iter().all(|answer| *answer <= 1),
        "{answers:?}"
    );
    assert_eq!(ask().await, 2);
}

#[test]
fn only_the_newest_are_kept() {
    let shared = Shared::<()>::new(4);
    let first = shared.slot("first".into());
    for key in ["a", "b", "c"] {
        shared.slot(key.into());
    }
    assert!(Arc::ptr_eq(&first, &shared.slot("first".into())));
    for key in ["d", "e", "f", "g"] {
        shared.slot(key.into());
    }
    assert!(!Arc::ptr_eq(&first, &shared.slot("first".into())));
}
