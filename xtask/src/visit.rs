//! What a first visit loads: the document without rows and the files of the page, compressed.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::build::target;
use crate::command::{root, shown};
use crate::report::Outcome;

/// The sum that was committed, in bytes.
const COMMITTED: &str = "xtask/first-visit";

/// By so many percent it may grow before somebody has to agree.
const TOLERANCE: u64 = 5;

/// The files that the document names, in the order of the table.
const FILES: [&str; 7] = [
    "__wasm_split.js",
    "app.css",
    "boot.js",
    "frontend.js",
    "frontend_bg.wasm",
    "favicon.svg",
    "manifest.webmanifest",
];

/// Compares what a first visit of this build loads with what was committed. The binary carries the
/// files of `target/site`.
pub(crate) fn check(binary: &Path) -> Result<Outcome> {
    let (sum, table) = measure(binary)?;
    println!("{table}");
    let committed = fs::read_to_string(root().join(COMMITTED))
        .with_context(|| format!("cannot read {COMMITTED}"))?;
    let committed = committed
        .trim()
        .parse()
        .with_context(|| format!("{COMMITTED} is not a number of bytes"))?;
    Ok(match too_much(sum, committed) {
        Some(complaint) => Outcome::broken(complaint),
        None => Outcome {
            passed: 1,
            ..Outcome::default()
        },
    })
}

/// What there is to say of a sum that has grown too much.
fn too_much(sum: u64, committed: u64) -> Option<String> {
    (sum * 100 > committed * (100 + TOLERANCE)).then(|| {
        format!(
            "a first visit loads {sum} bytes, {:.1} % more than the {committed} of {COMMITTED}; {TOLERANCE} % are allowed. Make the \
             page smaller, or write {sum} into {COMMITTED} and say in the commit what it is for",
            (sum as f64 / committed as f64 - 1.0) * 100.0
        )
    })
}

/// The sum in bytes, and a table of its parts.
pub(crate) fn measure(binary: &Path) -> Result<(u64, String)> {
    let document = document(binary)?;
    let mut parts = vec![("document without rows", document.len() as u64)];
    for file in FILES {
        let path = ["br", "identity"].map(|coding| target().join("site").join(coding).join(file));
        let path = path.iter().find(|path| path.exists());
        let size = fs::metadata(path.with_context(|| format!("the page has no {file}"))?)?.len();
        parts.push((file, size));
    }
    let sum = parts.iter().map(|(_, size)| size).sum();
    let mut table = String::from("first visit, brotli, bytes\n");
    for (part, size) in parts.iter().chain([&("sum", sum)]) {
        let _ = writeln!(table, "{part:24}{size:>8}");
    }
    Ok((sum, table))
}

/// The document of a cluster without ingresses, compressed as it is sent.
fn document(binary: &Path) -> Result<Vec<u8>> {
    let server = Server::start(binary)?;
    let mut socket = TcpStream::connect(&server.address)
        .with_context(|| format!("cannot connect to {}", server.address))?;
    // HTTP/1.0: nothing but the body follows the head.
    let host = &server.address;
    write!(
        socket,
        "GET / HTTP/1.0\r\nHost: {host}\r\nAccept-Encoding: br\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.context("the answer has no head")? + 4);
    let head = String::from_utf8_lossy(head).to_lowercase();
    ensure!(
        head.starts_with("http/1.0 200") && head.contains("content-encoding: br"),
        "the page is not there, or not compressed: {head}"
    );
    Ok(body.to_vec())
}

/// A dashboard of an empty simulated cluster; ended when dropped.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(binary: &Path) -> Result<Self> {
        let mut command = Command::new(binary);
        command
            .args(["--demo=1x0", "--listen=127.0.0.1:0"])
            .stderr(Stdio::piped());
        let shown = shown(&command);
        let mut process = command
            .spawn()
            .with_context(|| format!("cannot start `{shown}`"))?;
        let log = process.stderr.take().context("no log")?;
        let mut server = Self {
            process,
            address: String::new(),
        };
        let mut lines = BufReader::new(log).lines();
        for line in lines.by_ref() {
            if let Some((_, url)) = line?.split_once("listening on http://") {
                url.trim_end_matches('/').clone_into(&mut server.address);
                // What it says later must not fill the pipe.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(server);
            }
        }
        anyhow::bail!("`{shown}` ended before it listened")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_percent_more_are_allowed_and_not_a_byte_more() {
        assert_eq!(too_much(100_000, 100_000), None);
        assert_eq!(too_much(105_000, 100_000), None);
        let complaint = too_much(105_001, 100_000).unwrap();
        assert!(
            complaint.contains("105001 bytes, 5.0 % more"),
            "{complaint}"
        );
        assert!(complaint.contains("write 105001 into"), "{complaint}");
    }
}
