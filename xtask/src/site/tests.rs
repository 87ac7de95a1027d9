use super::*;

fn site(files: &[(&str, &str)]) -> Site {
    let mut site = Site::default();
    for (name, contents) in files {
        site.add(name, contents.as_bytes().to_vec());
    }
    site
}

#[test]
fn the_build_id_follows_names_and_contents() {
    let id = site(&[("a", "bc"), ("d", "e")]).build_id();
    assert_eq!(id.len(), 12);
    assert_eq!(id, site(&[("d", "e"), ("a", "bc")]).build_id());
    assert_ne!(id, site(&[("a", "bc"), ("d", "f")]).build_id());
    assert_ne!(id, site(&[("ab", "c"), ("d", "e")]).build_id());
}

#[test]
fn the_style_sheet_keeps_layers_and_both_themes() {
    let sheet = stylesheet(&crate::command::root().join("style/app.css")).unwrap();
    let sheet = String::from_utf8(sheet).unwrap();
    let order = [
        "reset",
        "tokens",
        "base",
        "components",
        "states",
        "utilities",
    ]
    .map(|layer| sheet.find(&format!("@layer {layer}{{")).unwrap());
    assert!(order.is_sorted(), "{order:?}");
    assert!(sheet.contains("light-dark("));
    assert!(!sheet.contains("@import"));
    assert!(!sheet.contains("--lightningcss"));
}

#[test]
fn compressed_forms_give_the_contents_back() {
    let contents = "<svg>".repeat(500);
    let mut from_brotli = Vec::new();
    brotli::BrotliDecompress(
        &mut &brotli(contents.as_bytes()).unwrap()[..],
        &mut from_brotli,
    )
    .unwrap();
    assert_eq!(from_brotli, contents.as_bytes());

    let mut from_gzip = String::new();
    let compressed = gzip(contents.as_bytes()).unwrap();
    std::io::Read::read_to_string(
        &mut flate2::read::GzDecoder::new(&compressed[..]),
        &mut from_gzip,
    )
    .unwrap();
    assert_eq!(from_gzip, contents);
}
