//! The few requests that the dashboard makes of a Kubernetes API server, with the time limits
//! that Kubernetes' own list and watch start do not have.
//!
//! It is one file: all requests share their limits, their errors and how an answer is read.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::client::Body;
use protocol::Key;
use protocol::message::ErrorReason;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::{Instant, timeout};

use super::cause;
use super::plugin::Plugin;
use super::source::{INGRESSES, Source};
use crate::project::{self, InvalidObject};

/// A connection is there after so long, with TLS.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// Each list page and each start of a watch may take this long.
const LIST_LIMIT: Duration = Duration::from_secs(30);
/// Every other request may: they are small, and somebody waits for them.
pub const REQUEST_LIMIT: Duration = Duration::from_secs(10);
/// A whole list may take this long: after 5 minutes the API server has forgotten its version.
const LIST_TIME: Duration = Duration::from_secs(300);
/// The longest pause that an API server may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// Objects per list page at first: pages are held in memory whole.
const PAGE_SIZE: usize = 250;
/// A page of more bytes halves the next.
const LARGE_PAGE: usize = 4 << 20;
/// A page of more bytes is asked for again with fewer objects.
const MAX_PAGE: usize = 32 << 20;
/// The pages and bytes of a list: a million objects, of 2 KiB each.
const MAX_PAGES: usize = 4_000;
const MAX_LIST: usize = 2 << 30;
/// etcd takes objects of up to 1.5 MiB, which are longer as JSON. A line of a watch holds one.
const MAX_OBJECT: usize = 8 << 20;
/// Any other answer.
const MAX_ANSWER: usize = 1 << 20;
/// The body of an answer that is not a success.
const MAX_REFUSAL: usize = 64 << 10;

/// The objects of a source, in one namespace or in all.
#[derive(Clone, Debug)]
pub struct Collection {
    /// Their kind.
    pub source: Source,
    /// Absent: of all namespaces.
    pub namespace: Option<String>,
}

impl Collection {
    /// The objects of a source in a namespace, or in all.
    #[must_use]
    pub fn new(source: Source, namespace: Option<String>) -> Self {
        Self { source, namespace }
    }

    /// Whether an object of this identity can be one of the collection.
    #[must_use]
    pub fn has(&self, key: &Key) -> bool {
        let placed = match &self.namespace {
            Some(namespace) => key.namespace == *namespace,
            None => key.namespace.is_empty() != self.source.namespaced,
        };
        placed && !key.name.is_empty()
    }

    fn path(&self) -> String {
        self.source.path(self.namespace.as_deref())
    }
}

/// A Kubernetes API server.
#[derive(Clone)]
pub struct Api {
    access: Access,
    url: String,
    /// Who the server is to the API server, once that is known.
    account: Arc<OnceCell<Option<String>>>,
}

/// How to come by a client.
#[derive(Clone)]
enum Access {
    Client(kube::Client),
    Plugin(Arc<Plugin>),
}

