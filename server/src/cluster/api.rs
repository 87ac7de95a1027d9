//! The few requests that the dashboard makes of a Kubernetes API server, with the time limits
//! that Kubernetes' own list and watch start do not have.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::client::Body;
use protocol::message::ErrorReason;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::cause;

/// A connection is there after so long, with TLS.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// Each list page and each start of a watch may take this long.
const LIST_LIMIT: Duration = Duration::from_secs(30);
/// Every other request may: they are small, and somebody waits for them.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);
/// Objects per list page: pages are held in memory whole.
const PAGE_SIZE: usize = 250;
/// etcd takes objects of up to 1.5 MiB; a line of a watch holds one.
const MAX_LINE: usize = 16 << 20;

/// A collection of objects, of one namespace or of all.
#[derive(Clone, Debug)]
pub struct Collection {
    /// `/apis/networking.k8s.io/v1` or `/api/v1`.
    pub group: &'static str,
    /// `ingresses` or `namespaces`.
    pub resource: &'static str,
    /// Absent: of all namespaces.
    pub namespace: Option<String>,
}

impl Collection {
    /// The ingresses of a namespace, or of all.
    #[must_use]
    pub fn ingresses(namespace: Option<String>) -> Self {
        Self {
            group: "/apis/networking.k8s.io/v1",
            resource: "ingresses",
            namespace,
        }
    }

    /// The namespaces.
    #[must_use]
    pub fn namespaces() -> Self {
        Self {
            group: "/api/v1",
            resource: "namespaces",
            namespace: None,
        }
    }

    fn path(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{}/namespaces/{namespace}/{}", self.group, self.resource),
            None => format!("{}/{}", self.group, self.resource),
        }
    }

    fn api_group(&self) -> &'static str {
        self.group
            .strip_prefix("/apis/")
            .and_then(|rest| rest.split('/').next())
            .unwrap_or("")
    }
}

/// A Kubernetes API server.
#[derive(Clone)]
pub struct Api {
    client: kube::Client,
    url: String,
    /// Who the server is to the API server, once that is known.
    account: Arc<OnceCell<Option<String>>>,
}

/// A request failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ApiError {
    /// No answer: the connection or the credential plugin failed.
    #[error("the Kubernetes API at {url} does not answer: {cause}")]
    Unreachable {
        /// The API server's URL.
        url: String,
        /// The innermost cause.
        cause: String,
    },
    /// There is a server, and its certificate does not prove that it is the right one.
    #[error("the certificate of the Kubernetes API at {url} is not trusted: {cause}")]
    Untrusted {
        /// The API server's URL.
        url: String,
        /// What is wrong with the certificate.
        cause: String,
    },
    /// No answer in time.
    #[error("the Kubernetes API at {url} did not answer within {} s", limit.as_secs())]
    Timeout {
        /// The API server's URL.
        url: String,
        /// How long was waited.
        limit: Duration,
    },
    /// An answer that is not a success.
    #[error("the Kubernetes API at {url} answered {code}: {message}")]
    Status {
        /// The API server's URL.
        url: String,
        /// The HTTP status code.
        code: u16,
        /// The `Status` object's message.
        message: String,
        /// The header `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// An answer that cannot be read.
    #[error("the Kubernetes API at {url} sent what cannot be read: {cause}")]
    Invalid {
        /// The API server's URL.
        url: String,
        /// What is wrong with it.
        cause: String,
    },
}

impl ApiError {
    /// The HTTP status code, where there was an answer.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Status { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// The reason that clients are told.
    #[must_use]
    pub fn reason(&self) -> ErrorReason {
        match self {
            Self::Status {
                code: 401 | 403, ..
            } => ErrorReason::Forbidden,
            Self::Status { code: 410, .. } => ErrorReason::Expired,
            Self::Status {
                code: 408 | 429 | 500..,
                ..
            } => ErrorReason::Unreachable,
            // Most likely it is no Kubernetes API.
            Self::Invalid { .. } | Self::Untrusted { .. } | Self::Status { .. } => {
                ErrorReason::Invalid
            }
            Self::Unreachable { .. } | Self::Timeout { .. } => ErrorReason::Unreachable,
        }
    }
}

/// The whole of a collection at one version.
#[derive(Debug)]
pub struct Listing<T> {
    /// The items, as `read` made them of each page's objects.
    pub items: Vec<T>,
    /// `metadata.resourceVersion` of the list.
    pub resource_version: u64,
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    metadata: ListMeta,
    // An empty list may come as `null`.
    items: Option<Vec<Value>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ListMeta {
    resource_version: String,
    r#continue: String,
}

#[derive(Deserialize)]
struct StatusBody {
    #[serde(default)]
    message: String,
}

/// One event of a watch.
#[derive(Debug, Deserialize)]
pub struct WatchEvent {
    /// `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`.
    pub r#type: String,
    /// The object; for `ERROR` a `Status`.
    pub object: Value,
}

impl Api {
    /// Talks through `client` to the server at `url`, which only errors name.
    #[must_use]
    pub fn new(client: kube::Client, url: String) -> Self {
        Self {
            client,
            url,
            account: Arc::default(),
        }
    }

