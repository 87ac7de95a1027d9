//! Which tabs of a browser have a stream.
//!
//! Over HTTP/1.1 a browser opens six connections to a server, whatever the number of its tabs: six
//! streams, and nothing else loads. So all tabs together have [`PLACES`] of them. The tabs that are
//! shown share a small [`Table`], which one at a time reads, changes and writes ([`Table::step`]).
//! With few tabs each has a place of its own. With more, those looked at last have, and the others
//! take turns in what is left: a turn is a stream that resumes, reads what was missed and ends.
//!
//! [`Seat`] is one tab's side: it says when a step is due and what place the tab has. Like the
//! connection it has no clock and does no I/O. A tab that ends without a word is forgotten after
//! [`LEASE_MS`], sooner where another wants its place. Where the table cannot be had each tab acts as if it were alone.

use std::fmt::Write;

use crate::connection::Now;

/// The streams of all tabs of a browser together.
pub const PLACES: usize = 4;
/// A tab that has not written for so long is gone, in milliseconds.
pub const LEASE_MS: u64 = 10_000;
/// One that has a place which another waits for.
const WANTED_LEASE_MS: u64 = 6_000;
/// A tab writes at least so often,
const RENEW_MS: u64 = 2_000;
/// and while it is in a turn.
const RENEW_TURN_MS: u64 = 1_000;
/// How often a tab asks that waits for a place. It is also told.
const ASK_MS: u64 = 400;
/// Who has asked within this time is waiting.
const WAITING_MS: u64 = 1_000;
/// How long after a stream was closed its place is given away: until the server knows.
const COOL_MS: u64 = 150;
/// A step that takes longer than this is as good as none.
const STEP_LIMIT_MS: u64 = 10_000;
/// So many tabs can take turns in one place without any of them becoming old.
const TAKERS_OF_A_PLACE: usize = 6;

/// What a tab has of the [`PLACES`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// None.
    #[default]
    None,
    /// One, until it has read what it missed.
    Turn,
    /// One of its own.
    Own,
}

/// What a tab wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Whether it wants a stream at all: a hidden page does not.
    pub present: bool,
    /// Whether it would open one at once.
    pub ready: bool,
    /// Whether it has one, or is opening it.
    pub uses: bool,
}

/// One tab in the table. Times are the wall clock's, which all tabs share.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tab {
    id: u64,
    hidden: bool,
    looked_at_ms: u64,
    renewed_ms: u64,
    place: Place,
    /// When it last asked for a place and got none; 0: it has what it wants.
    asked_ms: u64,
    /// When its last stream ended.
    served_ms: u64,
}

impl Tab {
    fn is_there(&self, now_ms: u64, wanted: bool) -> bool {
        let lease = match self.place {
            Place::Turn | Place::Own if wanted => WANTED_LEASE_MS,
            _ => LEASE_MS,
        };
        // Also where the clock was set back.
        self.renewed_ms.abs_diff(now_ms) < lease
    }

    /// The order in which tabs have places of their own.
    fn rank(&self) -> impl Ord + use<> {
        (self.hidden, std::cmp::Reverse(self.looked_at_ms), self.id)
    }
}

/// What a tab says in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    id: u64,
    hidden: bool,
    looked_at_ms: u64,
    need: Need,
}

/// What the others are to be told of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Tabs came, went or were looked at: everybody looks.
    Order,
    /// A place is free: those look who wait for one.
    Free,
}

impl News {
    /// As tabs tell each other.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Free => "free",
        }
    }
}

/// What comes of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What the tab has. Where it is less than it had, its stream is to be closed; until it says so
    /// the place is taken.
    pub place: Place,
    /// How many tabs there are that want a stream.
    pub tabs: usize,
    /// How many of the places are taken.
    pub taken: usize,
    /// What the others are to be told.
    pub news: Option<News>,
}

/// What the tabs of a browser know of each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    tabs: Vec<Tab>,
}

/// How many places are owned and how many are for turns, with so many tabs.
fn shares(tabs: usize) -> (usize, usize) {
    if tabs <= PLACES {
        return (PLACES, 0);
    }
    let turns = (1..PLACES)
        .find(|turns| tabs - (PLACES - turns) <= turns * TAKERS_OF_A_PLACE)
        .unwrap_or(PLACES - 1);
    (PLACES - turns, turns)
}

impl Table {
    /// Reads what [`Table::encode`] wrote. A line that cannot be read is a tab less.
    #[must_use]
    pub fn decode(text: &str) -> Self {
        let tabs = text.lines().filter_map(|line| {
            let mut numbers = line.split(' ').map_while(|word| word.parse::<u64>().ok());
            let mut next = || numbers.next();
            Some(Tab {
                id: next()?,
                hidden: next()? != 0,
                looked_at_ms: next()?,
                renewed_ms: next()?,
                place: match next()? {
                    0 => Place::None,
                    1 => Place::Turn,
                    _ => Place::Own,
                },
                asked_ms: next()?,
                served_ms: next()?,
            })
        });
        Self {
            tabs: tabs.collect(),
        }
    }

