//! The state of the page in parts, each a small handle that is copied.

use std::collections::BTreeSet;

use leptos::prelude::*;
use protocol::Key;

use super::Detail;
use crate::components::stats::Numbers;
use crate::exclusions::Exclusions;
use crate::page::{Density, Theme};
use crate::query::Tab;
use crate::suggest::Offers;

/// The search field: its tokens, what is typed, and what could be typed.
#[derive(Clone, Copy)]
pub struct SearchUi {
    /// What the stat strip counts. It follows the filter and the rows a moment later.
    pub numbers: RwSignal<Numbers>,
    /// The words of the search that are tokens.
    pub tokens: RwSignal<Vec<String>>,
    /// What is typed after the tokens.
    pub typed: RwSignal<String>,
    /// Whether the list under the search field is open.
    pub suggesting: RwSignal<bool>,
    /// What the list under the search field offers; nothing until it has been looked for.
    pub offers: RwSignal<Option<Offers>>,
    /// The line of the list that the keys are at.
    pub suggestion: RwSignal<Option<usize>>,
}

/// Which details are open, and what they show.
#[derive(Clone, Copy)]
pub struct DetailsUi {
    /// The ingress whose details are asked for.
    pub selected: RwSignal<Option<Key>>,
    /// What the details show.
    pub detail: RwSignal<Option<Detail>>,
    /// The tab of the details.
    pub tab: RwSignal<Tab>,
}

/// What a person has chosen. It stays for the next visit.
#[derive(Clone, Copy)]
pub struct ChoicesUi {
    /// Namespaces that stand first in the list of them.
    pub pins: RwSignal<BTreeSet<String>>,
    /// Namespaces that were chosen by name, the last ones first.
    pub recent: RwSignal<Vec<String>>,
    /// Sets of namespaces that a key recalls: the first is that of 1. Some may be empty.
    pub sets: RwSignal<Vec<BTreeSet<String>>>,
    /// What is left out where the address does not say what is searched for.
    pub exclusions: RwSignal<Exclusions>,
    /// Whether keys without a modifier do something.
    pub single_keys: RwSignal<bool>,
    /// Light, dark, or like the system.
    pub theme: RwSignal<Theme>,
    /// How high a row is.
    pub density: RwSignal<Density>,
}

/// The time.
#[derive(Clone, Copy)]
pub struct ClockUi {
    /// Milliseconds since 1970, once a second.
    pub now: RwSignal<i64>,
    /// The monotonic clock, once a second.
    pub mono: RwSignal<u64>,
}

/// What the page says of what was just done.
#[derive(Clone, Copy)]
pub struct SaidUi {
    /// What is announced to assistive technology.
    pub announced: RwSignal<String>,
    /// A short line over the page, about what a key or a menu has just done.
    pub toast: RwSignal<Option<String>>,
}
