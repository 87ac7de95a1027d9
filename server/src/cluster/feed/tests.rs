use simulator::{Effect, Fault, Operation};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::super::source::{INGRESSES, Role, Source};
use super::super::{Task, pulse};
use super::*;

const LIFE: Duration = Duration::from_secs(300);

/// Passes on what a feed says.
struct Heard(UnboundedSender<String>);

impl Heard {
    fn note(&self, word: String) {
        self.0.send(word).expect("the test listens");
    }
}

impl Sink for Heard {
    type Item = String;

    fn read(&self, object: Value) -> Result<Option<String>, InvalidObject> {
        Ok(Some(project::key(&object).name))
    }

    fn reset(&self, items: Vec<String>) -> usize {
        self.note(format!("{items:?}"));
        0
    }

    fn apply(&self, _: Vec<Change<String>>, _: Instant) -> usize {
        0
    }

    fn withdraw(&self) {
        self.note("withdrawn".into());
    }

    fn status(&self, state: FeedState, listed: bool, _: Option<FeedError>) {
        self.note(format!("{state:?} {listed}"));
    }
}

/// A feed of the ingresses in a simulated cluster, and what it says.
fn feed_of(source: Source, cluster: &simulator::Cluster) -> (Task, UnboundedReceiver<String>) {
    let client = kube::Client::new(cluster.router(), "default");
    let api = Api::new(client, "the simulated cluster".into());
    let (silent, silence) = pulse::channel();
    let limits = Arc::new(Limits {
        watch_timeout: LIFE,
        lists: Semaphore::new(1),
        silence,
        hurry: Notify::new(),
        metrics: Arc::default(),
    });
    let (say, heard) = unbounded_channel();
    let feed = Feed::new(api, Collection::new(source, None), Heard(say), limits);
    let task = Task::spawn(async move {
        let _silent = silent;
        feed.run(false).await;
    });
    (task, heard)
}

/// What is said up to this word.
async fn said(heard: &mut UnboundedReceiver<String>, until: &str) -> Vec<String> {
    let mut said = Vec::new();
    while said.last().is_none_or(|word| word != until) {
        said.push(heard.recv().await.expect("the feed runs"));
    }
    said
}

fn missing() -> Fault {
    let effect = Effect::Status {
        status: 404,
        retry_after: None,
    };
    Fault::new(Operation::List, effect).on("ingresses")
}

#[tokio::test(start_paused = true)]
async fn a_helpful_resource_that_the_cluster_lacks_is_absent_and_asked_again() {
    let cluster = simulator::Cluster::empty();
    cluster.faults().add(missing());
    let helpful = Source {
        role: Role::Helpful,
        ..INGRESSES
    };
    let (_task, mut heard) = feed_of(helpful, &cluster);
    let first = said(&mut heard, "Absent true").await;
    assert_eq!(first, ["Syncing false", "[]", "Absent true"]);
    assert_eq!(cluster.requests_of("ingresses").lists, 1);
    cluster.faults().clear();
    let then = said(&mut heard, "Live true").await;
    assert_eq!(then, ["[]", "Live true"]);
    assert_eq!(cluster.requests_of("ingresses").lists, 2);
}

#[tokio::test(start_paused = true)]
async fn a_needed_resource_that_the_cluster_lacks_is_a_failure_that_is_tried_again() {
    let cluster = simulator::Cluster::empty();
    cluster.faults().add(missing());
    let (_task, mut heard) = feed_of(INGRESSES, &cluster);
    let first = said(&mut heard, "Absent false").await;
    assert_eq!(first, ["Syncing false", "Syncing false", "Absent false"]);
    cluster.faults().clear();
    let then = said(&mut heard, "Live true").await;
    assert!(then.ends_with(&["[]", "Syncing true", "Live true"].map(String::from)));
}
