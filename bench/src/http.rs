//! The least of an HTTP/1.1 client: one `GET`, and the body of its answer as it comes, in whatever
//! pieces.

use anyhow::{Context, Result, bail, ensure};

/// The request of a stream, or of anything else that is answered with a body.
pub(crate) fn get(host: impl std::fmt::Display, path: &str, last_event_id: Option<&str>) -> String {
    let resume = last_event_id.map_or_else(String::new, |id| format!("Last-Event-ID: {id}\r\n"));
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{resume}Connection: close\r\n\r\n")
}

/// An answer that is being read. It holds no more than one line of its framing, or its head.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    stage: Stage,
    /// The head, or the size line of a chunk, as far as it has come.
    line: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Head,
    /// The size of the next chunk, after the empty line that ends the one before.
    Size,
    /// So much of the chunk is still to come.
    Chunk(usize),
    /// The body lasts as long as the connection.
    Plain,
    Over,
}

impl Answer {
    /// Whether the head has been read and says 200.
    pub(crate) fn is_ok(&self) -> bool {
        self.stage != Stage::Head
    }

    /// Takes the next piece and hands over what it has of the body. Any status but 200 is an error.
    pub(crate) fn push(
        &mut self,
        mut piece: &[u8],
        mut on_body: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        while !piece.is_empty() {
            match self.stage {
                Stage::Head => {
                    let before = self.line.len();
                    self.line.extend_from_slice(piece);
                    let searched = before.saturating_sub(3);
                    let Some(end) = find(&self.line[searched..], b"\r\n\r\n") else {
                        return Ok(());
                    };
                    let length = searched + end + 4;
                    piece = &piece[length - before..];
                    self.stage = body_of(&self.line[..length])?;
                    self.line = Vec::new();
                }
                Stage::Size => {
                    let end = piece.iter().position(|&byte| byte == b'\n');
                    let (line, rest) = piece.split_at(end.map_or(piece.len(), |end| end + 1));
                    self.line.extend_from_slice(line);
                    piece = rest;
                    if end.is_none() {
                        return Ok(());
                    }
                    if self.line != b"\r\n" {
                        self.stage = chunk_of(&self.line)?;
                    }
                    self.line.clear();
                }
                Stage::Chunk(left) => {
                    let (body, rest) = piece.split_at(left.min(piece.len()));
                    on_body(body)?;
                    piece = rest;
                    self.stage = match left - body.len() {
                        0 => Stage::Size,
                        left => Stage::Chunk(left),
                    };
                }
                Stage::Plain => return on_body(piece),
                Stage::Over => return Ok(()),
            }
        }
        Ok(())
    }
}

fn body_of(head: &[u8]) -> Result<Stage> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    response
        .parse(head)
        .context("the answer has no readable head")?;
    let status = response.code.unwrap_or_default();
    ensure!(status == 200, "the answer has status {status}");
    let chunked = response.headers.iter().any(|header| {
        header.name.eq_ignore_ascii_case("transfer-encoding") && header.value == b"chunked"
    });
    Ok(if chunked { Stage::Size } else { Stage::Plain })
}

fn chunk_of(line: &[u8]) -> Result<Stage> {
    match httparse::parse_chunk_size(line) {
        Ok(httparse::Status::Complete((_, 0))) => Ok(Stage::Over),
        Ok(httparse::Status::Complete((_, size))) => Ok(Stage::Chunk(size as usize)),
        _ => bail!("not the size of a chunk: {}", line.escape_ascii()),
    }
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes
        .windows(pattern.len())
        .position(|window| window == pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(bytes: &[u8], piece: usize) -> Result<String> {
        let mut answer = Answer::default();
        let mut body = Vec::new();
        for piece in bytes.chunks(piece) {
            answer.push(piece, |bytes| {
                body.extend_from_slice(bytes);
                Ok(())
            })?;
        }
        assert!(answer.is_ok());
        Ok(String::from_utf8(body)?)
    }

    #[test]
    fn where_an_answer_is_cut_makes_no_difference() {
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nA\r\n, everyone\r\n0\r\n\r\n";
        let plain = b"HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\nhello, everyone";
        for piece in 1..chunked.len() {
            assert_eq!(body(chunked, piece).unwrap(), "hello, everyone");
            assert_eq!(body(plain, piece).unwrap(), "hello, everyone");
        }
    }

    #[test]
    fn a_refusal_is_an_error_that_names_the_status() {
        let refusal = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 5\r\n\r\n";
        let error = body(refusal, 7).unwrap_err();
        assert_eq!(error.to_string(), "the answer has status 429");
    }
}