/// A request failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ApiError {
    /// Nothing was asked: there is no credential.
    #[error("the Kubernetes API at {url} cannot be asked: {cause}")]
    NoCredential {
        /// The API server's URL.
        url: String,
        /// Why the credential plugin gave none.
        cause: String,
    },
    /// No answer: the connection failed.
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
        /// The header `Retry-After`, at most a minute.
        retry_after: Option<Duration>,
    },
    /// Watches that are accepted and end at once, with nothing in them.
    #[error("the Kubernetes API at {url} ends each watch at once")]
    Hollow {
        /// The API server's URL.
        url: String,
    },
    /// An answer that does not end.
    #[error("the Kubernetes API at {url} sent more than {} KiB at once", limit >> 10)]
    TooLong {
        /// The API server's URL.
        url: String,
        /// The bytes that are taken.
        limit: usize,
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
            Self::Invalid { .. }
            | Self::TooLong { .. }
            | Self::Untrusted { .. }
            | Self::Status { .. } => ErrorReason::Invalid,
            Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::Hollow { .. }
            | Self::NoCredential { .. } => ErrorReason::Unreachable,
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
struct List<'a> {
    #[serde(default)]
    metadata: ListMeta,
    // An empty list may come as `null`. One object at a time is taken apart.
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
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
        Self::of(Access::Client(client), url)
    }

    /// The same with the credentials of a plugin.
    #[must_use]
    pub fn with_plugin(plugin: Arc<Plugin>, url: String) -> Self {
        Self::of(Access::Plugin(plugin), url)
    }

    fn of(access: Access, url: String) -> Self {
        Self {
            access,
            url,
            account: Arc::default(),
        }
    }

    /// The API server's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Lists everything, in pages; `read` turns each object into an item, or leaves it out, as it
    /// does with one that cannot be read. Each page needs one of `turns`: a list that does not end holds no other up.
    pub async fn list<T>(
        &self,
        collection: &Collection,
        turns: &Semaphore,
        mut read: impl FnMut(Result<Value, InvalidObject>) -> Option<T>,
    ) -> Result<Listing<T>, ApiError> {
        let mut items = Vec::new();
        let (mut token, mut size, mut total) = (String::new(), PAGE_SIZE, 0);
        let mut started = None;
        for _ in 0..MAX_PAGES {
            let turn = turns.acquire().await;
            let _turn = turn.expect("the semaphore is never closed");
            let started = *started.get_or_insert_with(Instant::now);
            let continued = match token.as_str() {
                "" => String::new(),
                token => format!("&continue={}", encode_query(token)),
            };
            let uri = format!("{}?limit={size}{continued}", collection.path());
            let bytes = match self.get(&uri, LIST_LIMIT, MAX_PAGE).await {
                Err(ApiError::TooLong { .. }) if size > 1 => {
                    size = (size / 4).max(1);
                    continue;
                }
                answer => answer?,
            };
            let page: List<'_> =
                serde_json::from_slice(&bytes).map_err(|error| self.invalid(error))?;
            let resource_version = self.version_of(&page)?;
            for object in page.items.unwrap_or_default() {
                items.extend(read(project::parse(object.get(), MAX_OBJECT)));
            }
            let next = page.metadata.r#continue;
            if next.is_empty() {
                return Ok(Listing {
                    items,
                    resource_version,
                });
            }
            total += bytes.len();
            if bytes.len() > LARGE_PAGE {
                size = (size / 2).max(1);
            }
            if next == token || total > MAX_LIST || started.elapsed() > LIST_TIME {
                break;
            }
            token = next;
        }
        Err(self.invalid("a list that does not end"))
    }

    /// The version that the collection is at, as etcd has it now.
    pub async fn current_version(&self, collection: &Collection) -> Result<u64, ApiError> {
        let uri = format!("{}?limit=1", collection.path());
        let bytes = self.get(&uri, REQUEST_LIMIT, MAX_PAGE).await?;
        let page = serde_json::from_slice(&bytes).map_err(|error| self.invalid(error))?;
        self.version_of(&page)
    }

    fn version_of(&self, page: &List<'_>) -> Result<u64, ApiError> {
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
        let client = self.client().await?;
        let response = self
            .send(&client, Method::GET, &uri, None, LIST_LIMIT)
            .await?;
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
                    group: Some(collection.source.group.to_owned()),
                    resource: Some(collection.source.resource.to_owned()),
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
                )
                .await;
            match answer {
                Ok(review) => Ok(review
                    .status
                    .and_then(|status| status.user_info?.username)
                    .filter(|name| !name.is_empty())
                    .map(cause::short)),
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
        let path = INGRESSES.path(Some(namespace));
        let uri = format!("{path}/{name}");
        let bytes = self.get(&uri, REQUEST_LIMIT, MAX_OBJECT).await?;
        serde_json::from_slice(&bytes).map_err(|error| self.invalid(error))
    }

    /// `gitVersion` of the API server, which has `limit` for the answer.
    pub async fn version(&self, limit: Duration) -> Result<String, ApiError> {
        let answer = self.get("/version", limit, MAX_ANSWER).await?;
        let version: Value =
            serde_json::from_slice(&answer).map_err(|error| self.invalid(error))?;
        let version = version["gitVersion"].as_str().unwrap_or_default();
        Ok(cause::short(version.to_owned()))
    }

    /// One of the small requests.
    async fn json<T: serde::de::DeserializeOwned>(
        &self,
        method: Method,
        uri: &str,
        body: Option<&Value>,
    ) -> Result<T, ApiError> {
        let bytes = self
            .bytes(method, uri, body, REQUEST_LIMIT, MAX_ANSWER)
            .await?;
        serde_json::from_slice(&bytes).map_err(|error| self.invalid(error))
    }

    async fn get(&self, uri: &str, limit: Duration, most: usize) -> Result<Bytes, ApiError> {
        self.bytes(Method::GET, uri, None, limit, most).await
    }

    /// The body of a success, of at most `most` bytes.
    async fn bytes(
        &self,
        method: Method,
        uri: &str,
        body: Option<&Value>,
        limit: Duration,
        most: usize,
    ) -> Result<Bytes, ApiError> {
        let client = self.client().await?;
        let request = async {
            let response = self.send(&client, method, uri, body, limit).await?;
            self.collect(response, most).await
        };
        timeout(limit, request)
            .await
            .unwrap_or_else(|_| Err(self.late(limit)))
    }

    /// What a credential plugin takes is no time of the API server's.
    async fn client(&self) -> Result<kube::Client, ApiError> {
        match &self.access {
            Access::Client(client) => Ok(client.clone()),
            Access::Plugin(plugin) => {
                let client = plugin.client().await;
                client.map_err(|cause| ApiError::NoCredential {
                    url: self.url.clone(),
                    cause,
                })
            }
        }
    }

    async fn send(
        &self,
        client: &kube::Client,
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
        let response = timeout(limit, client.send(request))
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
            .and_then(|value| retry_after(value.to_str().ok()?, SystemTime::now()));
        let body = timeout(REQUEST_LIMIT, self.collect(response, MAX_REFUSAL)).await;
        let message = body
            .ok()
            .and_then(Result::ok)
            .and_then(|bytes| serde_json::from_slice::<StatusBody>(&bytes).ok())
            .map(|status| status.message)
            .filter(|message| !message.is_empty())
            .unwrap_or_else(|| canonical_reason(status));
        self.refused(status.as_u16(), message, retry_after)
    }

    async fn collect(
        &self,
        response: http::Response<Body>,
        most: usize,
    ) -> Result<Bytes, ApiError> {
        match Limited::new(response.into_body(), most).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(ApiError::TooLong {
                url: self.url.clone(),
                limit: most,
            }),
            Err(error) => Err(self.unreachable(error.as_ref())),
        }
    }

    /// An answer that is not a success.
    pub(super) fn refused(
        &self,
        code: u16,
        message: String,
        retry_after: Option<Duration>,
    ) -> ApiError {
        ApiError::Status {
            url: self.url.clone(),
            code,
            message: cause::short(message),
            retry_after,
        }
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
            cause: cause::short(cause.to_string()),
        }
    }

    fn unreachable(&self, error: &(dyn std::error::Error + 'static)) -> ApiError {
        if cause::is_late(error) {
            return self.late(CONNECT_LIMIT);
        }
        let (url, cause) = (self.url.clone(), cause::short(cause::innermost(error)));
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

/// What `Retry-After` asks for (RFC 9110, 10.2.3: seconds or a date), up to a bound. What is
/// neither asks for nothing.
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let asked = match is_number {
        // Only a number that is too large cannot be read.
        true => Duration::from_secs(value.parse().unwrap_or(u64::MAX)),
        false => {
            let date = httpdate::parse_http_date(value).ok()?;
            date.duration_since(now).unwrap_or_default()
        }
    };
    Some(asked.min(MAX_RETRY_AFTER))
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
            if self.buffer.len() > MAX_OBJECT {
                return Err(self
                    .api
                    .invalid(format!("a watch event of more than {MAX_OBJECT} bytes")));
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

#[cfg(test)]
mod tests;
