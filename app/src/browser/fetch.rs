//! JSON documents of this server.

use gloo_net::http::Request;
use protocol::json::{self, FromJson};

/// Fetches a JSON document of this server. The error is in plain words.
pub(crate) async fn fetch_json<T: FromJson>(url: &str) -> Result<T, String> {
    let unreachable = |_| "The server could not be reached.".to_owned();
    let response = Request::get(url).send().await.map_err(unreachable)?;
    if !response.ok() {
        return Err(format!(
            "The server refuses this (HTTP {}).",
            response.status()
        ));
    }
    let text = response.text().await.map_err(unreachable)?;
    json::read(text.as_bytes()).map_err(|_| "The server's answer cannot be read.".to_owned())
}
