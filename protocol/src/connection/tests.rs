use proptest::prelude::*;

use super::*;
use crate::message::{Done, Heartbeat, Reset, Synced};

const MINUTE: u64 = 60_000;

fn reset() -> Message {
    Message::Reset(Reset { build: "b".into() })
}

fn synced() -> Message {
    Message::Synced(Synced::default())
}

fn heartbeat() -> Message {
    Message::Heartbeat(Heartbeat {
        time: String::new(),
    })
}

fn done(reason: DoneReason) -> Message {
    Message::Done(Done::new(reason))
}

fn scope(names: &str) -> Scope {
    Scope::parse([names], 50).unwrap()
}

/// A page with its clocks, that does what it is told and checks what must always hold.
struct Page {
    connection: Connection,
    now: Now,
    /// What is open: the attempt, the id it was opened with.
    open: Option<(Attempt, Option<String>)>,
    /// Whether it is a document.
    fetching: bool,
    starts: Vec<u64>,
}

impl Page {
    fn new(seed: u64) -> Self {
        Self::with(Config::default(), seed)
    }

    /// A page of a browser: it begins with a document, and shares places with others.
    fn sharing(seed: u64) -> Self {
        let config = Config {
            documents: true,
            shared: true,
            ..Config::default()
        };
        Self::with(config, seed)
    }

    fn with(config: Config, seed: u64) -> Self {
        let mut page = Self {
            connection: Connection::new(config, seed),
            now: Now {
                mono_ms: 500,
                wall_ms: 1_700_000_000_000,
            },
            open: None,
            fetching: false,
            starts: Vec::new(),
        };
        page.input(Input::Start(Scope::All));
        page
    }

    /// A page that has been live for long, resuming from id `1`.
    fn live(seed: u64) -> Self {
        let mut page = Self::new(seed);
        page.serve();
        page.quiet_minutes(2);
        assert_eq!(page.state(), State::Live);
        page
    }

    fn state(&self) -> State {
        self.connection.state()
    }

    fn attempt(&self) -> Attempt {
        self.open.as_ref().unwrap().0
    }

    fn id(&self) -> Option<&str> {
        self.open.as_ref().unwrap().1.as_deref()
    }

    fn input(&mut self, input: Input<'_>) {
        self.connection.handle(input, self.now);
        while let Some(command) = self.connection.poll() {
            match command {
                Command::Open {
                    attempt,
                    last_event_id,
                    ..
                } if self.fetching => {
                    assert_eq!(self.open.take(), Some((attempt, None)));
                    self.fetching = false;
                    self.open = Some((attempt, last_event_id));
                }
                Command::Fetch { attempt, .. } => {
                    assert!(self.open.is_none(), "two requests");
                    self.fetching = true;
                    self.open = Some((attempt, None));
                }
                Command::Open {
                    attempt,
                    last_event_id,
                    ..
                } => {
                    assert!(self.open.is_none(), "two streams");
                    if let Some(last) = self.starts.last() {
                        assert!(self.now.mono_ms >= last + 1_000, "starts too close");
                    }
                    self.starts.push(self.now.mono_ms);
                    self.open = Some((attempt, last_event_id));
                }
                Command::Close(attempt) => {
                    assert_eq!(self.open.take().unwrap().0, attempt);
                    self.fetching = false;
                }
            }
        }
        if matches!(
            self.state(),
            State::Live | State::Syncing | State::Stale { .. }
        ) {
            assert!(self.open.is_some(), "{:?} without a stream", self.state());
        }
        if let Some(due) = self.connection.next_wakeup() {
            assert!(
                due > self.now.mono_ms,
                "a timer that is due has been served"
            );
        }
    }

    fn message(&mut self, message: &Message, id: Option<&str>) {
        let attempt = self.attempt();
        self.input(Input::Message {
            attempt,
            message,
            id,
        });
    }

    /// The document that is being fetched comes.
    fn deliver(&mut self) {
        assert!(self.fetching);
        let attempt = self.attempt();
        // What comes next is a stream, or waits for one.
        let held = self.open.take();
        self.fetching = false;
        self.input(Input::Snapshot {
            attempt,
            revision: Some("e.9"),
        });
        assert!(held.is_some());
    }

