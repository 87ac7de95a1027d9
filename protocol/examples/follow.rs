//! Follows a stream and prints each message with the newest id as a line of JSON: the smallest
//! client that reads, reconnects and resumes as the page does.
//!
//! ```sh
//! cargo run --package protocol --example follow -- 127.0.0.1:3000 shop,docs
//! ```

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use protocol::connection::{Attempt, Command, Config, Connection, Input, Now};
use protocol::message::Heartbeat;
use protocol::sse::{Event, Parser};
use protocol::{Message, Scope};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("which address?")?;
    let scope = Scope::parse(arguments.next().as_deref(), usize::MAX)?;
    let mut follower = Follower {
        address,
        connection: Connection::new(Config::default(), std::process::id().into()),
        started: Instant::now(),
        id: String::new(),
    };
    follower.input(Input::Start(scope));
    loop {
        match follower.connection.poll() {
            Some(Command::Open {
                attempt,
                scope,
                last_event_id,
            }) => {
                if let Err(error) = follower.follow(attempt, &scope, last_event_id.as_deref()) {
                    eprintln!("connection lost: {error}");
                }
                follower.input(Input::Closed(attempt));
            }
            // The stream is read to its end before there is time for another command.
            Some(Command::Close(_) | Command::Fetch { .. }) => {}
            None => {
                let due = follower.connection.next_wakeup().ok_or("it has stopped")?;
                let wait = due.saturating_sub(follower.now().mono_ms);
                sleep(Duration::from_millis(wait));
                follower.input(Input::Timer);
            }
        }
    }
}

struct Follower {
    address: String,
    connection: Connection,
    started: Instant,
    /// The newest id, on whichever connection it came.
    id: String,
}

impl Follower {
    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        Now {
            mono_ms: self.started.elapsed().as_millis() as u64,
            wall_ms: wall.unwrap_or_default().as_millis() as u64,
        }
    }

    fn input(&mut self, input: Input<'_>) {
        let now = self.now();
        self.connection.handle(input, now);
    }

    /// Reads one stream to its end.
    fn follow(&mut self, attempt: Attempt, scope: &Scope, id: Option<&str>) -> io::Result<()> {
        let mut socket = TcpStream::connect(&self.address)?;
        let names = scope.names().into_iter().flatten().cloned();
        let names = names.collect::<Vec<_>>().join(",");
        let resume = id.map_or_else(String::new, |id| format!("Last-Event-ID: {id}\r\n"));
        // With HTTP/1.0 the body is what follows the header, in no chunks.
        write!(
            socket,
            "GET /api/ingresses/stream?namespaces={names} HTTP/1.0\r\nHost: {}\r\n{resume}\r\n",
            self.address
        )?;
        let mut answer = BufReader::new(socket);
        let mut line = String::new();
        answer.read_line(&mut line)?;
        if line.split(' ').nth(1) != Some("200") {
            return Err(io::Error::other(format!("the answer is {line:?}")));
        }
        while line != "\r\n" {
            line.clear();
            if answer.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        self.input(Input::Opened(attempt));
        let mut parser = Parser::default();
        loop {
            let chunk = answer.fill_buf()?;
            if chunk.is_empty() {
                return Ok(());
            }
            let mut events = Vec::new();
            let parsed = parser.push(chunk, |event| events.push(event));
            let length = chunk.len();
            answer.consume(length);
            for event in events {
                self.take(attempt, event)?;
            }
            parsed.map_err(io::Error::other)?;
        }
    }

    fn take(&mut self, attempt: Attempt, event: Event) -> io::Result<()> {
        let decoded = Message::decode(&event.data).map_err(io::Error::other)?;
        // A type that only a later server knows still carries an id and a sign of life.
        let message = decoded.unwrap_or_else(|| {
            Message::Heartbeat(Heartbeat {
                time: String::new(),
            })
        });
        self.input(Input::Message {
            attempt,
            message: &message,
            id: event.id.as_deref(),
        });
        self.id = event.id.unwrap_or_else(|| std::mem::take(&mut self.id));
        let line = serde_json::json!({ "id": self.id, "data": event.data });
        writeln!(io::stdout(), "{line}")
    }
}
