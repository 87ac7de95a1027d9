use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use protocol::tls::Coverage;

use super::*;
use crate::catalog::derive::Derived;
use crate::cluster::source::{INGRESSES, NAMESPACES};
use crate::row::Facts;

/// What a second input of the product will be: rows read it, and it may come and go.
const SERVICES: Source = NAMESPACES;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Made {
    /// Sends to these services, and is new until a time.
    App(Vec<u8>, Instant),
    /// Has so many endpoints.
    Service(u8),
}

#[derive(Debug)]
struct Apps;

fn service(number: u8) -> Key {
    Key::new("a", format!("service-{number}"))
}

impl Derive for Apps {
    type Input = Made;

    const ROWS: Source = INGRESSES;

    fn derive(key: &Key, lookup: &mut Lookup<'_, Made>) -> Option<Derived> {
        let Made::App(services, until) = lookup.get(INGRESSES, key)? else {
            return None;
        };
        let endpoints = services.iter().map(|number| {
            let endpoints = match lookup.get(SERVICES, &service(*number)) {
                Some(Made::Service(endpoints)) => Some(*endpoints),
                _ => None,
            };
            (*number, endpoints)
        });
        let endpoints: Vec<_> = endpoints.collect();
        let is_new = lookup.now() < *until;
        let text = format!("{} {endpoints:?} {is_new}", key.name);
        Some(Derived {
            row: Arc::new(Row {
                key: key.clone(),
                json: text.into(),
                facts: Facts {
                    hosts: Box::default(),
                    hosts_beyond: 0,
                    tls: Coverage::None,
                    class: None,
                },
            }),
            due: is_new.then_some(*until),
        })
    }
}

/// What a client of the journal knows.
#[derive(Default)]
struct Told {
    rows: BTreeMap<Key, Arc<Row>>,
    idle: usize,
}

impl Rows for Told {
    fn upsert(&mut self, row: Arc<Row>) {
        let before = self.rows.insert(row.key.clone(), Arc::clone(&row));
        self.idle += usize::from(before == Some(row));
    }

    fn delete(&mut self, key: &Key) {
        self.idle += usize::from(self.rows.remove(key).is_none());
    }
}

#[derive(Clone, Debug)]
enum Step {
    App(u8, Vec<u8>, u64),
    Service(u8, u8),
    /// A change that is older than what is held.
    Stale(u8),
    Delete(bool, u8),
    /// A list of apps, or of services, that leaves out these.
    Reset(bool, Vec<u8>),
    /// Another object of the same name.
    Again(u8),
    Forget(bool),
    Clock(u64),
}

fn steps() -> impl Strategy<Value = Step> {
    let number = || 0_u8..4;
    let numbers = || prop::collection::vec(0_u8..4, 0..4);
    prop_oneof![
        6 => (number(), numbers(), 0_u64..20).prop_map(|(app, services, until)| Step::App(app, services, until)),
        5 => (number(), 0_u8..3).prop_map(|(service, endpoints)| Step::Service(service, endpoints)),
        1 => number().prop_map(Step::Stale),
        3 => (any::<bool>(), number()).prop_map(|(app, number)| Step::Delete(app, number)),
        2 => (any::<bool>(), numbers()).prop_map(|(app, gone)| Step::Reset(app, gone)),
        1 => number().prop_map(Step::Again),
        1 => any::<bool>().prop_map(Step::Forget),
        4 => (1_u64..8).prop_map(Step::Clock),
    ]
}

/// Two namespaces, so that one can be forgotten.
fn app(number: u8) -> Key {
    Key::new(if number < 2 { "a" } else { "b" }, format!("app-{number}"))
}

struct World {
    join: Join<Apps>,
    told: Told,
    objects: BTreeMap<(Source, Key), (String, Made)>,
    now: Instant,
    version: u64,
}

impl World {
    fn set(&mut self, source: Source, key: Key, uid: &str, made: Made) {
        self.version += 1;
        self.objects
            .insert((source, key.clone()), (uid.into(), made.clone()));
        let object = self.object(key, uid, made);
        self.join.set(source, object, self.now, &mut self.told);
    }

