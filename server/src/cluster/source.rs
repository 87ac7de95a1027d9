//! What feeds watch, and how it goes.

use protocol::message::NamespaceState;

/// A kind of object that feeds list and watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// Its API group; empty for the core.
    pub group: &'static str,
    /// The version of the group.
    pub version: &'static str,
    /// The resource, as paths and permissions have it.
    pub resource: &'static str,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// What is missing without it.
    pub role: Role,
}

/// What a source is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Without it nobody knows which rows there are.
    Needed,
    /// It adds to rows that are there without it. Nothing waits for it, and a cluster may have no
    /// such resource.
    Helpful,
}

/// `ingresses`
pub const INGRESSES: Source = Source {
    group: "networking.k8s.io",
    version: "v1",
    resource: "ingresses",
    namespaced: true,
    role: Role::Needed,
};

/// `namespaces`, which say what "every namespace" is.
pub const NAMESPACES: Source = Source {
    group: "",
    version: "v1",
    resource: "namespaces",
    namespaced: false,
    role: Role::Needed,
};

impl Source {
    /// Whether rows cannot be known without it.
    #[must_use]
    pub fn is_needed(self) -> bool {
        self.role == Role::Needed
    }

    /// The path of its objects in a namespace, or in all.
    #[must_use]
    pub fn path(self, namespace: Option<&str>) -> String {
        let Self {
            group,
            version,
            resource,
            ..
        } = self;
        let root = match group {
            "" => format!("/api/{version}"),
            group => format!("/apis/{group}/{version}"),
        };
        match namespace {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{resource}"),
            None => format!("{root}/{resource}"),
        }
    }
}

/// How it goes with the feed of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FeedState {
    /// A list or watch failed, and is tried again.
    Retrying,
    /// The first list is under way.
    Syncing,
    /// The account may not list or watch.
    Forbidden,
    /// The watch has been heard from.
    Live,
    /// The cluster has no such resource. It is asked again from time to time.
    Absent,
}

impl FeedState {
    /// The state that clients are told of a namespace whose rows come from this feed alone.
    #[must_use]
    pub fn told(self) -> NamespaceState {
        match self {
            Self::Syncing => NamespaceState::Syncing,
            Self::Live => NamespaceState::Live,
            Self::Forbidden => NamespaceState::Forbidden,
            // A cluster without ingresses is most likely no Kubernetes API yet.
            Self::Retrying | Self::Absent => NamespaceState::Retrying,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_api() {
        let ingresses = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses";
        assert_eq!(INGRESSES.path(Some("shop")), ingresses);
        assert_eq!(INGRESSES.path(None), "/apis/networking.k8s.io/v1/ingresses");
        assert_eq!(NAMESPACES.path(None), "/api/v1/namespaces");
    }
}
