//! The browser's side of [`Live`]: fetches, clocks, timers and page events, around the state
//! machine that decides.
//!
//! It is one file: requests, stream, timers and frames share one state.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use gloo_net::http::{Request, RequestBuilder, Response};
use js_sys::{Date, Math, Reflect, Uint8Array};
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::logging::warn;
use leptos::prelude::*;
use protocol::connection::{Attempt, Command, Config, Connection, Input, Now, Reconnect, State};
use protocol::json::{self, FromJson, Reader};
use protocol::message::Heartbeat;
use protocol::sse::Parser;
use protocol::table::Table;
use protocol::tabs::Seat;
use protocol::{DocumentReader, IngressDocument, Message, Scope};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, AbortSignal, ReadableStreamDefaultReader, VisibilityState};

use super::{ConnectionView, Live, Lost, mono_now_ms, set_if_changed, tabs};

/// Animation frames stop in hidden tabs.
const HIDDEN_FRAME: Duration = Duration::from_millis(500);
/// With more rows than this, rows appear, leave and move together,
const MANY: usize = 2_000;
/// so many milliseconds apart. What a row says changes with each frame.
const SETTLE_MS: u64 = 200;
/// A timer that is due after a sleep is not: the state machine is asked at least this often, so
/// that it notices soon.
const LONGEST_TIMER_MS: u64 = 5_000;
/// How many of the last failures are kept.
const KEPT_FAILURES: usize = 3;

thread_local! {
    /// A page has one.
    static ENGINE: RefCell<Option<Rc<Engine>>> = const { RefCell::new(None) };
}

pub(super) fn start(live: Live, base_path: &str, build: &str, reconnect: Reconnect) {
    if ENGINE.with_borrow(Option::is_some) {
        return;
    }
    let config = Config {
        documents: true,
        shared: true,
        ..Config::from(reconnect)
    };
    let engine = Rc::new(Engine {
        live,
        base_path: base_path.to_owned(),
        build: build.to_owned(),
        connection: RefCell::new(Connection::new(config, seed())),
        seat: RefCell::new(Seat::new(seed())),
        stream: RefCell::new(None),
        queue: RefCell::default(),
        frame_is_due: Cell::new(false),
        settled_ms: Cell::new(0),
        settle_due_ms: Cell::new(None),
        timer: Cell::new(None),
    });
    ENGINE.set(Some(Rc::clone(&engine)));
    engine.listen();
    if is_hidden() {
        engine.seat.borrow_mut().hide();
        engine.input(Input::Hidden);
    } else {
        engine.seat.borrow_mut().looked_at(now());
    }
    if !window().navigator().on_line() {
        engine.input(Input::Offline);
    }
    engine.input(Input::Start(live.scope.get_untracked()));
}

pub(super) fn set_scope(scope: Scope) {
    if let Some(engine) = ENGINE.with_borrow(Clone::clone) {
        // What is queued belongs to the old scope.
        engine.queue.borrow_mut().clear();
        engine.input(Input::SetScope(scope));
    }
}

pub(super) fn retry_now() {
    if let Some(engine) = ENGINE.with_borrow(Clone::clone) {
        engine.input(Input::RetryNow);
    }
}

struct Engine {
    live: Live,
    base_path: String,
    build: String,
    connection: RefCell<Connection>,
    /// What this tab has of what all tabs share.
    seat: RefCell<Seat>,
    /// The stream that is being opened, or open. Aborting it ends its task.
    stream: RefCell<Option<(Attempt, AbortController)>>,
    /// What waits for the next frame.
    queue: RefCell<Vec<Queued>>,
    frame_is_due: Cell<bool>,
    /// When rows last appeared, left and moved, on the monotonic clock.
    settled_ms: Cell<u64>,
    /// When rows are next let appear, leave and move, where some wait.
    settle_due_ms: Cell<Option<u64>>,
    timer: Cell<Option<TimeoutHandle>>,
}

