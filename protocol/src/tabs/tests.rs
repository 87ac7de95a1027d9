use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::connection::{Attempt, Command, Config, Connection, Input};
use crate::message::{Heartbeat, Message, Synced};
use crate::scope::Scope;

/// The length of a moment of the simulation, in milliseconds.
const TICK: u64 = 5;

/// What is on its way to a tab.
enum Coming {
    Step(Answer),
    News(News),
    Document(Attempt),
    Opened(Attempt),
    Synced(Attempt),
}

struct Page {
    seat: Seat,
    connection: Connection,
    coming: VecDeque<(u64, Coming)>,
    stream: Option<Attempt>,
    synced: bool,
    shown: bool,
}

/// A browser with its tabs, and a server that answers. All takes time, and each time another.
struct Browser {
    table: Table,
    pages: Vec<Page>,
    now: u64,
    random: u64,
    last_id: u64,
}

impl Browser {
    fn new(random: u64) -> Self {
        Self {
            table: Table::default(),
            pages: Vec::new(),
            now: 1_000,
            random,
            last_id: 0,
        }
    }

    fn clock(&self) -> Now {
        Now {
            mono_ms: self.now,
            wall_ms: 1_700_000_000_000 + self.now,
        }
    }

    fn after(&mut self, least: u64, most: u64) -> u64 {
        self.random = (self.random)
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        self.now + least + (self.random >> 33) % (most - least)
    }

    fn open(&mut self) {
        let config = Config {
            documents: true,
            shared: true,
            ..Config::default()
        };
        self.last_id += 1;
        let now = self.clock();
        let mut page = Page {
            seat: Seat::new(self.last_id),
            connection: Connection::new(config, self.last_id),
            coming: VecDeque::new(),
            stream: None,
            synced: false,
            shown: true,
        };
        page.seat.looked_at(now);
        page.connection.handle(Input::Start(Scope::All), now);
        self.pages.push(page);
    }

    fn look_at(&mut self, at: usize) {
        let now = self.clock();
        let page = &mut self.pages[at];
        page.shown = true;
        page.seat.looked_at(now);
        page.connection.handle(Input::Visible, now);
    }

    fn hide(&mut self, at: usize) {
        let now = self.clock();
        let page = &mut self.pages[at];
        page.shown = false;
        page.seat.hide();
        page.connection.handle(Input::Hidden, now);
    }

    /// The streams that the server knows.
    fn streams(&self) -> usize {
        self.pages
            .iter()
            .filter(|page| page.stream.is_some())
            .count()
    }

    /// How old a tab's rows are.
    fn age(&self, page: &Page) -> u64 {
        match page.connection.data_as_of_wall_ms() {
            _ if page.stream.is_some() && page.synced => 0,
            Some(at) => self.clock().wall_ms - at,
            None => u64::MAX,
        }
    }

    fn pass(&mut self, milliseconds: u64) {
        let end = self.now + milliseconds;
        while self.now < end {
            self.now += TICK;
            for at in 0..self.pages.len() {
                self.tick(at);
            }
            assert!(self.streams() <= PLACES, "{} streams", self.streams());
            assert!(self.table.taken() <= PLACES);
            let table = Table::decode(&self.table.encode());
            assert_eq!(table, self.table);
        }
    }

    fn tick(&mut self, at: usize) {
        let now = self.clock();
        let heartbeat = Message::Heartbeat(Heartbeat {
            time: String::new(),
        });
        let synced = Message::Synced(Synced {
            count: 0,
            pending: Vec::new(),
            pending_count: None,
        });
        let mut due = Vec::new();
        let page = &mut self.pages[at];
        page.coming.retain_mut(|(when, coming)| {
            let here = *when <= now.mono_ms;
            if here {
                due.push(std::mem::replace(coming, Coming::News(News::Free)));
            }
            !here
        });
        for coming in due {
            let page = &mut self.pages[at];
            let mut message = |attempt, message| {
                page.connection.handle(
                    Input::Message {
                        attempt,
                        message,
                        id: Some("1"),
                    },
                    now,
                );
            };
            match coming {
                Coming::Step(answer) => page.seat.end_step(Some(answer)),
                Coming::News(news) => page.seat.hear(news.word()),
                Coming::Document(attempt) => page.connection.handle(
                    Input::Snapshot {
                        attempt,
                        revision: Some("1"),
                    },
                    now,
                ),
                Coming::Opened(attempt) if page.stream == Some(attempt) => {
                    page.connection.handle(Input::Opened(attempt), now);
                }
                Coming::Synced(attempt) if page.stream == Some(attempt) => {
                    page.synced = true;
                    message(attempt, &synced);
                }
                Coming::Opened(_) | Coming::Synced(_) => {}
            }
        }
        let page = &mut self.pages[at];
        if let Some(attempt) = page
            .stream
            .filter(|_| page.synced && now.mono_ms.is_multiple_of(15_000))
        {
            page.connection.handle(
                Input::Message {
                    attempt,
                    message: &heartbeat,
                    id: Some("1"),
                },
                now,
            );
        }
        if let Some(place) = page.seat.place(now) {
            page.connection.handle(Input::Place(place), now);
        }
        page.connection.handle(Input::Timer, now);
        while let Some(command) = self.pages[at].connection.poll() {
            let (document, opened) = (self.after(5, 80), self.after(5, 60));
            let page = &mut self.pages[at];
            match command {
                Command::Fetch { attempt, .. } => {
                    page.coming.push_back((document, Coming::Document(attempt)));
                }
                Command::Open { attempt, .. } => {
                    page.stream = Some(attempt);
                    page.synced = false;
                    page.coming.push_back((opened, Coming::Opened(attempt)));
                    page.coming
                        .push_back((opened + 20, Coming::Synced(attempt)));
                }
                Command::Close(attempt) => {
                    if page.stream == Some(attempt) {
                        page.stream = None;
                    }
                }
            }
        }
        let page = &mut self.pages[at];
        page.seat.set_need(page.connection.need(), now);
        if let Some(ask) = page.seat.begin_step(now) {
            let answer = self.table.step(ask, now.wall_ms);
            let (told, heard) = (self.after(2, 30), self.after(2, 30));
            self.pages[at]
                .coming
                .push_back((told, Coming::Step(answer)));
            for (other, page) in self.pages.iter_mut().enumerate() {
                if let Some(news) = answer.news.filter(|_| other != at) {
                    page.coming.push_back((heard, Coming::News(news)));
                }
            }
        }
    }

