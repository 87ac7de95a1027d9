//! What a request accepts and already holds (RFC 9110, sections 8.8 and 12.5).

use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, HeaderName, IF_NONE_MATCH};

/// The content coding that changes nothing.
pub(super) const IDENTITY: &str = "identity";

/// The alternatives of an `Accept...` header with their weights, in its order.
pub(super) struct Accepted(Vec<(String, f32)>);

impl Accepted {
    pub(super) fn read(request: &HeaderMap, header: HeaderName) -> Self {
        let values = request.get_all(header);
        let values = values.iter().filter_map(|value| value.to_str().ok());
        let alternatives = values.flat_map(|value| value.split(',')).map(|item| {
            let mut parts = item.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts
                .filter_map(|parameter| parameter.split_once('='))
                .find(|(name, _)| name.trim_end().eq_ignore_ascii_case("q"));
            // A weight that cannot be read asks for nothing.
            let weight = weight.map_or(1.0, |(_, weight)| weight.trim().parse().unwrap_or(0.0));
            (name, weight)
        });
        Self(alternatives.collect())
    }

    /// How much an alternative that is named is wanted, 0 to 1; 0 where it is not named.
    pub(super) fn weight(&self, name: &str) -> f32 {
        self.listed(name).unwrap_or(0.0)
    }

    fn listed(&self, name: &str) -> Option<f32> {
        let found = self.0.iter().find(|(listed, _)| listed == name);
        found.map(|(_, weight)| *weight)
    }
}

/// The content coding that the client prefers of these and none, the first of equals.
pub(super) fn coding(request: &HeaderMap, there: &[&'static str]) -> &'static str {
    let accepted = Accepted::read(request, ACCEPT_ENCODING);
    let weight = |coding: &str| {
        let unlisted = if coding == IDENTITY {
            f32::MIN_POSITIVE
        } else {
            0.0
        };
        accepted
            .listed(coding)
            .or_else(|| accepted.listed("*"))
            .unwrap_or(unlisted)
    };
    let mut best = (0.0, IDENTITY);
    for coding in there.iter().copied().chain([IDENTITY]) {
        if weight(coding) > best.0 {
            best = (weight(coding), coding);
        }
    }
    best.1
}

/// Whether the client holds what the tag names (weak comparison).
pub(super) fn is_held(request: &HeaderMap, tag: &str) -> bool {
    let strong = |tag| str::strip_prefix(tag, "W/").unwrap_or(tag);
    let values = request.get_all(IF_NONE_MATCH);
    let values = values.iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|held| held == "*" || strong(held) == strong(tag))
}

#[cfg(test)]
mod tests;
