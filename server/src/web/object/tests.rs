use serde_json::json;

use super::*;

#[test]
fn bookkeeping_goes_and_sensitive_annotations_are_masked() {
    let mut object = json!({"metadata": {"managedFields": [], "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
            "kapp.k14s.io/original": "{}", "objectset.rio.cattle.io/applied": "H4sIAAAA",
            "tool.example.com/copy": r#"{"annotations":{"example.com/auth-secret":"x"}}"#,
            "example.com/auth-secret": "x", "example.com/note": "y"}}});
    clean(&mut object, &BTreeSet::from(["*/Auth-*".into()]));
    assert_eq!(
        object,
        json!({"metadata": {"annotations": {
                "tool.example.com/copy": MASK, "example.com/auth-secret": MASK, "example.com/note": "y"}}})
    );
}

#[test]
fn a_pattern_of_many_stars_takes_no_time() {
    let mut object = json!({"metadata": {"annotations": {"a".repeat(260): "x"}}});
    clean(&mut object, &BTreeSet::from(["*a".repeat(30) + "*b"]));
    assert_eq!(object["metadata"]["annotations"]["a".repeat(260)], "x");
}

#[tokio::test]
async fn who_waits_for_the_same_version_gets_one_answer() {
    let asked = Asked::default();
    let (answer, answered) = tokio::sync::watch::channel(None::<u64>);
    let times = std::sync::atomic::AtomicU64::new(0);
    let get = |revision: u64| {
        let (asked, times, mut answered) = (&asked, &times, answered.clone());
        async move {
            let ask = async {
                times.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let value = answered.wait_for(Option::is_some).await.unwrap();
                Ok(Arc::new(Value::from(*value)))
            };
            asked
                .get((Key::new("a", "web"), Revision(revision)), ask)
                .await
        }
    };
    let counted = || times.load(std::sync::atomic::Ordering::Relaxed);
    {
        // The first to ask goes away, and another does it.
        let mut gone = Box::pin(get(1));
        let mut all: Vec<_> = (0..30).map(|_| Box::pin(get(1))).collect();
        assert!(futures::poll!(&mut gone).is_pending());
        for one in &mut all {
            assert!(futures::poll!(one).is_pending());
        }
        assert_eq!(counted(), 1);
        drop(gone);
        let mut other = Box::pin(get(2));
        assert!(futures::poll!(&mut other).is_pending());
        assert_eq!(counted(), 2, "an object that has changed is another one");
        answer.send(Some(7)).unwrap();
        for result in futures::future::join_all(all).await {
            assert_eq!(*result.unwrap(), Value::from(7));
        }
        assert_eq!(counted(), 3);
        drop(other);
    }
    assert!(asked.lock().is_empty());
    assert!(
        get(1).await.is_ok() && counted() == 4,
        "an answer is not kept"
    );
    assert!(asked.lock().is_empty());
}

#[test]
fn names_are_subdomains() {
    assert!(is_dns_subdomain("a.b-c.d1"));
    for bad in ["", "a..b", "-a", "A", "a/b", "..", "a.", &"a".repeat(254)] {
        assert!(!is_dns_subdomain(bad), "{bad}");
    }
}

#[test]
fn yaml_says_the_same_as_json() {
    let object =
        json!({"a": "yes", "b": ["1", 1, null, true], "c": "line\nline", "d": "- x: #", "e": ""});
    let back: Value = serde_saphyr::from_str(&to_yaml(&object).unwrap()).unwrap();
    assert_eq!(back, object);
}
