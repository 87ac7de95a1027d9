//! How a row is made of inputs: a pure function that says what it has read.

use std::sync::Arc;
use std::time::Instant;

use protocol::Key;

use super::inputs::Inputs;
use super::links::InputKey;
use crate::cluster::source::{INGRESSES, Source};
use crate::row::Row;

/// A way to make rows of inputs.
pub trait Derive {
    /// What is kept of an object, of whichever source.
    type Input;

    /// The source that rows are of: each of its objects has a row at most.
    const ROWS: Source;

    /// Makes the row of an object. The result depends on nothing but what is asked of `lookup`.
    fn derive(key: &Key, lookup: &mut Lookup<'_, Self::Input>) -> Option<Derived>;
}

/// A row, and when it has to be made again although no input has changed.
#[derive(Clone, Debug)]
pub struct Derived {
    /// The row.
    pub row: Arc<Row>,
    /// The time.
    pub due: Option<Instant>,
}

/// The inputs, for one row. It notes what it is asked for, also what is not there: that it comes is
/// a reason to make the row again.
pub struct Lookup<'c, I> {
    inputs: &'c Inputs<I>,
    own: (Source, &'c Key),
    now: Instant,
    pub(super) reads: Vec<InputKey>,
}

impl<'c, I> Lookup<'c, I> {
    pub(super) fn new(inputs: &'c Inputs<I>, own: (Source, &'c Key), now: Instant) -> Self {
        Self {
            inputs,
            own,
            now,
            reads: Vec::new(),
        }
    }

    /// An input. A row's own needs no note: whenever it changes, the row is made again.
    pub fn get(&mut self, source: Source, key: &Key) -> Option<&'c I> {
        if (source, key) != self.own {
            self.reads.push((source, key.clone()));
        }
        self.inputs.get(source, key).map(|held| &held.input)
    }

    /// The time that the row is made at.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }
}

/// What is kept of an object for the product's rows.
#[derive(Clone, Debug)]
pub enum Input {
    /// Of an ingress everything that its row says. The journal has the same bytes.
    Ingress(Arc<Row>),
}

/// The product's rows: an ingress is a row as it is.
#[derive(Debug)]
pub struct IngressRows;

impl Derive for IngressRows {
    type Input = Input;

    const ROWS: Source = INGRESSES;

    fn derive(key: &Key, lookup: &mut Lookup<'_, Input>) -> Option<Derived> {
        match lookup.get(INGRESSES, key)? {
            Input::Ingress(row) => Some(Derived {
                row: Arc::clone(row),
                due: None,
            }),
        }
    }
}