    /// Each shown tab is current, and the one looked at last has a stream of its own.
    fn check(&self) {
        let shown = || self.pages.iter().filter(|page| page.shown);
        for page in shown() {
            let age = self.age(page);
            assert!(
                age <= 5_000,
                "the rows of {} are {age} ms old",
                page.seat.id
            );
        }
        for page in self.pages.iter().filter(|page| !page.shown) {
            assert_eq!(page.stream, None, "a hidden tab has a stream");
        }
        let last =
            shown().max_by_key(|page| (page.seat.looked_at_ms, std::cmp::Reverse(page.seat.id)));
        if let Some(last) = last {
            assert_eq!(last.seat.place, Some(Place::Own));
        }
        if shown().count() <= PLACES {
            assert!(shown().all(|page| page.stream.is_some()));
        }
    }
}

#[test]
fn places_are_shared_so_that_no_turn_takes_longer_than_the_data_may_be_old() {
    let of = |tabs| shares(tabs);
    assert_eq!(
        [of(0), of(4), of(5), of(9)],
        [(4, 0), (4, 0), (3, 1), (3, 1)]
    );
    assert_eq!(
        [of(10), of(14), of(15), of(99)],
        [(2, 2), (2, 2), (1, 3), (1, 3)]
    );
}

#[test]
fn four_tabs_have_streams_of_their_own_and_of_twenty_each_is_current() {
    for tabs in [1, 4, 5, 7, 12, 20] {
        let mut browser = Browser::new(tabs);
        for _ in 0..tabs {
            browser.open();
            browser.pass(100);
        }
        browser.pass(5_000);
        for _ in 0..30 {
            browser.check();
            browser.pass(500);
        }
    }
}

#[test]
fn a_tab_that_ends_without_a_word_is_forgotten_and_nobody_grows_old_meanwhile() {
    let mut browser = Browser::new(1);
    for _ in 0..4 {
        browser.open();
    }
    browser.pass(2_000);
    browser.pages.truncate(1);
    for _ in 0..4 {
        browser.open();
    }
    for _ in 0..30 {
        browser.pass(500);
        let ages = browser.pages.iter().map(|page| browser.age(page));
        assert!(ages.max() < Some(7_500));
    }
    assert_eq!(browser.table.tabs.len(), 5);
}

#[test]
fn where_there_is_no_table_a_tab_is_as_if_it_were_alone() {
    let now = |mono_ms| Now {
        mono_ms,
        wall_ms: mono_ms,
    };
    let need = Need {
        present: true,
        ready: true,
        uses: false,
    };
    let mut seat = Seat::new(1);
    seat.set_need(need, now(0));
    assert!(seat.begin_step(now(0)).is_some());
    seat.end_step(None);
    assert_eq!(seat.place(now(0)), Some(Place::Own));
    // Nor is a step waited for that never ends.
    let mut seat = Seat::new(1);
    seat.set_need(need, now(0));
    assert!(seat.begin_step(now(0)).is_some());
    assert_eq!(seat.place(now(STEP_LIMIT_MS - 1)), None);
    assert_eq!(seat.next_wakeup(now(0)), Some(STEP_LIMIT_MS));
    assert_eq!(seat.place(now(STEP_LIMIT_MS)), Some(Place::Own));
}

#[test]
fn what_is_no_table_is_an_empty_one() {
    for text in ["", "\n", "x", "1 2 3", "1 0 1 1 2 0 -1"] {
        assert_eq!(Table::decode(text), Table::default());
    }
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Open,
    LookAt(usize),
    Hide(usize),
    Kill(usize),
    Pass(u64),
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Open),
        3 => (0usize..20).prop_map(Event::LookAt),
        2 => (0usize..20).prop_map(Event::Hide),
        1 => (0usize..20).prop_map(Event::Kill),
        4 => (0u64..400).prop_map(Event::Pass),
        2 => (0u64..4_000).prop_map(Event::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// `Browser::pass` checks at every moment that there are no more streams than places.
    #[test]
    fn whatever_happened_each_shown_tab_is_current_again(
        random: u64,
        history in prop::collection::vec(events(), 0..40),
    ) {
        let mut browser = Browser::new(random);
        browser.open();
        for event in history {
            let count = browser.pages.len();
            match event {
                Event::Open if count < 20 => browser.open(),
                Event::LookAt(at) if at < count => browser.look_at(at),
                Event::Hide(at) if at < count => browser.hide(at),
                Event::Kill(at) if at < count => {
                    browser.pages.remove(at);
                }
                Event::Pass(milliseconds) => browser.pass(milliseconds),
                _ => {}
            }
        }
        browser.pass(LEASE_MS + 5_000);
        for _ in 0..10 {
            browser.check();
            browser.pass(500);
        }
    }
}
