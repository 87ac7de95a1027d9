use std::io::Write as _;
use std::sync::{Mutex, mpsc};

use super::*;

/// Says when it is written to, and writes once it may.
struct Slow {
    begun: mpsc::Sender<()>,
    may: mpsc::Receiver<()>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl io::Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.begun.send(());
        // An error means that it always may.
        let _ = self.may.recv();
        self.written.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn nobody_waits_for_a_log_that_is_not_written() {
    let (begun, begins) = mpsc::channel();
    let (go, may) = mpsc::channel();
    let written = Arc::new(Mutex::new(Vec::new()));
    let log = Log::to(Slow {
        begun,
        may,
        written: written.clone(),
    });
    let say = |text: &str| (&log).write_all(text.as_bytes()).unwrap();
    say("first\n");
    begins.recv().unwrap();
    for _ in 0..MAX_LINES + 5 {
        say("more\n");
    }
    drop(go);
    log.flush();
    let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    let expected = "first\n5 lines of the log were left out\n".to_owned();
    assert_eq!(text, expected + &"more\n".repeat(MAX_LINES));
}

#[test]
fn an_event_is_one_line_of_bounded_length() {
    assert_eq!(one_line(b"a\n"), b"a\n");
    assert_eq!(one_line(b"a\nFORGED\r\n"), b"a\\nFORGED\\r\n");
    assert_eq!(one_line(&[b'x'; 2 * MAX_LINE]).len(), MAX_LINE + 1);
}
