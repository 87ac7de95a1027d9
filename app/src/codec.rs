//! How server functions are called, and how they answer.

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType};
use protocol::json::{self, FromJson};

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