    /// The server takes the stream that is being opened and brings it to its end of replay.
    fn serve(&mut self) {
        self.input(Input::Opened(self.attempt()));
        if self.id().is_none() {
            self.message(&reset(), Some("0"));
        }
        self.message(&synced(), Some("1"));
    }

    fn close(&mut self) {
        let (attempt, _) = self.open.take().unwrap();
        self.input(Input::Closed(attempt));
    }

    fn refuse(&mut self, status: u16, retry_after_ms: Option<u64>) {
        let (attempt, _) = self.open.take().unwrap();
        self.input(Input::Refused {
            attempt,
            status,
            retry_after_ms,
            title: "Too many streams",
        });
    }

    fn finish(&mut self, reason: DoneReason) {
        self.message(&done(reason), None);
    }

    fn pass(&mut self, milliseconds: u64) {
        self.now.mono_ms += milliseconds;
        self.now.wall_ms += milliseconds;
    }

    /// Serves the timer until so much time has passed.
    fn wait(&mut self, milliseconds: u64) {
        let end = self.now.mono_ms + milliseconds;
        while let Some(due) = self.connection.next_wakeup().filter(|due| *due <= end) {
            self.pass(due - self.now.mono_ms);
            self.input(Input::Timer);
        }
        self.pass(end - self.now.mono_ms);
    }

    /// Waits until a stream is opened; how long that took.
    fn until_open(&mut self) -> u64 {
        let from = self.now.mono_ms;
        while self.open.is_none() {
            let due = self.connection.next_wakeup().expect("something is due");
            self.pass(due - self.now.mono_ms);
            self.input(Input::Timer);
        }
        self.now.mono_ms - from
    }

    /// Nothing but heartbeats.
    fn quiet_minutes(&mut self, minutes: u64) {
        for _ in 0..minutes * 4 {
            self.wait(15_000);
            self.message(&heartbeat(), Some("1"));
        }
    }
}

/// Each test holds for these jitters.
fn seeds() -> impl Iterator<Item = u64> {
    0..50
}

#[test]
fn the_delays_are_those_of_the_documentation() {
    let config = Config::default();
    let delays: Vec<_> = (0..10).map(|n| config.delay_ms(n)).collect();
    assert_eq!(
        delays,
        [1, 2, 4, 8, 16, 30, 30, 30, 30, 30].map(|seconds| seconds * 1_000)
    );
    let config = Config {
        reconnect_interval_ms: 5_000,
        ..config
    };
    assert_eq!(config.delay_ms(2), 20_000);
    assert_eq!(config.delay_ms(u32::MAX), 30_000);
}

#[test]
fn ten_attempts_with_backoff_and_then_a_slow_probe() {
    for seed in seeds() {
        let mut page = Page::live(seed);
        page.close();
        for n in 0..10 {
            let documented = Config::default().delay_ms(n);
            let longest = if n == 0 {
                4 * documented
            } else {
                documented * 6 / 5
            };
            let State::Reconnecting { attempt, of, .. } = page.state() else {
                panic!("{:?}", page.state());
            };
            assert_eq!((attempt, of), (n + 1, 10));
            let waited = page.until_open();
            assert!((documented..=longest).contains(&waited), "{n}: {waited}");
            assert_eq!(page.id(), Some("1"));
            page.close();
        }
        let State::Offline {
            attempts,
            last_error,
            ..
        } = page.state()
        else {
            panic!("{:?}", page.state());
        };
        assert_eq!((attempts, last_error), (10, Failure::Unreachable));
        for _ in 0..3 {
            assert!((60_000..=72_000).contains(&page.until_open()));
            page.close();
            assert!(matches!(page.state(), State::Offline { .. }));
        }
        page.until_open();
        page.serve();
        assert_eq!(page.state(), State::Live);
    }
}

#[test]
fn the_first_delays_after_a_network_error_are_spread() {
    let mut waits: Vec<_> = seeds()
        .map(|seed| {
            let mut page = Page::live(seed);
            page.close();
            page.until_open()
        })
        .collect();
    waits.sort_unstable();
    assert!(
        waits[0] < 1_500 && waits[waits.len() - 1] > 3_500,
        "{waits:?}"
    );
}

