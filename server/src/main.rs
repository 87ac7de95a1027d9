//! Parses the arguments, starts telemetry, runs.

use std::io::Write as _;

use kube_ingress_dash::config::Config;

/// Streams come and go by the thousand. Its own threads give back what is not used for 10 s, also
/// while nothing happens: other allocators wait for the thread that used it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    // A value that is refused is exit 1 like any other unusable configuration; --help is not.
    let config = match Config::read() {
        Ok(config) => config,
        Err(error) => {
            let _ = error.print();
            return u8::from(error.use_stderr()).into();
        }
    };
    match kube_ingress_dash::main(config) {
        Ok(()) => 0,
        Err(error) => {
            // Standard error may be a full disk.
            let _ = writeln!(std::io::stderr(), "kube-ingress-dash: {error:#}");
            1
        }
    }
    .into()
}