    /// As one text, a line for each tab.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        for tab in &self.tabs {
            let _ = writeln!(
                text,
                "{} {} {} {} {} {} {}",
                tab.id,
                u8::from(tab.hidden),
                tab.looked_at_ms,
                tab.renewed_ms,
                tab.place as u8,
                tab.asked_ms,
                tab.served_ms
            );
        }
        text
    }

    /// One tab tells what it wants and is told what it has. `now_ms` is the wall clock.
    pub fn step(&mut self, ask: Ask, now_ms: u64) -> Answer {
        let at = self.tabs.iter().position(|tab| tab.id == ask.id);
        let before = at.map(|at| self.tabs.swap_remove(at));
        let known = self.tabs.len();
        let wanted = before.as_ref().is_none_or(|before| before.asked_ms > 0);
        self.tabs.retain(|tab| tab.is_there(now_ms, wanted));
        let mut order = known != self.tabs.len();
        if !ask.need.present && !ask.need.uses {
            return Answer {
                place: Place::None,
                tabs: self.tabs.len(),
                taken: self.taken(),
                news: (order || before.is_some()).then_some(News::Order),
            };
        }
        let mut me = before.clone().unwrap_or(Tab {
            id: ask.id,
            hidden: ask.hidden,
            looked_at_ms: ask.looked_at_ms,
            renewed_ms: now_ms,
            place: Place::None,
            asked_ms: 0,
            served_ms: 0,
        });
        me.hidden = ask.hidden;
        me.looked_at_ms = ask.looked_at_ms;
        me.renewed_ms = now_ms;
        me.served_ms = me.served_ms.min(now_ms);
        order |= before
            .as_ref()
            .is_none_or(|before| before.rank() != me.rank());

        let taken = self.taken();
        let (own, turns) = shares(self.tabs.len() + 1);
        let owns = self.count(|tab| tab.rank() < me.rank()) < own;
        let had = me.place;
        if !ask.need.uses && !owns && had != Place::None {
            me.place = Place::None;
            me.served_ms = now_ms;
        }
        if owns && (had == Place::Turn || (me.place == Place::None && taken < PLACES)) {
            me.place = Place::Own;
        }
        let freed = had != Place::None && me.place == Place::None;
        if !owns && !freed && me.place == Place::None && ask.need.ready {
            let taking = self.count(|tab| tab.place == Place::Turn);
            let free = turns.saturating_sub(taking).min(PLACES - taken.min(PLACES));
            let ahead = self.count(|tab| {
                tab.place == Place::None
                    && tab.asked_ms.abs_diff(now_ms) < WAITING_MS
                    && (tab.served_ms, tab.id) < (me.served_ms, me.id)
            });
            if ahead < free {
                me.place = Place::Turn;
            }
        }
        let waits = me.place == Place::None && (ask.need.ready || owns);
        me.asked_ms = if waits { now_ms } else { 0 };
        let place = match me.place {
            // Another is to have it: the stream goes first.
            Place::Own if !owns => Place::None,
            place => place,
        };
        self.tabs.push(me);
        Answer {
            place,
            tabs: self.tabs.len(),
            taken: self.taken(),
            news: match (order, freed) {
                (true, _) => Some(News::Order),
                (false, true) => Some(News::Free),
                (false, false) => None,
            },
        }
    }

    fn taken(&self) -> usize {
        self.count(|tab| tab.place != Place::None)
    }

    fn count(&self, is: impl Fn(&Tab) -> bool) -> usize {
        self.tabs.iter().filter(|tab| is(tab)).count()
    }
}

/// One tab's side of the table.
#[derive(Clone, Debug)]
pub struct Seat {
    id: u64,
    hidden: bool,
    looked_at_ms: u64,
    need: Need,
    /// The stream that was closed last is still counted until then, on the monotonic clock.
    cool_until_ms: u64,
    /// Whether a stream was closed and its place not given back.
    gives_back: bool,
    /// What was said last; `None`: nothing that counts.
    told: Option<Ask>,
    told_ms: u64,
    /// Since when a step is under way.
    stepping_since_ms: Option<u64>,
    /// Whether there is reason to look at the table.
    poked: bool,
    /// What the tab has; `None` until that is known.
    place: Option<Place>,
    answer: Option<Answer>,
}

