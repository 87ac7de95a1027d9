//! The reference: the least that can be done per change and client. One thread, one epoll, bytes
//! that are encoded already, one `send` per frame. It knows no HTTP beyond where a request ends and
//! which namespaces it names.
//!
//! It runs as a process of its own so that its sockets and its processor time are its own, and
//! takes orders as lines of JSON from standard input.

use std::collections::{HashMap, VecDeque};
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use anyhow::{Context, Result};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use serde::{Deserialize, Serialize};

const LISTENER: Token = Token(usize::MAX);
const ORDERS: Token = Token(usize::MAX - 1);

/// What the writer is told to do.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) enum Order {
    /// Every client is sent this once its request is read. The first order.
    Greet(String),
    /// Each frame is sent to the clients of this namespace, or to all.
    Send {
        /// None is everybody.
        namespace: Option<String>,
        /// Whole events.
        frames: Vec<String>,
        /// All frames in one write per client, instead of one each.
        together: bool,
    },
}

struct Client {
    socket: TcpStream,
    greeted: bool,
    /// What the socket did not take yet, and how much of the first piece is gone.
    backlog: VecDeque<Arc<[u8]>>,
    sent: usize,
}

struct Writer {
    poll: Poll,
    listener: TcpListener,
    orders: Receiver<Order>,
    greeting: Arc<[u8]>,
    clients: Vec<Option<Client>>,
    by_namespace: HashMap<String, Vec<usize>>,
}

/// Writes until standard input ends.
pub(crate) fn run() -> Result<()> {
    let poll = Poll::new()?;
    let mut listener = TcpListener::bind("127.0.0.1:0".parse()?)?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let waker = Waker::new(poll.registry(), ORDERS)?;
    let (sender, orders) = mpsc::channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            let Ok(order) = serde_json::from_str(&line) else {
                break;
            };
            if sender.send(order).is_err() {
                break;
            }
            let _ = waker.wake();
        }
        // Without a sender the writer ends.
        drop(sender);
        let _ = waker.wake();
    });
    let Ok(Order::Greet(greeting)) = orders.recv() else {
        anyhow::bail!("the first order is a greeting");
    };
    writeln!(
        io::stderr(),
        "listening on http://{}/",
        listener.local_addr()?
    )?;
    let mut writer = Writer {
        poll,
        listener,
        orders,
        greeting: greeting.into_bytes().into(),
        clients: Vec::new(),
        by_namespace: HashMap::new(),
    };
    writer.run()
}

impl Writer {
    fn run(&mut self) -> Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept()?,
                    ORDERS => {
                        if !self.obey() {
                            return Ok(());
                        }
                    }
                    Token(index) => self.serve(index, event.is_readable()),
                }
            }
        }
    }

    fn accept(&mut self) -> Result<()> {
        loop {
            let mut socket = match self.listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("cannot accept"),
            };
            socket.set_nodelay(true)?;
            self.poll.registry().register(
                &mut socket,
                Token(self.clients.len()),
                Interest::READABLE | Interest::WRITABLE,
            )?;
            self.clients.push(Some(Client {
                socket,
                greeted: false,
                backlog: VecDeque::new(),
                sent: 0,
            }));
        }
    }

    /// Does what was ordered; false once there are no orders any more.
    fn obey(&mut self) -> bool {
        loop {
            match self.orders.try_recv() {
                Ok(Order::Send {
                    namespace,
                    frames,
                    together,
                }) => self.send(namespace.as_deref(), frames, together),
                Ok(Order::Greet(_)) => {}
                Err(mpsc::TryRecvError::Empty) => return true,
                Err(mpsc::TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn send(&mut self, namespace: Option<&str>, frames: Vec<String>, together: bool) {
        let pieces = if together {
            vec![frames.concat()]
        } else {
            frames
        };
        for piece in pieces {
            let piece: Arc<[u8]> = piece.into_bytes().into();
            match namespace {
                None => self
                    .clients
                    .iter_mut()
                    .for_each(|client| write(client, &piece)),
                Some(name) => {
                    for &index in self.by_namespace.get(name).into_iter().flatten() {
                        write(&mut self.clients[index], &piece);
                    }
                }
            }
        }
    }

    fn serve(&mut self, index: usize, readable: bool) {
        let Some(client) = &mut self.clients[index] else {
            return;
        };
        if readable && !client.greeted {
            let mut request = [0; 4096];
            // A request is one segment: it is sent by one write and is short.
            let Ok(length @ 1..) = client.socket.read(&mut request) else {
                return;
            };
            client.greeted = true;
            for name in namespaces(&request[..length]) {
                self.by_namespace.entry(name).or_default().push(index);
            }
            write(&mut self.clients[index], &self.greeting);
            return;
        }
        let closed = readable && matches!(client.socket.read(&mut [0; 16]), Ok(0));
        if closed || client.flush().is_err() {
            self.clients[index] = None;
        }
    }
}

/// Sends, or keeps for later what the socket does not take.
fn write(client: &mut Option<Client>, piece: &Arc<[u8]>) {
    let Some(open) = client else {
        return;
    };
    if !open.backlog.is_empty() {
        open.backlog.push_back(piece.clone());
        return;
    }
    let sent = match open.socket.write(piece) {
        Ok(sent) => sent,
        Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
        Err(_) => {
            *client = None;
            return;
        }
    };
    if sent < piece.len() {
        open.backlog.push_back(piece.clone());
        open.sent = sent;
        // The edge may have come and gone: only a refused write is followed by another.
        if open.flush().is_err() {
            *client = None;
        }
    }
}

impl Client {
    fn flush(&mut self) -> io::Result<()> {
        while let Some(piece) = self.backlog.front() {
            match self.socket.write(&piece[self.sent..]) {
                Ok(sent) => self.sent += sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
            if self.sent == piece.len() {
                self.sent = 0;
                self.backlog.pop_front();
            }
        }
        Ok(())
    }
}

/// The namespaces of `GET /path?namespaces=a,b HTTP/1.1`.
fn namespaces(request: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(request);
    let list = text.split_once("namespaces=").map(|(_, rest)| rest);
    let list = list.and_then(|rest| rest.split([' ', '&']).next());
    let names = list.unwrap_or_default().split(',');
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}
