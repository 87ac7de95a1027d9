//! Lifelike change: deployments, previews that come and go, addresses that arrive.

use std::time::Duration;

use serde_json::{Value, json};

use crate::content;
use crate::random::Random;
use crate::resource::{Resource, text};
use crate::store::Store;

/// Its own generator, so that what clients write does not change what churn does.
#[derive(Debug)]
pub(crate) struct Churn {
    random: Random,
    /// The number of ingresses that churn keeps to, within a tenth.
    target: usize,
}

impl Churn {
    pub(crate) fn new(seed: u64, target: usize) -> Self {
        Self {
            random: Random::new(seed ^ 0x0c4a_0c4a),
            target,
        }
    }

    /// The pause before the next change: independent changes have exponential gaps.
    pub(crate) fn pause(&mut self, rate: f64) -> Duration {
        Duration::from_secs_f64(-(1.0 - self.random.fraction()).ln() / rate)
    }

    pub(crate) fn step(&mut self, store: &mut Store, now: i64) {
        let count = store.table(Resource::Ingresses).len();
        let slack = self.target / 10 + 2;
        match self.random.below(10) {
            _ if count == 0 || count + slack < self.target => self.create(store, now),
            _ if count > self.target + slack => self.delete(store),
            0..2 => self.create(store, now),
            2..4 => self.delete(store),
            _ => self.modify(store),
        }
    }

    fn create(&mut self, store: &mut Store, now: i64) {
        let random = &mut self.random;
        let namespaces: Vec<_> = store.table(Resource::Namespaces).keys().cloned().collect();
        if namespaces.is_empty() {
            return;
        }
        let namespace = content::busy(random, &namespaces);
        let (mut name, app) = content::name(random);
        while store
            .get(
                Resource::Ingresses,
                &Resource::Ingresses.key(Some(namespace), &name),
            )
            .is_some()
        {
            name = format!("{}-{}", app.0, random.suffix(4));
        }
        let mut ingress = content::ingress(random, namespace, &name, *app, now);
        ingress["metadata"]["generation"] = 1.into();
        // The controller has not seen it yet.
        ingress["status"] = json!({ "loadBalancer": {} });
        store.put(Resource::Ingresses, ingress);
    }

    fn delete(&mut self, store: &mut Store) {
        let Some(ingress) = self.any(store) else {
            return;
        };
        let namespace = text(&ingress, "/metadata/namespace");
        let name = text(&ingress, "/metadata/name").unwrap_or_default();
        store.remove(
            Resource::Ingresses,
            &Resource::Ingresses.key(namespace, name),
        );
    }

    fn modify(&mut self, store: &mut Store) {
        let Some(mut ingress) = self.any(store) else {
            return;
        };
        let pending = ingress.pointer("/status/loadBalancer/ingress").is_none();
        let class = text(&ingress, "/spec/ingressClassName")
            .unwrap_or_default()
            .to_owned();
        if pending && !class.is_empty() && self.random.chance(60) {
            ingress["status"] = json!({ "loadBalancer": { "ingress": [content::address(&mut self.random, &class)] } });
        } else {
            self.change_spec(&mut ingress);
            let generation = ingress["metadata"]["generation"].as_u64().unwrap_or(0) + 1;
            ingress["metadata"]["generation"] = generation.into();
        }
        store.put(Resource::Ingresses, ingress);
    }

    fn change_spec(&mut self, ingress: &mut Value) {
        let random = &mut self.random;
        let number = random.below(100);
        if !ingress["metadata"]["annotations"].is_object() {
            ingress["metadata"]["annotations"] = json!({});
        }
        // Every change of the spec leaves the deployment's mark, so that no change is empty.
        ingress["metadata"]["annotations"]["deployment.example.com/revision"] =
            random.suffix(8).into();
        let service = text(ingress, "/metadata/labels/app.kubernetes.io~1name")
            .unwrap_or("web")
            .to_owned();
        let backend = json!({ "service": { "name": format!("{service}-v{}", 2 + number % 8), "port": { "number": 8080 } } });
        let paths = ingress
            .pointer_mut("/spec/rules/0/http/paths")
            .and_then(Value::as_array_mut);
        match (number, paths) {
            (0..40, Some(paths)) if !paths.is_empty() => paths[0]["backend"] = backend,
            (40..60, Some(paths)) if paths.len() > 1 => {
                paths.pop();
            }
            (40..70, Some(paths)) => {
                let path = format!("/api/v{}", 1 + number % 9);
                paths.push(json!({ "path": path, "pathType": "Prefix", "backend": backend }));
            }
            (70..80, Some(_)) => {
                let host = text(ingress, "/spec/rules/0/host").map(str::to_owned);
                let secret = format!("{service}-tls-{}", random.suffix(4));
                ingress["spec"]["tls"] = match host {
                    Some(host) => json!([{ "hosts": [host], "secretName": secret }]),
                    None => json!([{ "secretName": secret }]),
                };
            }
            _ => ingress["spec"]["defaultBackend"] = backend,
        }
    }

    fn any(&mut self, store: &Store) -> Option<Value> {
        let table = store.table(Resource::Ingresses);
        let index = self.random.below(table.len().max(1));
        table.values().nth(index).map(|object| object.value())
    }
}
