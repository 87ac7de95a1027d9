//! Label and field selectors, and the scope of a list or watch.

use std::ops::Bound;

use crate::resource::Resource;
use crate::store::Object;

/// What a list or watch is about.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) resource: Resource,
    /// None is the whole cluster.
    pub(crate) namespace: Option<String>,
    labels: Vec<LabelRequirement>,
    fields: Vec<FieldRequirement>,
}

impl Selection {
    pub(crate) fn all(resource: Resource, namespace: Option<&str>) -> Self {
        Self {
            resource,
            namespace: namespace.map(str::to_owned),
            labels: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// # Errors
    ///
    /// The message of the API server for a selector that it does not understand.
    pub(crate) fn parse(
        resource: Resource,
        namespace: Option<&str>,
        labels: &str,
        fields: &str,
    ) -> Result<Self, String> {
        let labels = split_outside_parentheses(labels)
            .map(LabelRequirement::parse)
            .collect::<Result<_, _>>()?;
        let fields = fields
            .split(',')
            .filter(|part| !part.trim().is_empty())
            .map(|part| FieldRequirement::parse(resource, part))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            labels,
            fields,
            ..Self::all(resource, namespace)
        })
    }

    /// Whether anything but the scope narrows it; such a list does not say how many items remain.
    pub(crate) fn is_selective(&self) -> bool {
        !(self.labels.is_empty() && self.fields.is_empty())
    }

    pub(crate) fn matches(&self, object: &Object) -> bool {
        object.resource == self.resource
            && self
                .namespace
                .as_ref()
                .is_none_or(|namespace| object.namespace.as_ref() == Some(namespace))
            && self
                .labels
                .iter()
                .all(|requirement| requirement.matches(object))
            && self
                .fields
                .iter()
                .all(|requirement| requirement.matches(object))
    }

    /// The keys of the scope, from `start` on.
    pub(crate) fn range(&self, start: Option<&str>) -> (Bound<String>, Bound<String>) {
        let (first, end) = match &self.namespace {
            // '0' follows '/': every key of the namespace lies between the two.
            Some(namespace) => (
                Some(format!("{namespace}/")),
                Bound::Excluded(format!("{namespace}0")),
            ),
            None => (None, Bound::Unbounded),
        };
        let start = start.map(str::to_owned).or(first);
        (start.map_or(Bound::Unbounded, Bound::Included), end)
    }

    /// Whether a continue token's key belongs to this scope.
    pub(crate) fn contains_key(&self, key: &str) -> bool {
        self.namespace.as_ref().is_none_or(|namespace| {
            key.strip_prefix(namespace)
                .is_some_and(|rest| rest.starts_with('/'))
        })
    }
}

#[derive(Clone, Debug)]
struct LabelRequirement {
    key: String,
    operator: Operator,
}

#[derive(Clone, Debug)]
enum Operator {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
}

impl LabelRequirement {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.starts_with('=') {
            let operator = if text.starts_with("==") { "==" } else { "=" };
            return Err(format!(
                "found '{operator}', expected: !, identifier, or 'end of string'"
            ));
        }
        let refuse = || format!("unable to parse requirement: {text:?}");
        let (key, operator) = if let Some((key, value)) = text.split_once("!=") {
            (key, Operator::NotIn(vec![value.trim().to_owned()]))
        } else if let Some((key, value)) = text.split_once('=') {
            (
                key,
                Operator::In(vec![value.trim_start_matches('=').trim().to_owned()]),
            )
        } else if let Some((head, values)) = text.split_once('(') {
            let values = values.strip_suffix(')').ok_or_else(refuse)?;
            let values = values
                .split(',')
                .map(|value| value.trim().to_owned())
                .collect();
            match head.trim().rsplit_once(char::is_whitespace) {
                Some((key, "in")) => (key, Operator::In(values)),
                Some((key, "notin")) => (key, Operator::NotIn(values)),
                _ => return Err(refuse()),
            }
        } else if let Some(key) = text.strip_prefix('!') {
            (key, Operator::DoesNotExist)
        } else {
            (text, Operator::Exists)
        };
        let key = key.trim();
        let valid = !key.is_empty()
            && key
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "-_./".contains(letter))
            && key.matches('/').count() <= 1;
        if valid {
            Ok(Self {
                key: key.to_owned(),
                operator,
            })
        } else {
            Err(refuse())
        }
    }

    fn matches(&self, object: &Object) -> bool {
        let value = object.labels.get(&self.key);
        match &self.operator {
            Operator::In(values) => value.is_some_and(|value| values.contains(value)),
            Operator::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

#[derive(Clone, Debug)]
struct FieldRequirement {
    field: Field,
    value: String,
    equal: bool,
}

#[derive(Clone, Copy, Debug)]
enum Field {
    Name,
    Namespace,
    Phase,
}

impl FieldRequirement {
    fn parse(resource: Resource, text: &str) -> Result<Self, String> {
        let (field, value, equal) = if let Some((field, value)) = text.split_once("!=") {
            (field, value, false)
        } else if let Some((field, value)) = text.split_once('=') {
            (field, value.trim_start_matches('='), true)
        } else {
            return Err(format!(
                "invalid selector: '{text}'; can't understand '{text}'"
            ));
        };
        let field = match (field.trim(), resource) {
            ("metadata.name", _) => Field::Name,
            ("metadata.namespace", Resource::Ingresses) => Field::Namespace,
            ("status.phase", Resource::Namespaces) => Field::Phase,
            (other, Resource::Ingresses) => {
                return Err(format!(
                    "\"{other}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                ));
            }
            (other, Resource::Namespaces) => {
                return Err(format!("field label not supported: {other}"));
            }
        };
        Ok(Self {
            field,
            value: value.trim().to_owned(),
            equal,
        })
    }

    fn matches(&self, object: &Object) -> bool {
        let actual = match self.field {
            Field::Name => Some(object.name.as_str()),
            Field::Namespace => object.namespace.as_deref(),
            Field::Phase => object.phase.as_deref(),
        };
        (actual == Some(&self.value)) == self.equal
    }
}

fn split_outside_parentheses(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    text.split(move |letter| {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    })
    .filter(|part| !part.trim().is_empty())
}