enum Queued {
    Document(IngressDocument),
    /// A stream was opened.
    Begin,
    Message(Attempt, Message),
}

/// How a request or a stream ends.
enum End {
    /// The network, or an abort.
    Closed,
    Refused {
        status: u16,
        retry_after_ms: Option<u64>,
        title: String,
    },
    /// What came cannot be read.
    Invalid,
}

impl From<JsValue> for End {
    fn from(_: JsValue) -> Self {
        Self::Closed
    }
}

impl From<gloo_net::Error> for End {
    fn from(_: gloo_net::Error) -> Self {
        Self::Closed
    }
}

impl Engine {
    fn listen(self: &Rc<Self>) {
        let on = |name: &str, input: fn() -> Input<'static>| {
            let engine = Rc::clone(self);
            window_event_listener_untyped(name, move |_| engine.input(input()));
        };
        on("online", || Input::Online);
        on("offline", || Input::Offline);
        on("pagehide", || Input::PageHide);
        on("pageshow", || Input::PageShow);
        let engine = Rc::clone(self);
        window_event_listener_untyped("visibilitychange", move |_| {
            if is_hidden() {
                // A frame that was asked for may not come any more.
                engine.draw();
                engine.seat.borrow_mut().hide();
                engine.input(Input::Hidden);
            } else {
                engine.seat.borrow_mut().looked_at(now());
                engine.input(Input::Visible);
            }
        });
        let engine = Rc::clone(self);
        window_event_listener_untyped("focus", move |_| {
            engine.seat.borrow_mut().looked_at(now());
            engine.follow();
        });
        let engine = Rc::clone(self);
        tabs::listen(move |word| {
            engine.seat.borrow_mut().hear(word);
            engine.follow();
        });
    }

    fn input(self: &Rc<Self>, input: Input<'_>) {
        self.decide(input);
        self.follow();
    }

    /// Asks the state machine, and does what it says.
    fn decide(self: &Rc<Self>, input: Input<'_>) {
        self.connection.borrow_mut().handle(input, now());
        loop {
            let command = self.connection.borrow_mut().poll();
            match command {
                None => return,
                Some(Command::Close(attempt)) => self.close(attempt),
                Some(Command::Fetch { attempt, scope }) => self.open(attempt, scope, None, true),
                Some(Command::Open {
                    attempt,
                    scope,
                    last_event_id,
                }) => self.open(attempt, scope, last_event_id, false),
            }
        }
    }

    /// What follows each input, or each chunk of messages: the badge, what other tabs are told, and
    /// the timer.
    fn follow(self: &Rc<Self>) {
        let state = self.connection.borrow().state();
        if self
            .live
            .connection
            .with_untracked(|view| view.state != state)
        {
            self.publish_connection();
        }
        if let Some(timer) = self.timer.take() {
            timer.clear();
        }
        self.share();
        let now = now();
        let due = [
            self.connection.borrow().next_wakeup(),
            self.seat.borrow().next_wakeup(now),
        ];
        let Some(due) = due.into_iter().flatten().min() else {
            return;
        };
        let delay = due.saturating_sub(now.mono_ms).min(LONGEST_TIMER_MS);
        let engine = Rc::clone(self);
        let timer = set_timeout_with_handle(move || engine.tick(), Duration::from_millis(delay));
        self.timer.set(timer.ok());
    }

    fn tick(self: &Rc<Self>) {
        let place = self.seat.borrow().place(now());
        self.input(place.map_or(Input::Timer, Input::Place));
    }

    /// Asks for what the connection needs of what all tabs share, or gives it back.
    fn share(self: &Rc<Self>) {
        let ask = {
            let mut seat = self.seat.borrow_mut();
            seat.set_need(self.connection.borrow().need(), now());
            seat.begin_step(now())
        };
        let Some(ask) = ask else { return };
        let engine = Rc::clone(self);
        spawn_local(async move {
            let answer = tabs::step(ask).await;
            engine.seat.borrow_mut().end_step(answer);
            engine.tick();
            engine.publish_connection();
            if let Some(news) = answer.and_then(|answer| answer.news) {
                tabs::tell(news);
            }
        });
    }

    fn publish_connection(&self) {
        let view = {
            let connection = self.connection.borrow();
            let before = self.live.connection.get_untracked();
            let state = connection.state();
            let mut failures = before.failures;
            if let Some((failure, at_wall_ms)) = connection.last_failure()
                && failures
                    .last()
                    .is_none_or(|last| last.at_wall_ms != *at_wall_ms)
            {
                failures.push(Lost {
                    why: failure.to_string(),
                    at_wall_ms: *at_wall_ms,
                });
                if failures.len() > KEPT_FAILURES {
                    failures.remove(0);
                }
            }
            let same = std::mem::discriminant(&state) == std::mem::discriminant(&before.state);
            ConnectionView {
                since_wall_ms: match before.since_wall_ms {
                    Some(since) if same => Some(since),
                    _ => Some(now().wall_ms),
                },
                state,
                data_as_of_wall_ms: connection.data_as_of_wall_ms(),
                last_message_mono_ms: connection.last_message_mono_ms(),
                failures,
                tabs: self.seat.borrow().answer(),
            }
        };
        let lost = matches!(
            view.state,
            State::Stale { .. } | State::Reconnecting { attempt: 1.., .. } | State::Offline { .. }
        );
        set_if_changed(self.live.connection, view);
        // Nothing is "just now" any more.
        if lost && self.live.table.try_update_value(Table::clear_marks) == Some(true) {
            self.live.publish_rows();
        }
    }

    /// Begins a stream, or with `document` what comes before it.
    fn open(
        self: &Rc<Self>,
        attempt: Attempt,
        scope: Scope,
        last_event_id: Option<String>,
        document: bool,
    ) {
        let Ok(controller) = AbortController::new() else {
            return;
        };
        let signal = controller.signal();
        *self.stream.borrow_mut() = Some((attempt, controller));
        let engine = Rc::clone(self);
        spawn_local(async move {
            let end = match document {
                true => engine.document(attempt, &scope, &signal).await,
                false => engine.run(attempt, &scope, last_event_id, &signal).await,
            };
            let Err(end) = end else { return };
            if !engine.is_current(attempt) {
                return;
            }
            // Nothing of the answer is wanted any more.
            engine.close(attempt);
            match end {
                End::Closed => engine.input(Input::Closed(attempt)),
                End::Invalid => engine.input(Input::Invalid(attempt)),
                End::Refused {
                    status,
                    retry_after_ms,
                    title,
                } => {
                    engine.input(Input::Refused {
                        attempt,
                        status,
                        retry_after_ms,
                        title: &title,
                    });
                }
            }
        });
    }

    fn close(&self, attempt: Attempt) {
        if self.is_current(attempt)
            && let Some((_, controller)) = self.stream.take()
        {
            controller.abort();
        }
    }

    fn is_current(&self, attempt: Attempt) -> bool {
        self.stream
            .borrow()
            .as_ref()
            .is_some_and(|(current, _)| *current == attempt)
    }

    /// Fetches the rows as one document, which is one transfer and one parse. The stream resumes
    /// from there.
    async fn document(
        self: &Rc<Self>,
        attempt: Attempt,
        scope: &Scope,
        signal: &AbortSignal,
    ) -> Result<(), End> {
        let invalid = |error| {
            warn!("the document of the rows cannot be read: {error}");
            End::Invalid
        };
        // Without a header of its own it is the request that the page began as it loaded.
        let request = self.request("/api/ingresses", scope, None);
        let body = body(&fetch(request, signal).await?)?;
        let mut reader = DocumentReader::default();
        while let Some(chunk) = next_chunk(&body).await? {
            reader.push(&chunk).map_err(invalid)?;
        }
        let document = reader.finish().map_err(invalid)?;
        let revision = document.revision.clone();
        if self.is_current(attempt) {
            self.queue(Queued::Document(document));
            self.input(Input::Snapshot {
                attempt,
                revision: revision.as_deref(),
            });
        }
        Ok(())
    }

    /// One stream from its request to its end. `Ok`: the stream was closed from here.
    async fn run(
        self: &Rc<Self>,
        attempt: Attempt,
        scope: &Scope,
        last_event_id: Option<String>,
        signal: &AbortSignal,
    ) -> Result<(), End> {
        let request = self
            .request("/api/ingresses/stream", scope, last_event_id.as_deref())
            .header("accept", "text/event-stream");
        let response = fetch(request, signal).await?;
        let is_stream = (response.headers().get("content-type"))
            .is_some_and(|content_type| content_type.starts_with("text/event-stream"));
        if !is_stream {
            let title = "the answer is not an event stream".to_owned();
            return Err(End::Refused {
                status: response.status(),
                retry_after_ms: None,
                title,
            });
        }
        if !self.is_current(attempt) {
            return Ok(());
        }
        self.queue(Queued::Begin);
        self.input(Input::Opened(attempt));
        let body = body(&response)?;
        let mut parser = Parser::default();
        loop {
            let chunk = next_chunk(&body).await?.ok_or(End::Closed)?;
            let mut events = Vec::new();
            parser
                .push(&chunk, |event| events.push(event))
                .map_err(|error| {
                    warn!("{error}");
                    End::Invalid
                })?;
            for event in events {
                let decoded = Message::decode(&event.data).map_err(|error| {
                    warn!("{error}");
                    End::Invalid
                })?;
                if !self.is_current(attempt) {
                    return Ok(());
                }
                // A type that only a later build knows still carries an id and a sign of life.
                let message = decoded.unwrap_or_else(|| {
                    Message::Heartbeat(Heartbeat {
                        time: String::new(),
                    })
                });
                self.decide(Input::Message {
                    attempt,
                    message: &message,
                    id: event.id.as_deref(),
                });
                self.queue(Queued::Message(attempt, message));
            }
            self.follow();
        }
    }

    fn request(&self, path: &str, scope: &Scope, last_event_id: Option<&str>) -> RequestBuilder {
        let mut query = Vec::new();
        if *scope != Scope::All {
            query.push(("namespaces", scope.to_string()));
        }
        if let Some(id) = last_event_id {
            query.push(("lastEventId", id.to_owned()));
        }
        Request::get(&format!("{}{path}", self.base_path)).query(query)
    }

    /// Queues for the next frame, and asks for one.
    fn queue(self: &Rc<Self>, item: Queued) {
        self.queue.borrow_mut().push(item);
        if self.frame_is_due.replace(true) {
            return;
        }
        let engine = Rc::clone(self);
        if is_hidden() {
            set_timeout(move || engine.draw(), HIDDEN_FRAME);
        } else {
            request_animation_frame(move || engine.draw());
        }
    }

    /// Applies what is queued, once, and tells the page.
    fn draw(self: &Rc<Self>) {
        self.frame_is_due.set(false);
        let queue = self.queue.take();
        if queue.is_empty() {
            return;
        }
        let held = self.live.held.get_value();
        let at_ms = mono_now_ms();
        let (mut rows, mut status) = (false, false);
        let mut mismatch = None;
        let mut build = None;
        self.live.table.update_value(|table| {
            for item in queue {
                let (attempt, change) = match item {
                    Queued::Begin => {
                        table.begin_stream();
                        continue;
                    }
                    Queued::Document(document) => (None, table.apply_document(document)),
                    Queued::Message(attempt, message) => {
                        (Some(attempt), table.apply(message, at_ms))
                    }
                };
                rows |= change.rows;
                status |= change.status;
                build = change.build.or(build.take());
                if let (Some(attempt), Some(found)) = (attempt, change.mismatch) {
                    mismatch = Some((attempt, found));
                }
            }
            if !held {
                self.settle(table, at_ms);
            }
        });
        if let Some(build) = build {
            set_if_changed(self.live.new_build, (build != self.build).then_some(build));
        }
        // The first rows are news even where there are none.
        if rows || self.live.version.get_untracked() == 0 {
            self.live.publish_rows();
        }
        if status {
            self.live.publish_status();
        }
        self.publish_connection();
        if let Some((attempt, found)) = mismatch {
            warn!(
                "the server has {} rows, this page {}: starting again",
                found.expected, found.held
            );
            self.input(Input::CountMismatch(attempt));
        }
    }

    /// Lets rows appear, leave and move: now, or a little later where they did just now.
    fn settle(self: &Rc<Self>, table: &mut Table, now_ms: u64) {
        let due = match table.store().totals().rows > MANY {
            true => self.settled_ms.get() + SETTLE_MS,
            false => now_ms,
        };
        let next = if due <= now_ms {
            self.settled_ms.set(now_ms);
            table.settle_at(now_ms)
        } else {
            (table.store().waiting() > 0).then_some(due)
        };
        // A timer that is there already comes early enough.
        let is_due = |next: &u64| self.settle_due_ms.get().is_none_or(|due| *next < due);
        if let Some(next) = next.filter(is_due) {
            self.settle_due_ms.set(Some(next));
            let engine = Rc::clone(self);
            let settle = move || {
                engine.settle_due_ms.take();
                if !engine.live.held.get_value() {
                    let now_ms = mono_now_ms();
                    (engine.live.table).update_value(|table| engine.settle(table, now_ms));
                    engine.live.publish_rows();
                }
            };
            // One more, as both clocks cut off parts of milliseconds.
            set_timeout(settle, Duration::from_millis(next - now_ms.min(next) + 1));
        }
    }
}

