//! The wake lists: who waits for changes of which namespaces.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use protocol::Scope;
use tokio::sync::Notify;

type List = BTreeMap<u64, Arc<Notify>>;

/// Those who wait, by what they wait for.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    of_all: List,
    of_one: HashMap<String, List>,
    next: u64,
}

impl Waiters {
    /// Waits for changes in a scope. Returns what names the place.
    pub(super) fn join(&mut self, scope: &Scope, woken: &Arc<Notify>) -> u64 {
        let id = self.next;
        self.next += 1;
        match scope {
            Scope::All => _ = self.of_all.insert(id, woken.clone()),
            Scope::Namespaces(names) => {
                for name in names {
                    let list = self.of_one.entry(name.clone()).or_default();
                    list.insert(id, woken.clone());
                }
            }
        }
        id
    }

    /// Gives up a place in the lists of its scope.
    pub(super) fn leave(&mut self, scope: &Scope, id: u64) {
        match scope {
            Scope::All => _ = self.of_all.remove(&id),
            Scope::Namespaces(names) => {
                for name in names {
                    if let Some(list) = self.of_one.get_mut(name) {
                        list.remove(&id);
                        if list.is_empty() {
                            self.of_one.remove(name);
                        }
                    }
                }
            }
        }
    }

    /// Wakes who waits for these namespaces; returns how many.
    pub(super) fn wake<'a>(&self, namespaces: impl IntoIterator<Item = &'a str>) -> usize {
        let mut namespaces = namespaces.into_iter().peekable();
        if namespaces.peek().is_none() {
            return 0;
        }
        let named = namespaces
            .filter_map(|namespace| self.of_one.get(namespace))
            .flat_map(BTreeMap::values);
        let concerned = self.of_all.values().chain(named);
        concerned.inspect(|waiter| waiter.notify_one()).count()
    }

    /// Wakes everybody.
    pub(super) fn wake_all(&self) {
        let named = self.of_one.values().flat_map(BTreeMap::values);
        for waiter in self.of_all.values().chain(named) {
            waiter.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;
