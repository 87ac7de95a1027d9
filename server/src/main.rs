//! Parses the arguments, starts telemetry, runs.

use kube_ingress_dash::config::Config;

/// Streams come and go by the thousand: after a round of connects and disconnects glibc keeps five
/// times as much.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
            eprintln!("kube-ingress-dash: {error:#}");
            1
        }
    }
    .into()
}
