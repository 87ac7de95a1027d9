use super::*;
use crate::message::ErrorReason;

fn document() -> IngressDocument {
    let row = |name: &str| Ingress {
        name: name.into(),
        namespace: "shop".into(),
        ..Ingress::default()
    };
    IngressDocument {
        revision: Some("a.b.1".into()),
        errors: vec![StreamError {
            error: "\"items\":[ is no start of anything here".into(),
            namespace: None,
            reason: ErrorReason::Internal,
            retry_in_ms: None,
            missing: None,
        }],
        total: 3,
        items: vec![row("cart"), row("}],[{\"\\"), row("\u{fc}\u{1f600}")],
        ..IngressDocument::default()
    }
}

fn read(text: &[u8], size: usize) -> Result<IngressDocument, Error> {
    let mut reader = DocumentReader::default();
    for chunk in text.chunks(size) {
        reader.push(chunk)?;
    }
    reader.finish()
}

#[test]
fn it_is_the_same_document_in_whatever_pieces_it_comes() {
    let empty = IngressDocument::default();
    for document in [document(), empty] {
        let text = serde_json::to_vec(&document).unwrap();
        for size in 1..=text.len() {
            assert_eq!(read(&text, size).unwrap(), document, "{size}");
        }
        let spaced = serde_json::to_vec_pretty(&document).unwrap();
        for size in [1, 7, spaced.len()] {
            assert_eq!(read(&spaced, size).unwrap(), document, "{size}");
        }
    }
}

#[test]
fn a_part_of_a_document_is_none() {
    let text = serde_json::to_vec(&document()).unwrap();
    for end in 0..text.len() {
        for size in [1, 64, text.len()] {
            assert!(read(&text[..end], size).is_err(), "{end}, {size}");
        }
    }
    for wrong in [
        &b"{}"[..],
        b"<html>",
        b"{\"build\":\"\",\"total\":1,\"items\":[7]}",
    ] {
        assert!(read(wrong, 3).is_err());
    }
    let more = [&text[..], b"{}"].concat();
    assert!(read(&more, 10).is_err());
}
