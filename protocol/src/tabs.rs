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
//! [`LEASE_MS`], sooner where another wants its place. Where the table cannot be had each tab acts
//! as if it were alone.

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
/// A tab that has asked within this time is waiting.
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
        // A tab that is ready says so only where that can change something.
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
mod tests;
