//! How server functions are called, and how they answer.

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use leptos::server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType};
use protocol::json::{self, FromJson, Reader};
use serde::Serialize;

use crate::query::encoded;

/// Arguments as a form sends them: what Leptos does by default, without `serde_qs` in the page's
/// module.
pub struct Form;

/// Writes the arguments of one server function.
pub trait ToForm {
    /// Each argument's name and value.
    fn fields(&self) -> Vec<(&'static str, &str)>;
}

impl ContentType for Form {
    const CONTENT_TYPE: &'static str = "application/x-www-form-urlencoded";
}

impl FormatType for Form {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: ToForm> Encodes<T> for Form {
    type Error = std::convert::Infallible;

    fn encode(arguments: &T) -> Result<Bytes, Self::Error> {
        let fields = arguments.fields();
        let fields = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)));
        Ok(fields.collect::<Vec<_>>().join("&").into())
    }
}

impl<T: serde::de::DeserializeOwned> Decodes<T> for Form {
    type Error = serde_urlencoded::de::Error;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        serde_urlencoded::from_bytes(&bytes)
    }
}

/// JSON, which the page reads as it reads all else, without serde.
pub struct Answer;

impl ContentType for Answer {
    const CONTENT_TYPE: &'static str = JsonEncoding::CONTENT_TYPE;
}

impl FormatType for Answer {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: serde::Serialize> Encodes<T> for Answer {
    type Error = serde_json::Error;

    fn encode(output: &T) -> Result<Bytes, Self::Error> {
        JsonEncoding::encode(output)
    }
}

impl<T: FromJson> Decodes<T> for Answer {
    type Error = json::Error;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        json::read(&bytes)
    }
}

/// Why a server function did not do what it was asked for: the part of a problem document (RFC 9457)
/// that it knows.
#[derive(Clone, Debug, Serialize)]
pub struct Refusal {
    /// The HTTP status, where nothing else has said one.
    status: u16,
    /// In words.
    pub detail: String,
}

impl Refusal {
    /// A refusal that is no fault of the arguments.
    #[must_use]
    pub fn new(detail: String) -> Self {
        Self {
            status: 500,
            detail,
        }
    }
}

impl FromServerFnError for Refusal {
    type Encoder = Answer;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        use ServerFnErrorErr::{Args, Deserialization, MissingArg};
        match error {
            // In the browser there is no answer then, or one of something else than the server.
            _ if !cfg!(feature = "ssr") => Self::new("The server could not be reached.".into()),
            Args(detail) | Deserialization(detail) | MissingArg(detail) => Self {
                status: 400,
                detail,
            },
            error => Self::new(error.to_string()),
        }
    }
}

impl FromJson for Refusal {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut detail = String::new();
        reader.object(&["detail"]);
        while let Some(name) = reader.member() {
            match name {
                "detail" => detail = reader.read(),
                _ => reader.skip(),
            }
        }
        Self::new(detail)
    }
}

/// How long an answer is waited for, in milliseconds: the server itself gives up after 10 s.
#[cfg(target_arch = "wasm32")]
const WAIT_MS: u64 = 15_000;

/// Waits for the answer of a server function; else why there is none, in words.
#[cfg(target_arch = "wasm32")]
pub async fn answer<T>(asked: impl Future<Output = Result<T, Refusal>>) -> Result<T, String> {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::rc::Rc;
    use std::task::{Poll, Waker};
    use std::time::Duration;

    let mut asked = pin!(asked);
    let (late, waiting) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(None::<Waker>)));
    let (end, wake) = (Rc::clone(&late), Rc::clone(&waiting));
    let timer = leptos::prelude::set_timeout_with_handle(
        move || {
            end.set(true);
            if let Some(waker) = wake.take() {
                waker.wake();
            }
        },
        Duration::from_millis(WAIT_MS),
    );
    let answer = poll_fn(|context| {
        if let Poll::Ready(answer) = asked.as_mut().poll(context) {
            return Poll::Ready(answer.map_err(|refusal| refusal.detail));
        }
        if late.get() {
            let seconds = WAIT_MS / 1_000;
            return Poll::Ready(Err(format!(
                "The server did not answer within {seconds} s."
            )));
        }
        waiting.set(Some(context.waker().clone()));
        Poll::Pending
    });
    let answer = answer.await;
    if let Ok(timer) = timer {
        timer.clear();
    }
    answer
}
