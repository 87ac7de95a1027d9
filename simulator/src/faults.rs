//! Faults on command: what an API server, or the way to it, does at its worst.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// A kind of request, as faults and counters tell them apart.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// Every request.
    #[default]
    Any,
    /// A list, also of one page.
    List,
    /// A watch.
    Watch,
    /// A get of one object.
    Get,
    /// A create.
    Create,
    /// An update (PUT).
    Update,
    /// A patch.
    Patch,
    /// A delete, also of a collection.
    Delete,
    /// A `SelfSubjectAccessReview` or `SelfSubjectReview`.
    Review,
    /// Discovery, version, health and `OpenAPI` documents.
    Discovery,
}

/// What happens to a request or stream.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(
    tag = "effect",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Effect {
    /// The request is answered with this HTTP status.
    Status {
        /// The HTTP status code.
        status: u16,
        /// The `Retry-After` header, in seconds.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// The request is accepted and never answered.
    Hang,
    /// The answer breaks off in its middle and the connection is lost; on a watch, in the middle of
    /// the next event.
    Cut,
    /// The answer, or the next event of a watch, is not JSON. The watch goes on after that line.
    Garbage,
    /// The next event of a watch is a line cut short but properly ended. The watch goes on.
    Truncate,
    /// The request is answered with this HTTP status and a message of so many characters.
    Words {
        /// The HTTP status code.
        status: u16,
        /// The characters of the message.
        length: usize,
    },
    /// A list has always one page more.
    Endless,
    /// The answer, or the next event of a watch, never ends.
    Flood,
    /// The next event of a watch comes after this line.
    Line {
        /// The line, without its end.
        line: String,
    },
    /// Watches end at once, with nothing in them.
    End,
    /// Watches end at once with an `ERROR` event of this code.
    ErrorEvent {
        /// The code of the `Status` object in the event.
        status: u16,
    },
    /// Watches deliver nothing while the fault lasts, not even bookmarks or their end: a black
    /// hole.
    Stall,
    /// Watches send no periodic bookmarks while the fault lasts.
    NoBookmarks,
}

impl Effect {
    const fn is_about_requests(&self, operation: Operation) -> bool {
        match self {
            Self::Status { .. } | Self::Words { .. } | Self::Hang => true,
            Self::Endless => matches!(operation, Operation::List),
            // On a watch these are about its events.
            Self::Cut | Self::Garbage | Self::Flood => !matches!(operation, Operation::Watch),
            Self::Truncate
            | Self::Line { .. }
            | Self::End
            | Self::ErrorEvent { .. }
            | Self::Stall
            | Self::NoBookmarks => false,
        }
    }
}

/// A fault, where it strikes and how often.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// The requests it strikes.
    #[serde(default)]
    pub operation: Operation,
    /// The resource it strikes, such as `ingresses`; none is all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The namespace of the request, or of the event on a watch; none is all, and the cluster
    /// scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// How often it strikes before it is gone; none is for ever. `Stall` and `NoBookmarks` are not
    /// counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// What it does.
    #[serde(flatten)]
    pub effect: Effect,
}

impl Fault {
    /// A fault that strikes every request of this kind, for ever.
    #[must_use]
    pub const fn new(operation: Operation, effect: Effect) -> Self {
        Self {
            operation,
            resource: None,
            namespace: None,
            count: None,
            effect,
        }
    }

    /// Strikes one resource only.
    #[must_use]
    pub fn on(mut self, resource: &str) -> Self {
        self.resource = Some(resource.to_owned());
        self
    }

    /// Strikes one namespace only.
    #[must_use]
    pub fn within(mut self, namespace: &str) -> Self {
        self.namespace = Some(namespace.to_owned());
        self
    }

    /// Strikes so many times and is gone.
    #[must_use]
    pub const fn times(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    fn strikes(&self, operation: Operation, resource: &str, namespaces: [Option<&str>; 2]) -> bool {
        (self.operation == Operation::Any || self.operation == operation)
            && self.resource.as_ref().is_none_or(|only| only == resource)
            && self
                .namespace
                .as_deref()
                .is_none_or(|only| namespaces.contains(&Some(only)))
    }
}

/// The faults in force, and the switch that drops every open watch.
#[derive(Debug)]
pub struct Faults {
    faults: Mutex<Vec<Fault>>,
    /// Spares healthy watches the lock on each event.
    any: AtomicBool,
    /// Wakes every watch; its value counts how often all of them have been dropped.
    pub(crate) signal: watch::Sender<u64>,
}

impl Faults {
    pub(crate) fn new(signal: watch::Sender<u64>) -> Self {
        Self {
            faults: Mutex::default(),
            any: AtomicBool::new(false),
            signal,
        }
    }

    /// Puts a fault in force, after those already there: the first that fits strikes.
    pub fn add(&self, fault: Fault) {
        self.change(|faults| faults.push(fault));
    }

    /// Ends all faults. What hangs stays hung; what is stalled goes on.
    pub fn clear(&self) {
        self.change(Vec::clear);
    }

    /// The faults in force.
    #[must_use]
    pub fn list(&self) -> Vec<Fault> {
        self.lock().clone()
    }

    /// Breaks every open watch at once, as a load balancer that restarts does.
    pub fn drop_watches(&self) {
        self.signal.send_modify(|dropped| *dropped += 1);
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Fault>)) {
        let mut faults = self.lock();
        change(&mut faults);
        self.any.store(!faults.is_empty(), Ordering::Release);
        drop(faults);
        self.signal.send_modify(|_| {});
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What strikes a request that has just come in.
    pub(crate) fn strike_request(
        &self,
        operation: Operation,
        resource: &str,
        namespace: Option<&str>,
    ) -> Option<Effect> {
        self.strike(|fault| {
            fault.effect.is_about_requests(operation)
                && fault.strikes(operation, resource, [namespace, None])
        })
    }

    /// What strikes a watch that has nothing to send.
    pub(crate) fn strike_watch(&self, resource: &str, namespace: Option<&str>) -> Option<Effect> {
        self.strike(|fault| {
            matches!(fault.effect, Effect::ErrorEvent { .. } | Effect::End)
                && fault.strikes(Operation::Watch, resource, [namespace, None])
        })
    }

    /// What strikes an event on its way out.
    pub(crate) fn strike_event(
        &self,
        resource: &str,
        namespaces: [Option<&str>; 2],
    ) -> Option<Effect> {
        self.strike(|fault| {
            matches!(
                fault.effect,
                Effect::Cut
                    | Effect::Garbage
                    | Effect::Truncate
                    | Effect::Line { .. }
                    | Effect::Flood
            ) && fault.strikes(Operation::Watch, resource, namespaces)
        })
    }

    /// Whether a lasting effect is in force on a watch.
    pub(crate) fn lasting(&self, effect: &Effect, resource: &str, namespace: Option<&str>) -> bool {
        self.any.load(Ordering::Acquire)
            && self.lock().iter().any(|fault| {
                fault.effect == *effect
                    && fault.strikes(Operation::Watch, resource, [namespace, None])
            })
    }

    fn strike(&self, fits: impl Fn(&Fault) -> bool) -> Option<Effect> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let mut faults = self.lock();
        let index = faults
            .iter()
            .position(|fault| fits(fault) && fault.count != Some(0))?;
        let fault = &mut faults[index];
        let effect = fault.effect.clone();
        if let Some(count) = &mut fault.count {
            *count -= 1;
            if *count == 0 {
                faults.remove(index);
                self.any.store(!faults.is_empty(), Ordering::Release);
            }
        }
        Some(effect)
    }
}