/// A good answer to a request, or why there is none.
async fn fetch(request: RequestBuilder, signal: &AbortSignal) -> Result<Response, End> {
    let response = request.abort_signal(Some(signal)).send().await?;
    if response.ok() {
        return Ok(response);
    }
    let retry_after_ms = response
        .headers()
        .get("retry-after")
        .and_then(|value| retry_after_ms(&value));
    let body = response.text().await.unwrap_or_default();
    let title = json::read::<Problem>(body.as_bytes())
        .map_or_else(|_| "refused".to_owned(), |problem| problem.title);
    Err(End::Refused {
        status: response.status(),
        retry_after_ms,
        title,
    })
}

/// An answer's body, to be read as it comes.
fn body(response: &Response) -> Result<ReadableStreamDefaultReader, End> {
    let body = response.body().ok_or(End::Closed)?;
    Ok(body.get_reader().unchecked_into())
}

/// What comes next; `None` at the end.
async fn next_chunk(body: &ReadableStreamDefaultReader) -> Result<Option<Vec<u8>>, End> {
    let read = JsFuture::from(body.read()).await?;
    if Reflect::get(&read, &"done".into())?.is_truthy() {
        return Ok(None);
    }
    let value = Reflect::get(&read, &"value".into())?;
    Ok(Some(Uint8Array::new(&value).to_vec()))
}

/// RFC 9457, as far as a person wants to know.
#[derive(Default)]
struct Problem {
    title: String,
}

impl FromJson for Problem {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self::default();
        reader.object(&["title"]);
        while let Some(name) = reader.member() {
            match name {
                "title" => value.title = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// RFC 9110, section 10.2.3: seconds, or a date.
fn retry_after_ms(value: &str) -> Option<u64> {
    match value.trim().parse::<u64>() {
        Ok(seconds) => Some(seconds.saturating_mul(1_000)),
        Err(_) => {
            let wait = Date::parse(value) - Date::now();
            (wait > 0.0).then_some(wait as u64)
        }
    }
}

fn now() -> Now {
    Now {
        mono_ms: mono_now_ms(),
        wall_ms: Date::now() as u64,
    }
}

fn seed() -> u64 {
    (Math::random() * u64::MAX as f64) as u64
}

fn is_hidden() -> bool {
    document().visibility_state() == VisibilityState::Hidden
}