#[test]
fn attempts_count_from_0_again_at_the_first_message_after_synced() {
    let mut page = Page::live(1);
    page.close();
    page.until_open();
    page.close();
    page.until_open();
    page.serve();
    page.close();
    let attempt = |page: &Page| match page.state() {
        State::Reconnecting { attempt, .. } => attempt,
        other => panic!("{other:?}"),
    };
    assert_eq!(attempt(&page), 3, "synced alone does not reset");
    page.until_open();
    page.serve();
    page.message(&heartbeat(), None);
    page.close();
    assert_eq!(attempt(&page), 1);
}

#[test]
fn a_planned_end_is_no_failure_and_resumes() {
    let cases = [
        (DoneReason::Timeout, 0..=2_000),
        (DoneReason::Draining, 500..=3_000),
        (DoneReason::Resync, 0..=0),
        (DoneReason::SlowConsumer, 1_000..=1_200),
        (DoneReason::Other, 0..=2_000),
    ];
    for (reason, delays) in cases {
        for seed in seeds() {
            let mut page = Page::live(seed);
            page.finish(reason);
            match page.state() {
                State::Draining { .. } => assert_eq!(reason, DoneReason::Draining),
                State::Reconnecting { attempt, .. } => assert_eq!(attempt, 0),
                // At once.
                other => panic!("{other:?}"),
            }
            let waited = page.until_open();
            assert!(delays.contains(&waited), "{reason:?}: {waited}");
            assert_eq!(page.id(), Some("1"));
        }
    }
}

#[test]
fn a_young_stream_that_is_done_counts_as_a_failure() {
    for reason in [
        DoneReason::Timeout,
        DoneReason::Resync,
        DoneReason::SlowConsumer,
    ] {
        let mut page = Page::new(1);
        for n in 0..10 {
            page.serve();
            page.finish(reason);
            assert!(page.until_open() >= Config::default().delay_ms(n));
        }
        page.finish_unsynced(reason);
        assert!(matches!(page.state(), State::Offline { .. }), "{reason:?}");
    }
}

impl Page {
    fn finish_unsynced(&mut self, reason: DoneReason) {
        self.input(Input::Opened(self.attempt()));
        self.finish(reason);
    }
}

#[test]
fn while_the_server_restarts_nothing_is_counted() {
    for seed in seeds() {
        let mut page = Page::live(seed);
        page.finish(DoneReason::Draining);
        let announced = page.now.mono_ms;
        page.until_open();
        while page.now.mono_ms < announced + 30_000 {
            page.refuse(503, None);
            assert!(matches!(page.state(), State::Draining { .. }));
            page.until_open();
        }
        page.close();
        assert!(matches!(
            page.state(),
            State::Reconnecting { attempt: 1, .. }
        ));
    }
}

#[test]
fn a_restart_that_is_announced_to_a_young_stream_is_no_failure_but_a_habit_is() {
    for seed in seeds() {
        let mut page = Page::new(seed);
        page.serve();
        page.finish(DoneReason::Draining);
        let announced = page.now.mono_ms;
        while page.now.mono_ms < announced + 30_000 {
            assert!(matches!(page.state(), State::Draining { .. }));
            page.until_open();
            page.serve();
            page.finish(DoneReason::Draining);
        }
        page.until_open();
        page.serve();
        page.finish(DoneReason::Draining);
        assert!(matches!(page.state(), State::Reconnecting { .. }));
    }
}

#[test]
fn an_attempt_says_since_when_it_waits_for_an_answer() {
    let mut page = Page::live(1);
    page.close();
    page.until_open();
    let asked = page.now.mono_ms;
    page.wait(13_000);
    let State::Reconnecting { attempt, next, .. } = page.state() else {
        panic!("{:?}", page.state());
    };
    assert_eq!((attempt, next), (1, Next::Asked(asked)));
}

