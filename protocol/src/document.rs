//! The JSON documents of `/api/ingresses` and `/api/namespaces`.

use serde::Serialize;

use crate::ingress::Ingress;
use crate::json::{self, Error, FromJson, Reader};
use crate::message::{NamespaceState, StreamError};

/// `GET /api/ingresses`: the rows of a scope at one revision.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IngressDocument {
    /// The id from which a stream of the same scope resumes; absent on a page of a longer list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The server's build, as in `reset`.
    pub build: String,
    /// Namespaces whose rows are not known yet, as in `synced`.
    pub pending: Vec<String>,
    /// How many they are, where `pending` names only some. The stream that goes on from here says
    /// which the others are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_count: Option<usize>,
    /// What keeps parts of the scope from being live, as in the stream's `error`: without these
    /// namespaces, or with old rows of them, the document is not the cluster's state.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<StreamError>,
    /// How many rows match, on all pages together.
    pub total: usize,
    /// Asks for the next page; absent on the last.
    #[serde(rename = "continue", skip_serializing_if = "Option::is_none")]
    pub continue_token: Option<String>,
    /// The rows, by namespace, then name.
    pub items: Vec<Ingress>,
}

impl FromJson for IngressDocument {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self::default();
        reader.object(&["build", "total", "items"]);
        while let Some(name) = reader.member() {
            match name {
                "revision" => value.revision = reader.read(),
                "build" => value.build = reader.read(),
                "pending" => value.pending = reader.read(),
                "pendingCount" => value.pending_count = reader.read(),
                "errors" => value.errors = reader.read(),
                "total" => value.total = reader.read(),
                "continue" => value.continue_token = reader.read(),
                "items" => value.items = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// Reads an [`IngressDocument`] as it comes: its text, of 50 MB for 50,000 rows, is never held
/// whole.
///
/// The server writes the items last. A document that has them elsewhere is read at its end.
#[derive(Debug, Default)]
pub struct DocumentReader {
    /// What has come and is not read yet.
    text: Vec<u8>,
    /// Everything before the items, and those that have been read.
    document: Option<IngressDocument>,
}

impl DocumentReader {
    /// What stands before the items. No text inside of a JSON string looks like it: its quotation
    /// marks are escaped there.
    const ITEMS: &[u8] = b"\"items\":[";

    /// Reads on. After an error nothing more can be read.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Error> {
        self.text.extend_from_slice(chunk);
        if self.document.is_none() {
            self.read_head()?;
        }
        let Some(document) = &mut self.document else {
            return Ok(());
        };
        let mut read = 0;
        loop {
            let rest = &self.text[read..];
            let between = rest.iter().take_while(|byte| b", \r\n\t".contains(byte));
            read += between.count();
            if matches!(self.text.get(read), None | Some(b']')) {
                break;
            }
            let Some((mut item, size)) = json::read_first::<Ingress>(&self.text[read..])? else {
                break;
            };
            item.shrink_to_fit();
            document.items.push(item);
            read += size;
        }
        self.text.drain(..read);
        Ok(())
    }

    fn read_head(&mut self) -> Result<(), Error> {
        if let Some(at) = memchr::memmem::find(&self.text, Self::ITEMS) {
            let items = at + Self::ITEMS.len();
            let head = [&self.text[..items], b"]}"].concat();
            let mut document: IngressDocument = json::read(&head)?;
            // A list that grows is twice there each time; what is said is not believed without
            // limit.
            document.items.reserve_exact(document.total.min(100_000));
            self.document = Some(document);
            self.text.drain(..items);
        }
        Ok(())
    }

    /// The whole document. An error where it was cut off, or goes on after its end.
    pub fn finish(self) -> Result<IngressDocument, Error> {
        match self.document {
            None => json::read(&self.text),
            Some(document) if self.text.trim_ascii() == b"]}" => Ok(document),
            Some(_) => Err(Error::new("the document does not end with its items")),
        }
    }
}

/// `GET /api/namespaces`: the namespaces that may be chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceDocument {
    /// False where the server may not list namespaces: names are typed in instead.
    pub complete: bool,
    /// The most namespaces that one stream takes by name (`MAX_NAMESPACES_PER_STREAM`).
    pub max_per_stream: usize,
    /// By name.
    pub items: Vec<NamespaceSummary>,
}

impl FromJson for NamespaceDocument {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self::default();
        reader.object(&["complete", "maxPerStream", "items"]);
        while let Some(name) = reader.member() {
            match name {
                "complete" => value.complete = reader.read(),
                "maxPerStream" => value.max_per_stream = reader.read(),
                "items" => value.items = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// One namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamespaceSummary {
    /// `metadata.name`
    pub name: String,
    /// How many ingresses it has; absent while nobody watches it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// Absent while nobody watches it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<NamespaceState>,
}

impl FromJson for NamespaceSummary {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self {
            name: String::new(),
            count: None,
            state: None,
        };
        reader.object(&["name"]);
        while let Some(name) = reader.member() {
            match name {
                "name" => value.name = reader.read(),
                "count" => value.count = reader.read(),
                "state" => value.state = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

#[cfg(test)]
mod tests;