    /// The API server's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Lists everything, in pages; `read` turns each object into an item, or leaves it out.
    pub async fn list<T>(
        &self,
        collection: &Collection,
        mut read: impl FnMut(Value) -> Option<T>,
    ) -> Result<Listing<T>, ApiError> {
        let mut listing = Listing {
            items: Vec::new(),
            resource_version: 0,
        };
        let mut token = String::new();
        loop {
            let continued = match token.as_str() {
                "" => String::new(),
                token => format!("&continue={}", encode_query(token)),
            };
            let uri = format!("{}?limit={PAGE_SIZE}{continued}", collection.path());
            let page: List = self.json(Method::GET, &uri, None, LIST_LIMIT).await?;
            listing.resource_version = self.version_of(&page)?;
            listing.items.extend(
                page.items
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(&mut read),
            );
            token = page.metadata.r#continue;
            if token.is_empty() {
                return Ok(listing);
            }
        }
    }

    /// The version that the collection is at, as etcd has it now.
    pub async fn current_version(&self, collection: &Collection) -> Result<u64, ApiError> {
        let uri = format!("{}?limit=1", collection.path());
        let page: List = self.json(Method::GET, &uri, None, REQUEST_LIMIT).await?;
        self.version_of(&page)
    }

    fn version_of(&self, page: &List) -> Result<u64, ApiError> {
        let version = &page.metadata.resource_version;
        let invalid = |_| self.invalid(format!("a list of version {version:?}"));
        version.parse().map_err(invalid)
    }

    /// Starts a watch of what comes after `resource_version`; the server ends it after `life`.
    pub async fn watch(
        &self,
        collection: &Collection,
        resource_version: u64,
        life: Duration,
    ) -> Result<Watch, ApiError> {
        let uri = format!(
            "{}?watch=1&allowWatchBookmarks=true&resourceVersion={resource_version}&timeoutSeconds={}",
            collection.path(),
            life.as_secs()
        );
        let response = self.send(Method::GET, &uri, None, LIST_LIMIT).await?;
        Ok(Watch {
            body: response.into_body(),
            buffer: Vec::new(),
            searched: 0,
            api: self.clone(),
        })
    }

    /// Whether the server's account may do `verb` on the collection (SelfSubjectAccessReview).
    pub async fn may(&self, verb: &str, collection: &Collection) -> Result<bool, ApiError> {
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(ResourceAttributes {
                    verb: Some(verb.to_owned()),
                    group: Some(collection.api_group().to_owned()),
                    resource: Some(collection.resource.to_owned()),
                    namespace: collection.namespace.clone(),
                    ..ResourceAttributes::default()
                }),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let mut body = serde_json::to_value(&review).expect("reviews have string keys only");
        body["kind"] = "SelfSubjectAccessReview".into();
        body["apiVersion"] = "authorization.k8s.io/v1".into();
        let answer: SelfSubjectAccessReview = self
            .json(
                Method::POST,
                "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                Some(&body),
                REQUEST_LIMIT,
            )
            .await?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }

    /// The user name of the server's account (`SelfSubjectReview`); none where the API server
    /// does not say it, as before Kubernetes 1.28.
    pub async fn account(&self) -> Option<String> {
        let ask = || async {
            let body = serde_json::json!({
                "kind": "SelfSubjectReview",
                "apiVersion": "authentication.k8s.io/v1",
            });
            let answer: Result<SelfSubjectReview, ApiError> = self
                .json(
                    Method::POST,
                    "/apis/authentication.k8s.io/v1/selfsubjectreviews",
                    Some(&body),
                    REQUEST_LIMIT,
                )
                .await;
            match answer {
                Ok(review) => Ok(review
                    .status
                    .and_then(|status| status.user_info?.username)
                    .filter(|name| !name.is_empty())),
                Err(error) if error.code() == Some(404) => Ok(None),
                // Asked again the next time.
                Err(error) => Err(error),
            }
        };
        let account = self.account.get_or_try_init(ask).await;
        account.ok().cloned().flatten()
    }

    /// One ingress, as the API server has it.
    pub async fn ingress(&self, namespace: &str, name: &str) -> Result<Value, ApiError> {
        let path = Collection::ingresses(Some(namespace.to_owned())).path();
        let uri = format!("{path}/{name}");
        self.json(Method::GET, &uri, None, REQUEST_LIMIT).await
    }