#[test]
fn a_document_comes_before_any_place_and_the_stream_resumes_from_it() {
    let mut page = Page::sharing(1);
    assert!(!page.connection.need().ready);
    assert_eq!(page.state(), State::Connecting);
    page.deliver();
    assert!(page.open.is_none() && page.connection.need().ready);
    page.input(Input::Place(Place::Own));
    assert_eq!(page.id(), Some("e.9"));
    page.serve();
    assert_eq!(page.state(), State::Live);
    // Where the rows are not known the stream says why.
    let mut page = Page::sharing(1);
    page.input(Input::Place(Place::Own));
    let (attempt, _) = page.open.take().unwrap();
    page.fetching = false;
    page.input(Input::Refused {
        attempt,
        status: 503,
        retry_after_ms: None,
        title: "Starting",
    });
    assert_eq!(page.id(), None);
    page.serve();
    assert_eq!(page.state(), State::Live);
}

#[test]
fn a_turn_ends_at_synced_and_comes_again_from_there() {
    let mut page = Page::sharing(1);
    page.deliver();
    page.input(Input::Place(Place::None));
    assert_eq!(page.state(), State::Turns);
    for id in ["e.9", "1", "1"] {
        page.input(Input::Place(Place::Turn));
        assert_eq!(page.id(), Some(id));
        page.serve();
        assert!(page.open.is_none(), "the place is for the others");
        assert_eq!(page.connection.data_as_of_wall_ms(), Some(page.now.wall_ms));
        page.input(Input::Place(Place::None));
        page.wait(2_499);
        assert!(!page.connection.need().ready);
        page.wait(1);
        assert!(page.connection.need().ready && page.open.is_none());
        assert_eq!(page.state(), State::Turns);
    }
    page.input(Input::Place(Place::Own));
    page.serve();
    assert_eq!(page.state(), State::Live);
    page.input(Input::Place(Place::None));
    assert!(page.open.is_none());
    assert_eq!(page.state(), State::Turns);
}

#[test]
fn a_turn_that_fails_counts_like_any_other_and_one_that_does_not_counts_from_0_again() {
    let mut page = Page::sharing(1);
    page.deliver();
    for attempt in 1..=10 {
        page.input(Input::Place(Place::Turn));
        page.close();
        page.input(Input::Place(Place::None));
        assert!(
            matches!(page.state(), State::Reconnecting { attempt: n, .. } if n == attempt),
            "{attempt}: {:?}",
            page.state()
        );
        page.wait(40_000);
    }
    // Nobody answers, and others wait.
    page.input(Input::Place(Place::Turn));
    page.wait(10_000);
    assert!(matches!(page.state(), State::Offline { .. }));
    page.input(Input::Place(Place::None));
    page.wait(80_000);
    page.input(Input::Place(Place::Turn));
    page.serve();
    assert_eq!(page.state(), State::Turns);
    page.wait(3_000);
    page.input(Input::Place(Place::Turn));
    page.close();
    assert!(matches!(
        page.state(),
        State::Reconnecting { attempt: 1, .. }
    ));
}

#[test]
fn a_wrong_count_at_the_end_of_a_turn_starts_again_with_a_document() {
    let mut page = Page::sharing(1);
    page.deliver();
    page.input(Input::Place(Place::Turn));
    let attempt = page.attempt();
    page.serve();
    page.input(Input::CountMismatch(attempt));
    page.wait(1_000);
    assert!(page.fetching);
}

#[test]
fn a_tab_that_nobody_looks_at_asks_for_nothing() {
    let config = Config {
        documents: true,
        shared: true,
        ..Config::default()
    };
    let mut connection = Connection::new(config, 1);
    let now = Now::default();
    connection.handle(Input::Hidden, now);
    connection.handle(Input::Start(Scope::All), now);
    assert_eq!((connection.poll(), connection.next_wakeup()), (None, None));
    assert_eq!(connection.need(), Need::default());
    connection.handle(Input::Visible, now);
    assert!(matches!(connection.poll(), Some(Command::Fetch { .. })));
}

#[test]
fn who_is_not_allowed_stops() {
    let stops: [fn(&mut Page); 3] = [
        |page| page.refuse(401, None),
        |page| page.refuse(403, None),
        |page| {
            page.serve();
            page.finish(DoneReason::Unauthorized);
        },
    ];
    for stop in stops {
        let mut page = Page::new(1);
        stop(&mut page);
        assert!(matches!(page.state(), State::Stopped(_)));
        page.input(Input::Online);
        page.input(Input::Visible);
        assert_eq!(page.connection.next_wakeup(), None);
        page.pass(1_000);
        page.input(Input::RetryNow);
        assert!(page.open.is_some(), "the button tries again");
    }
}

