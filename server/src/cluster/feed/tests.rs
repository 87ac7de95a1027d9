use simulator::{Effect, Fault, Operation};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::super::source::{INGRESSES, Role, Source};
use super::super::{Task, pulse};
use super::*;

const LIFE: Duration = Duration::from_secs(300);

fn status(code: u16) -> ApiError {
    ApiError::Status {
        url: String::new(),
        code,
        message: String::new(),
        retry_after: None,
    }
}

/// A watch from version 10.
fn course(version: u64, seconds: u64) -> Course {
    Course {
        from: 10,
        version,
        lived: Duration::from_secs(seconds),
        life: LIFE,
    }
}

fn next(course: Course, end: End, doubtful: bool) -> String {
    match after(&course, end, doubtful, "") {
        Ok(Step::List) => "list".into(),
        Ok(Step::Watch { from, broken }) => format!("watch {from} {broken}"),
        Err(Failure::Retry(_)) => "retry".into(),
        Err(Failure::Resume(from, _)) => format!("resume {from}"),
        Err(Failure::Relist(_)) => "relist".into(),
    }
}

#[test]
fn what_comes_after_a_watch() {
    let (closed, broken) = (|| End::Closed, || End::Broken(status(0)));
    let (silent, lost) = (|| End::Silent(status(0)), || End::Lost(status(410)));
    for (course, end, doubtful, expected) in [
        (course(12, 300), closed(), false, "watch 12 false"),
        (course(12, 60), closed(), false, "watch 12 true"),
        (course(10, 0), closed(), false, "watch 10 true"),
        (course(10, 0), closed(), true, "relist"),
        (course(11, 0), closed(), true, "watch 11 true"),
        (course(10, 5), closed(), true, "watch 10 true"),
        (course(12, 0), broken(), false, "watch 12 true"),
        (course(10, 9), broken(), false, "watch 10 true"),
        (course(10, 0), broken(), false, "retry"),
        (course(10, 0), broken(), true, "relist"),
        (course(12, 0), silent(), false, "resume 12"),
        (course(12, 300), lost(), false, "relist"),
    ] {
        let said = format!("{course:?} {end:?} {doubtful}");
        assert_eq!(next(course, end, doubtful), expected, "{said}");
    }
}

#[test]
fn a_short_life_is_settled_at_its_half() {
    let course = Course {
        life: Duration::from_secs(5),
        ..course(10, 4)
    };
    assert!(course.has_settled());
}

/// The pauses after watches that ended like this, one after the other.
fn pauses(course: Course, end: &End, error: &ApiError) -> Vec<u128> {
    let mut record = Record::default();
    let pause = |_| {
        record.watched(&course, end);
        record.delay(error).as_millis()
    };
    (0..8).map(pause).collect()
}

#[test]
fn lists_that_lead_nowhere_become_rare() {
    let gone = status(410);
    let lost = End::Lost(gone.clone());
    let grows = [0, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000];
    assert_eq!(pauses(course(10, 0), &lost, &gone), grows);
    // Nor is one change per list enough.
    assert_eq!(pauses(course(11, 0), &lost, &gone), grows);
    // After a watch that was good the list comes at once.
    assert_eq!(pauses(course(10, 60), &lost, &gone), [0; 8]);
}

#[test]
fn watches_with_nothing_in_them_are_doubted_until_one_is_good() {
    let mut record = Record::default();
    let mut doubt = |course, end| {
        record.watched(&course, &end);
        record.is_doubtful()
    };
    assert!(!doubt(course(10, 0), End::Closed));
    assert!(doubt(course(10, 0), End::Closed));
    assert!(doubt(course(10, 0), End::Lost(status(410))));
    assert!(!doubt(course(11, 0), End::Closed));
    doubt(course(10, 0), End::Closed);
    assert!(doubt(course(10, 1), End::Broken(status(0))));
    assert!(!doubt(course(10, 5), End::Closed));
}

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
