//! How the server functions answer.

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType};
use protocol::json::{self, FromJson};

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