#[test]
fn retry_after_is_obeyed_by_all_but_the_button() {
    let mut page = Page::new(1);
    page.refuse(429, Some(120_000));
    page.pass(5_000);
    page.input(Input::Visible);
    page.input(Input::Online);
    let waited = 5_000 + page.until_open();
    assert!((120_000..=144_000).contains(&waited), "{waited}");
    page.refuse(503, Some(120_000));
    page.pass(5_000);
    page.input(Input::RetryNow);
    assert!(page.open.is_some());
}

#[test]
fn a_stream_cut_before_synced_is_followed_by_a_fresh_one() {
    let mut page = Page::live(1);
    page.close();
    page.until_open();
    assert_eq!(page.id(), Some("1"));
    page.close();
    page.until_open();
    assert_eq!(page.id(), Some("1"), "no stream was opened");
    page.input(Input::Opened(page.attempt()));
    page.message(&heartbeat(), Some("5"));
    page.close();
    page.until_open();
    assert_eq!(page.id(), None);
}

#[test]
fn reset_voids_the_id_and_none_is_taken_until_synced() {
    let mut page = Page::live(1);
    page.close();
    page.until_open();
    page.input(Input::Opened(page.attempt()));
    page.message(&reset(), Some("0"));
    page.message(&heartbeat(), Some("7"));
    page.close();
    page.until_open();
    assert_eq!(page.id(), None);
    page.serve();
    page.message(&heartbeat(), Some("8"));
    page.message(&heartbeat(), None);
    page.close();
    page.until_open();
    assert_eq!(page.id(), Some("8"));
}

#[test]
fn a_snapshots_revision_is_where_the_stream_resumes() {
    let mut page = Page::sharing(1);
    page.input(Input::Place(Place::Own));
    page.deliver();
    page.refuse(503, None);
    page.until_open();
    assert_eq!(page.id(), Some("e.9"));
}

#[test]
fn another_scope_starts_afresh_and_old_events_are_ignored() {
    let mut page = Page::live(1);
    let old = page.attempt();
    page.input(Input::SetScope(scope("shop")));
    assert_eq!(page.id(), None);
    assert_eq!(page.state(), State::Connecting);
    page.input(Input::Closed(old));
    page.input(Input::Opened(old));
    page.input(Input::CountMismatch(old));
    assert_eq!(page.state(), State::Connecting);
    page.input(Input::SetScope(scope("blog")));
    assert!(page.open.is_none(), "starts are spaced");
    assert_eq!(page.until_open(), 1_000);
}

#[test]
fn silence_is_said_and_ends_by_itself() {
    for seed in seeds() {
        let mut page = Page::live(seed);
        let last = page.now;
        let streams = page.starts.len();
        page.wait(60_000);
        assert_eq!(page.state(), State::Live);
        assert_eq!(page.connection.data_as_of_wall_ms(), Some(last.wall_ms));
        while page.state() == State::Live {
            let due = page.connection.next_wakeup().unwrap();
            page.pass(due - page.now.mono_ms);
            page.input(Input::Timer);
        }
        assert_eq!(page.now.mono_ms - last.mono_ms, 60_001);
        let State::Stale { since_wall_ms, .. } = page.state() else {
            panic!("{:?}", page.state());
        };
        assert_eq!(since_wall_ms, last.wall_ms);
        page.wait(4_000);
        assert_eq!(page.starts.len(), streams + 1);
        assert_eq!(page.id(), Some("1"));
    }
}

#[test]
fn a_message_after_all_makes_a_stale_stream_live() {
    let mut page = Page::live(1);
    page.pass(90_000);
    page.input(Input::Timer);
    assert!(matches!(page.state(), State::Stale { .. }));
    page.message(&heartbeat(), None);
    assert_eq!(page.state(), State::Live);
}

#[test]
fn sleep_is_noticed_by_the_wall_clock() {
    let mut page = Page::live(1);
    page.now.mono_ms += 10;
    page.now.wall_ms += 10 * MINUTE;
    page.input(Input::Timer);
    assert!(matches!(page.state(), State::Stale { .. }));
}