impl Seat {
    /// A tab that has asked for nothing. `id` is unlike that of any other tab.
    #[must_use]
    pub fn new(id: u64) -> Self {
        Self {
            id,
            hidden: false,
            looked_at_ms: 0,
            need: Need::default(),
            cool_until_ms: 0,
            gives_back: false,
            told: None,
            told_ms: 0,
            stepping_since_ms: None,
            poked: false,
            place: None,
            answer: None,
        }
    }

    /// The tab has the person's attention.
    pub fn looked_at(&mut self, now: Now) {
        self.hidden = false;
        self.looked_at_ms = now.wall_ms;
    }

    /// The tab is hidden.
    pub fn hide(&mut self) {
        self.hidden = true;
    }

    /// What the connection needs by now.
    pub fn set_need(&mut self, need: Need, now: Now) {
        if self.need.uses && !need.uses {
            self.cool_until_ms = now.mono_ms + COOL_MS;
            self.gives_back = true;
            if self.place == Some(Place::Turn) {
                // It is for one stream.
                self.place = Some(Place::None);
            }
        }
        self.need = need;
    }

    /// Another tab has told something.
    pub fn hear(&mut self, word: &str) {
        let waits = self.need.ready && self.place == Some(Place::None);
        self.poked |= word == News::Order.word() || (waits && word == News::Free.word());
    }

    /// Begins a step, if one is due: what to say in it. [`Seat::end_step`] has to follow.
    pub fn begin_step(&mut self, now: Now) -> Option<Ask> {
        if self.stepping_since_ms.is_some() || !self.is_due(now.mono_ms) {
            return None;
        }
        let ask = self.ask(now.mono_ms);
        self.stepping_since_ms = Some(now.mono_ms);
        self.told = Some(ask);
        self.told_ms = now.mono_ms;
        self.poked = false;
        self.gives_back &= ask.need.uses;
        if !ask.need.present {
            // What it had it has no more.
            self.place = None;
        }
        Some(ask)
    }

    /// A step is over; `None`: the table cannot be had.
    pub fn end_step(&mut self, answer: Option<Answer>) {
        self.stepping_since_ms = None;
        let left = self.told.is_none_or(|told| !told.need.present);
        let place = answer.map_or(Place::Own, |answer| answer.place);
        self.place = (!left).then_some(place);
        self.answer = answer;
    }

    /// What the tab has; `None` until that is known.
    #[must_use]
    pub fn place(&self, now: Now) -> Option<Place> {
        match self.stepping_since_ms {
            // Nobody answers: as if there were no others.
            Some(since) if now.mono_ms >= since + STEP_LIMIT_MS => Some(Place::Own),
            _ => self.place,
        }
    }

    /// The last answer, where there was one.
    #[must_use]
    pub fn answer(&self) -> Option<Answer> {
        self.answer
    }

    /// When to come back, on the monotonic clock.
    #[must_use]
    pub fn next_wakeup(&self, now: Now) -> Option<u64> {
        match self.stepping_since_ms {
            Some(since) => Some(since + STEP_LIMIT_MS).filter(|at| *at > now.mono_ms),
            None => self.due_at(now.mono_ms).map(|at| at.max(now.mono_ms)),
        }
    }

    fn ask(&self, now_ms: u64) -> Ask {
        Ask {
            id: self.id,
            hidden: self.hidden,
            looked_at_ms: self.looked_at_ms,
            need: Need {
                uses: self.need.uses || now_ms < self.cool_until_ms,
                ..self.need
            },
        }
    }

    fn is_due(&self, now_ms: u64) -> bool {
        self.due_at(now_ms).is_some_and(|at| at <= now_ms)
    }

    fn due_at(&self, now_ms: u64) -> Option<u64> {
        let ask = self.ask(now_ms);
        let Some(told) = self.told else {
            return ask.need.present.then_some(now_ms);
        };
        if self.poked && (ask.need.present || told.need.present) {
            return Some(now_ms);
        }
        // Who is ready says so only where that can change something.
        let waits = ask.need.ready && self.place == Some(Place::None);
        let changed = ask.need.present != told.need.present
            || (ask.hidden, ask.looked_at_ms) != (told.hidden, told.looked_at_ms)
            || (self.gives_back && !ask.need.uses)
            || (waits && !told.need.ready);
        if changed {
            return Some(now_ms);
        }
        if !ask.need.present && !ask.need.uses {
            return None;
        }
        let renew = match self.place {
            Some(Place::None) if waits => ASK_MS,
            Some(Place::Turn) => RENEW_TURN_MS,
            _ => RENEW_MS,
        };
        let mut due = self.told_ms + renew;
        if now_ms < self.cool_until_ms {
            due = due.min(self.cool_until_ms);
        }
        Some(due)
    }
}

#[cfg(test)]
mod tests {
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
            let last = shown()
                .max_by_key(|page| (page.seat.looked_at_ms, std::cmp::Reverse(page.seat.id)));
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
}
