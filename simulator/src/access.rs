//! Who may do what: one user, and rules that can be changed while the simulator runs.

use std::sync::{PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::failure::Failure;

/// The one user of the simulator, a service account.
pub const USER: &str = "system:serviceaccount:simulated:viewer";

/// Whether a rule grants or refuses.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Decision {
    /// The rule grants.
    Allow,
    /// The rule refuses.
    Deny,
}

/// One access rule.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Whether it grants or refuses.
    pub decision: Decision,
    /// A verb such as `list`, or `*`.
    #[serde(default = "any")]
    pub verb: String,
    /// A resource such as `ingresses`, or `*`.
    #[serde(default = "any")]
    pub resource: String,
    /// A namespace; none is the cluster scope and every namespace.
    #[serde(default)]
    pub namespace: Option<String>,
}

fn any() -> String {
    "*".to_owned()
}

impl Rule {
    fn covers(&self, verb: &str, resource: &str, namespace: Option<&str>) -> bool {
        (self.verb == "*" || self.verb == verb)
            && (self.resource == "*" || self.resource == resource)
            && self
                .namespace
                .as_deref()
                .is_none_or(|only| Some(only) == namespace)
    }
}

/// The access rules: the last that covers a request decides, and without any everything is allowed.
///
/// "May list ingresses in `shop` only" is a denial without a namespace followed by a grant for
/// `shop`, and "may not list namespaces" is a denial of `list` on `namespaces`.
#[derive(Debug, Default)]
pub struct Rules(RwLock<Vec<Rule>>);

impl Rules {
    /// Grants a verb on a resource, in one namespace or everywhere.
    pub fn allow(&self, verb: &str, resource: &str, namespace: Option<&str>) {
        self.push(Decision::Allow, verb, resource, namespace);
    }

    /// Refuses a verb on a resource, in one namespace or everywhere.
    pub fn deny(&self, verb: &str, resource: &str, namespace: Option<&str>) {
        self.push(Decision::Deny, verb, resource, namespace);
    }

    /// Forgets all rules, so that everything is allowed.
    pub fn allow_all(&self) {
        self.replace(Vec::new());
    }

    /// Replaces all rules by one that refuses everything.
    pub fn deny_all(&self) {
        self.replace(Vec::new());
        self.deny("*", "*", None);
    }

    /// Replaces all rules.
    pub fn replace(&self, rules: Vec<Rule>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// The rules in force.
    #[must_use]
    pub fn list(&self) -> Vec<Rule> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether the user may use a verb on a resource, in one namespace or at the cluster scope.
    #[must_use]
    pub fn allows(&self, verb: &str, resource: &str, namespace: Option<&str>) -> bool {
        let rules = self.0.read().unwrap_or_else(PoisonError::into_inner);
        rules
            .iter()
            .rev()
            .find(|rule| rule.covers(verb, resource, namespace))
            .is_none_or(|rule| rule.decision == Decision::Allow)
    }

    fn push(&self, decision: Decision, verb: &str, resource: &str, namespace: Option<&str>) {
        let rule = Rule {
            decision,
            verb: verb.to_owned(),
            resource: resource.to_owned(),
            namespace: namespace.map(str::to_owned),
        };
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(rule);
    }

    /// Answers a `SelfSubjectAccessReview`.
    pub(crate) fn review_access(&self, mut review: Value) -> Result<Value, Failure> {
        let spec = &review["spec"];
        let attributes = &spec["resourceAttributes"];
        let field = |name: &str| attributes[name].as_str().unwrap_or_default();
        let allowed = if attributes.is_object() {
            let namespace = Some(field("namespace")).filter(|namespace| !namespace.is_empty());
            self.allows(field("verb"), field("resource"), namespace)
        } else if spec["nonResourceAttributes"].is_object() {
            true
        } else {
            return Err(Failure::bad_request(
                "exactly one of resourceAttributes or nonResourceAttributes must be specified",
            ));
        };
        review["kind"] = "SelfSubjectAccessReview".into();
        review["apiVersion"] = "authorization.k8s.io/v1".into();
        review["status"] = if allowed {
            json!({ "allowed": true, "reason": format!("allowed by the simulator's rules to User \"{USER}\"") })
        } else {
            json!({ "allowed": false })
        };
        Ok(review)
    }
}

/// Answers a `SelfSubjectReview`: who the user is.
pub(crate) fn review_self(created: &str) -> Value {
    json!({
        "kind": "SelfSubjectReview",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": { "creationTimestamp": created },
        "status": {
            "userInfo": {
                "username": USER,
                "groups": ["system:serviceaccounts", "system:serviceaccounts:simulated", "system:authenticated"],
            },
        },
    })
}