#[test]
fn a_tab_that_becomes_visible_looks_at_once() {
    let mut page = Page::live(1);
    page.pass(61_000);
    let streams = page.starts.len();
    page.input(Input::Visible);
    assert_eq!(page.starts.len(), streams + 1);
}

#[test]
fn an_answer_that_never_comes_is_a_failure() {
    let mut page = Page::new(1);
    page.wait(15_000);
    assert!(matches!(
        page.state(),
        State::Reconnecting { attempt: 1, .. }
    ));
}

#[test]
fn a_tab_hidden_for_seconds_closes_and_resumes_when_shown() {
    let mut page = Page::live(1);
    page.input(Input::Hidden);
    page.wait(4_999);
    assert_eq!(page.state(), State::Live);
    page.wait(1);
    assert_eq!(page.state(), State::Hidden);
    assert!(page.open.is_none());
    assert_eq!(page.connection.next_wakeup(), None);
    page.input(Input::Visible);
    assert_eq!(page.id(), Some("1"));
}

#[test]
fn a_page_put_away_closes_and_resumes() {
    let mut page = Page::live(1);
    page.input(Input::PageHide);
    assert!(page.open.is_none());
    assert_eq!(page.state(), State::Closed);
    page.input(Input::SetScope(scope("shop")));
    page.input(Input::Visible);
    page.input(Input::RetryNow);
    assert!(page.open.is_none());
    page.input(Input::PageShow);
    assert!(page.open.is_some());
}

#[test]
fn hope_ends_the_wait() {
    for hope in [Input::Online, Input::Visible, Input::RetryNow] {
        let mut page = Page::live(1);
        page.input(Input::Offline);
        page.close();
        for _ in 0..10 {
            page.until_open();
            page.close();
        }
        let State::Offline { last_error, .. } = page.state() else {
            panic!("{:?}", page.state());
        };
        assert_eq!(last_error, Failure::NoNetwork);
        page.pass(1_000);
        page.input(hope);
        assert!(page.open.is_some());
        assert!(matches!(
            page.state(),
            State::Reconnecting { attempt: 1, .. }
        ));
    }
}

#[test]
fn a_wrong_count_starts_again_without_id_at_once_and_then_slower() {
    let mut page = Page::live(1);
    let mut waits = Vec::new();
    for _ in 0..5 {
        page.input(Input::CountMismatch(page.attempt()));
        waits.push(page.until_open());
        assert_eq!(page.id(), None);
        page.serve();
    }
    assert_eq!(waits[0], 0);
    assert!(waits[4] >= 8_000, "{waits:?}");
    assert_eq!(page.connection.count_mismatches(), 5);
}

