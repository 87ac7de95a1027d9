//! The `text/event-stream` grammar (WHATWG HTML, "Server-sent events"), both ways.

/// One dispatched event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The data lines, joined by line feeds.
    pub data: String,
    /// The id that this event's block set; an empty one voids what was held.
    pub id: Option<String>,
}

/// Reads a stream in chunks cut anywhere.
///
/// Memory is bounded by `max_event_bytes`: a longer line or event is an error, because a server
/// that sends one is not ours.
#[derive(Debug)]
pub struct Parser {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    id: Option<String>,
    retry_ms: Option<u64>,
    after_cr: bool,
    at_start: bool,
    max_event_bytes: usize,
}

/// An event is longer than the parser takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is longer than {max} bytes")]
pub struct TooLong {
    /// The limit, in bytes.
    pub max: usize,
}

impl Default for Parser {
    fn default() -> Self {
        Self::new(4 << 20)
    }
}

impl Parser {
    /// A parser at the start of a stream.
    #[must_use]
    pub fn new(max_event_bytes: usize) -> Self {
        Self {
            line: Vec::new(),
            data: Vec::new(),
            has_data: false,
            id: None,
            retry_ms: None,
            after_cr: false,
            at_start: true,
            max_event_bytes,
        }
    }

    /// The reconnection time in milliseconds that the stream asked for last.
    #[must_use]
    pub fn retry_ms(&self) -> Option<u64> {
        self.retry_ms
    }

    /// Takes the next chunk and hands over each event that it completes, in order. An event that
    /// the end of the stream cuts off is never handed over.
    pub fn push(
        &mut self,
        mut chunk: &[u8],
        mut on_event: impl FnMut(Event),
    ) -> Result<(), TooLong> {
        while !chunk.is_empty() {
            if std::mem::take(&mut self.after_cr)
                && let Some(rest) = chunk.strip_prefix(b"\n")
            {
                chunk = rest;
                continue;
            }
            let end = memchr::memchr2(b'\r', b'\n', chunk);
            let (part, rest) = chunk.split_at(end.unwrap_or(chunk.len()));
            if self.line.len() + self.data.len() + part.len() > self.max_event_bytes {
                return Err(TooLong {
                    max: self.max_event_bytes,
                });
            }
            let Some((end, rest)) = rest.split_first() else {
                self.line.extend_from_slice(part);
                return Ok(());
            };
            self.after_cr = *end == b'\r';
            chunk = rest;
            // A line that came whole is read where it is.
            let event = if self.line.is_empty() {
                self.end_of_line(part)
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(part);
                let event = self.end_of_line(&line);
                line.clear();
                self.line = line;
                event
            };
            if let Some(event) = event {
                on_event(event);
            }
        }
        Ok(())
    }

    fn end_of_line(&mut self, mut line: &[u8]) -> Option<Event> {
        if std::mem::take(&mut self.at_start) {
            line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        }
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.has_data = true;
                self.data.extend_from_slice(value);
            }
            b"id" if !value.contains(&0) => {
                self.id = Some(String::from_utf8_lossy(value).into_owned());
            }
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                self.retry_ms = std::str::from_utf8(value)
                    .ok()
                    .and_then(|text| text.parse().ok());
            }
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Event> {
        let id = self.id.take();
        if !std::mem::take(&mut self.has_data) {
            // An id without data sets the id in the standard; this server never sends one alone.
            self.id = id;
            return None;
        }
        let data = String::from_utf8(std::mem::take(&mut self.data))
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Some(Event { data, id })
    }
}

/// Appends one event with this data and, where given, this id. Neither may hold a line break:
/// JSON escapes them, and ids are our own.
pub fn write_event(out: &mut Vec<u8>, id: Option<&str>, data: &[u8]) {
    debug_assert!(!data.contains(&b'\n') && !data.contains(&b'\r'));
    if let Some(id) = id {
        debug_assert!(!id.contains(['\n', '\r', '\0']));
        out.extend_from_slice(b"id: ");
        out.extend_from_slice(id.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\n\n");
}

/// Appends the reconnection time in milliseconds for clients that reconnect by themselves. It
/// belongs to the block of the event that follows: some libraries hand a block of its own to the
/// application as an event without data.
pub fn write_retry(out: &mut Vec<u8>, milliseconds: u64) {
    out.extend_from_slice(format!("retry: {milliseconds}\n").as_bytes());
}

#[cfg(test)]
mod tests;