    fn object(&self, key: Key, uid: &str, made: Made) -> Object<Made> {
        Object {
            key,
            uid: uid.into(),
            version: format!("{made:?}"),
            resource_version: self.version,
            input: made,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::App(number, services, until) => {
                let until = self.now + Duration::from_secs(until);
                self.set(INGRESSES, app(number), "one", Made::App(services, until));
            }
            Step::Service(number, endpoints) => {
                self.set(SERVICES, service(number), "one", Made::Service(endpoints));
            }
            Step::Stale(number) => {
                let Some((uid, _)) = self.objects.get(&(INGRESSES, app(number))) else {
                    return;
                };
                let mut object = self.object(app(number), &uid.clone(), Made::Service(9));
                object.resource_version = 0;
                assert!(self.join.is_stale(INGRESSES, &object));
            }
            Step::Delete(is_app, number) => {
                let (source, key) = match is_app {
                    true => (INGRESSES, app(number)),
                    false => (SERVICES, service(number)),
                };
                // A delete that is older than what is held is none.
                self.join.delete(source, &key, 0, self.now, &mut self.told);
                self.join
                    .delete(source, &key, self.version, self.now, &mut self.told);
                self.objects.remove(&(source, key));
            }
            Step::Reset(apps, gone) => {
                let source = if apps { INGRESSES } else { SERVICES };
                let named = |number| if apps { app(number) } else { service(number) };
                for number in gone {
                    self.objects.remove(&(source, named(number)));
                }
                let live: Vec<_> = (self.objects.iter())
                    .filter(|((of, _), _)| *of == source)
                    .map(|((_, key), (uid, made))| (key.clone(), uid.clone(), made.clone()))
                    .collect();
                let listed = live.iter().map(|(key, ..)| key.clone()).collect();
                for key in self.join.missing(source, None, &listed) {
                    self.join.remove(source, &key, self.now, &mut self.told);
                }
                for (key, uid, made) in live {
                    let object = self.object(key, &uid, made);
                    self.join.set(source, object, self.now, &mut self.told);
                }
            }
            Step::Again(number) => {
                let key = (INGRESSES, app(number));
                if let Some((uid, made)) = self.objects.get(&key).cloned() {
                    self.set(INGRESSES, key.1, &format!("{uid}+"), made);
                }
            }
            Step::Forget(first) => {
                let namespace = if first { "a" } else { "b" };
                self.join.forget(namespace);
                let is_left = |key: &Key| key.namespace != namespace;
                self.told.rows.retain(|key, _| is_left(key));
                self.objects
                    .retain(|(source, key), _| *source == SERVICES || is_left(key));
            }
            Step::Clock(seconds) => {
                self.now += Duration::from_secs(seconds);
                let next = self.join.settle(self.now, &mut self.told);
                assert!(next.is_none_or(|next| next > self.now));
            }
        }
    }

    /// The rows, each made of all inputs as they are now; how many links they have, and how many of
    /// them are due at a time.
    fn expected(&self) -> (BTreeMap<Key, Arc<Row>>, usize, usize) {
        let mut inputs = Inputs::default();
        for ((source, key), (uid, made)) in &self.objects {
            let held = Held {
                uid: uid.clone(),
                version: String::new(),
                resource_version: 0,
                input: made.clone(),
                row: None,
            };
            inputs.insert(*source, key.clone(), held);
        }
        let (mut links, mut due) = (0, 0);
        let rows = inputs.keys(INGRESSES, None).filter_map(|key| {
            let mut lookup = Lookup::new(&inputs, (INGRESSES, key), self.now);
            let derived = Apps::derive(key, &mut lookup)?;
            due += usize::from(derived.due.is_some());
            links += lookup.reads.iter().collect::<BTreeSet<_>>().len();
            Some((key.clone(), derived.row))
        });
        let rows = rows.collect();
        (rows, links, due)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_row_is_what_its_inputs_make_of_it_now(history in prop::collection::vec(steps(), 0..80)) {
        let mut world = World {
            join: Join::default(),
            told: Told::default(),
            objects: BTreeMap::new(),
            now: Instant::now(),
            version: 0,
        };
        for step in history {
            world.step(step);
            let (rows, links, due) = world.expected();
            prop_assert_eq!(&world.told.rows, &rows);
            prop_assert_eq!(world.told.idle, 0, "what is no news was told");
            prop_assert_eq!(world.join.links.len(), links);
            prop_assert_eq!(world.join.due.len(), due);
        }
    }
}
