//! The door of the handlers: a request, and what its viewer may see.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use protocol::Scope;

use super::Server;
use super::problem::Problem;
use super::query::values;
use crate::access::{Viewer, Visible};

/// The server as the viewer of one request sees it. Handlers that read anything of the cluster take
/// this.
#[derive(Clone)]
pub struct Sight {
    pub(super) server: Arc<Server>,
    viewer: Viewer,
}

impl FromRequestParts<Arc<Server>> for Sight {
    // A request whose viewer is unknown is refused here once there are any to know.
    type Rejection = Infallible;

    fn from_request_parts(
        _: &mut Parts,
        server: &Arc<Server>,
    ) -> impl Future<Output = Result<Self, Infallible>> {
        ready(Ok(Self {
            server: server.clone(),
            viewer: Viewer::default(),
        }))
    }
}

impl Sight {
    /// What the viewer may see of the namespaces that are asked for.
    pub(super) fn visible(&self, asked: Scope) -> Visible {
        self.viewer.sees(asked)
    }

    /// What the viewer may see of the namespaces that a query names with `namespaces` and
    /// `namespace`.
    pub(super) fn named(&self, pairs: &[(String, String)]) -> Result<Visible, Problem> {
        let max = self.server.config.max_namespaces_per_stream as usize;
        let named = values(pairs, "namespaces").chain(values(pairs, "namespace"));
        let asked = Scope::parse(named, max);
        let asked = asked.map_err(|error| Problem::bad_request(error.to_string()))?;
        Ok(self.visible(asked))
    }
}