#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    Sleep(u64),
    WallJump(i64),
    Answer,
    Refuse(u16, Option<u64>),
    Close,
    Mismatch,
    Garbage,
    Message(Message, Option<&'static str>),
    Late(Message),
    SetScope(&'static str),
    Page(Input<'static>),
}

fn messages() -> impl Strategy<Value = Message> {
    prop_oneof![
        3 => Just(heartbeat()),
        2 => Just(synced()),
        1 => Just(reset()),
        1 => prop::sample::select(vec![
            DoneReason::Timeout,
            DoneReason::Draining,
            DoneReason::SlowConsumer,
            DoneReason::Resync,
            DoneReason::Other,
        ])
        .prop_map(done),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u64..100_000).prop_map(Step::Pass),
        4 => (0u64..3_000).prop_map(Step::Pass),
        1 => (0u64..1_000_000).prop_map(Step::Sleep),
        1 => (-100_000i64..100_000).prop_map(Step::WallJump),
        6 => Just(Step::Answer),
        2 => (prop::sample::select(vec![400, 421, 429, 500, 503]), prop::option::of(0u64..100_000))
            .prop_map(|(status, retry_after)| Step::Refuse(status, retry_after)),
        3 => Just(Step::Close),
        1 => Just(Step::Mismatch),
        1 => Just(Step::Garbage),
        6 => (messages(), prop::sample::select(vec![None, Some("0"), Some("3"), Some("")]))
            .prop_map(|(message, id)| Step::Message(message, id)),
        1 => messages().prop_map(Step::Late),
        1 => prop::sample::select(vec!["", "a", "a,b"]).prop_map(Step::SetScope),
        3 => prop::sample::select(vec![
            Input::Online,
            Input::Offline,
            Input::Visible,
            Input::Hidden,
            Input::RetryNow,
            Input::PageHide,
            Input::PageShow,
            Input::Timer,
        ])
        .prop_map(Step::Page),
    ]
}

impl Page {
    fn step(&mut self, step: Step) {
        match (step, self.open.is_some()) {
            (Step::Pass(milliseconds), _) => self.wait(milliseconds),
            (Step::Sleep(milliseconds), _) => self.now.wall_ms += milliseconds,
            (Step::WallJump(by), _) => {
                self.now.wall_ms = self.now.wall_ms.saturating_add_signed(by);
            }
            (Step::Answer, true) => self.input(Input::Opened(self.attempt())),
            (Step::Refuse(status, retry_after), true) => self.refuse(status, retry_after),
            (Step::Close, true) => self.close(),
            (Step::Mismatch, true) => self.input(Input::CountMismatch(self.attempt())),
            (Step::Garbage, true) => self.input(Input::Invalid(self.attempt())),
            (Step::Message(message, id), true) => self.message(&message, id),
            (Step::Late(message), _) => self.input(Input::Message {
                attempt: Attempt(0),
                message: &message,
                id: Some("late"),
            }),
            (Step::SetScope(names), _) => self.input(Input::SetScope(scope(names))),
            (Step::Page(input), _) => self.input(input),
            (_, false) => {}
        }
        if let Some((_, Some(id))) = &self.open {
            assert!(id == "1" || id == "3", "{id:?} is no id");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// `Page::input` checks after every input: at most one stream, starts at least 1 s apart,
    /// never live without a stream, no timer left that is due.
    #[test]
    fn whatever_happened_a_shown_page_with_a_reachable_server_is_live_again(
        seed: u64,
        history in prop::collection::vec(steps(), 0..60),
    ) {
        let mut page = Page::new(seed);
        for step in history {
            page.step(step);
        }
        page.input(Input::PageShow);
        page.input(Input::Visible);
        // The longest wait: a probe's, or what a `Retry-After` of the history asked for.
        let end = page.now.mono_ms + 130_000 + 100_000;
        while page.now.mono_ms < end {
            match page.state() {
                State::Live => page.message(&heartbeat(), Some("1")),
                State::Syncing => page.message(&synced(), Some("1")),
                _ if page.open.is_some() => page.serve(),
                _ => {}
            }
            page.wait(5_000);
        }
        prop_assert_eq!(page.state(), State::Live);
    }

    #[test]
    fn the_same_seed_and_inputs_give_the_same_starts(
        seed: u64,
        history in prop::collection::vec(steps(), 0..40),
    ) {
        let run = || {
            let mut page = Page::new(seed);
            for step in history.clone() {
                page.step(step);
            }
            page.starts
        };
        prop_assert_eq!(run(), run());
    }
}

#[test]
fn a_scope_of_no_namespace_asks_for_nothing_until_there_is_another() {
    let nothing = || Scope::Namespaces([].into());
    let mut page = Page::live(1);
    page.input(Input::SetScope(nothing()));
    assert_eq!((page.state(), page.open.is_some()), (State::Idle, false));
    let starts = page.starts.len();
    for input in [
        Input::RetryNow,
        Input::Online,
        Input::Hidden,
        Input::Visible,
        Input::PageHide,
        Input::PageShow,
        Input::SetScope(nothing()),
        Input::Timer,
    ] {
        page.input(input);
        assert!(page.open.is_none());
    }
    page.wait(120_000);
    assert_eq!((page.state(), page.starts.len()), (State::Idle, starts));
    assert_eq!(page.connection.next_wakeup(), None);
    assert!(
        !page.connection.need().present,
        "its place is for the others"
    );

    page.input(Input::SetScope(Scope::All));
    page.wait(2_000);
    assert!(page.open.is_some());
}

#[test]
fn a_page_that_starts_with_no_namespace_asks_for_nothing() {
    let mut connection = Connection::new(Config::default(), 1);
    let now = Now::default();
    connection.handle(Input::Start(Scope::Namespaces([].into())), now);
    assert_eq!((connection.state(), connection.poll()), (State::Idle, None));
}