    /// `gitVersion` of the API server.
    pub async fn version(&self) -> Result<String, ApiError> {
        let version: Value = self
            .json(Method::GET, "/version", None, REQUEST_LIMIT)
            .await?;
        Ok(version["gitVersion"]
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }

    async fn json<T: serde::de::DeserializeOwned>(
        &self,
        method: Method,
        uri: &str,
        body: Option<&Value>,
        limit: Duration,
    ) -> Result<T, ApiError> {
        let request = async {
            let response = self.send(method, uri, body, limit).await?;
            let bytes = self.collect(response).await?;
            serde_json::from_slice(&bytes).map_err(|error| self.invalid(error))
        };
        timeout(limit, request)
            .await
            .unwrap_or_else(|_| Err(self.late(limit)))
    }

    async fn send(
        &self,
        method: Method,
        uri: &str,
        body: Option<&Value>,
        limit: Duration,
    ) -> Result<http::Response<Body>, ApiError> {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(
                body.map(|body| body.to_string().into_bytes())
                    .unwrap_or_default(),
            ))
            .map_err(|error| self.invalid(error))?;
        let response = timeout(limit, self.client.send(request))
            .await
            .map_err(|_| self.late(limit))?
            .map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refusal(response).await)
    }

    /// The error of an answer that is not a success.
    async fn refusal(&self, response: http::Response<Body>) -> ApiError {
        let status = response.status();
        let retry_after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let body = timeout(REQUEST_LIMIT, self.collect(response)).await;
        let message = body
            .ok()
            .and_then(Result::ok)
            .and_then(|bytes| serde_json::from_slice::<StatusBody>(&bytes).ok())
            .map(|status| status.message)
            .filter(|message| !message.is_empty())
            .unwrap_or_else(|| canonical_reason(status));
        ApiError::Status {
            url: self.url.clone(),
            code: status.as_u16(),
            message,
            retry_after,
        }
    }

    async fn collect(&self, response: http::Response<Body>) -> Result<Bytes, ApiError> {
        let body = response.into_body().collect().await;
        Ok(body.map_err(|error| self.unreachable(&error))?.to_bytes())
    }

    /// No answer within `limit`.
    pub(super) fn late(&self, limit: Duration) -> ApiError {
        ApiError::Timeout {
            url: self.url.clone(),
            limit,
        }
    }

    /// An answer that cannot be read.
    pub(super) fn invalid(&self, cause: impl ToString) -> ApiError {
        ApiError::Invalid {
            url: self.url.clone(),
            cause: cause.to_string(),
        }
    }

    fn unreachable(&self, error: &(dyn std::error::Error + 'static)) -> ApiError {
        if cause::is_late(error) {
            return self.late(CONNECT_LIMIT);
        }
        let (url, cause) = (self.url.clone(), cause::innermost(error));
        match cause.strip_prefix("invalid peer certificate: ") {
            Some(cause) => ApiError::Untrusted {
                url,
                cause: cause.to_owned(),
            },
            None => ApiError::Unreachable { url, cause },
        }
    }
}

fn canonical_reason(status: StatusCode) -> String {
    status
        .canonical_reason()
        .unwrap_or("no reason given")
        .to_owned()
}

/// Percent-encodes a query value.
fn encode_query(value: &str) -> String {
    value
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// A running watch: one JSON event per line.
///
/// Lines are cut here rather than by `kube`, whose decoder passes over a line that was cut off,
/// and goes on after one that is garbage: both lose a change without a word.
pub struct Watch {
    body: Body,
    buffer: Vec<u8>,
    searched: usize,
    api: Api,
}

impl Watch {
    /// The next event; `None` at the end of the watch, also where the end cut a line off, which
    /// a watch from the last version brings again.
    pub async fn next(&mut self) -> Result<Option<WatchEvent>, ApiError> {
        loop {
            if let Some(end) = self.buffer[self.searched..]
                .iter()
                .position(|&byte| byte == b'\n')
            {
                let rest = self.buffer.split_off(self.searched + end + 1);
                let line = std::mem::replace(&mut self.buffer, rest);
                self.searched = 0;
                if line.trim_ascii().is_empty() {
                    continue;
                }
                return serde_json::from_slice(&line)
                    .map(Some)
                    .map_err(|error| self.api.invalid(format!("a watch event: {error}")));
            }
            self.searched = self.buffer.len();
            if self.buffer.len() > MAX_LINE {
                return Err(self
                    .api
                    .invalid(format!("a watch event of more than {MAX_LINE} bytes")));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => {
                    return Err(self.api.unreachable(&error));
                }
            }
        }
    }
}
