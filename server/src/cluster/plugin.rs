//! A credential plugin, as a kubeconfig's `exec` names one ([client-go credential
//! plugins](https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins)).
//!
//! `kube` waits for it in a thread that nothing ends, and starts the next one beside it. Here one
//! runs at a time, for a limited time, and neither it nor what it started outlives the server.

use std::fmt;
use std::io::{self, ErrorKind, IsTerminal as _, Read as _, stdin};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

use super::{cause, connect};

/// A run may take this long, and one that somebody may have to answer longer.
const LIMIT: Duration = Duration::from_secs(20);
const INTERACTIVE_LIMIT: Duration = Duration::from_secs(180);
/// A credential is renewed this long before its end.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);
/// A credential is a few kilobytes.
const MAX_OUTPUT: usize = 1 << 20;
/// Pause between two looks at what a process has written, and whether it has ended.
const POLL: Duration = Duration::from_millis(10);

/// A credential plugin, and the client with the credential that it gave last.
pub struct Plugin {
    exec: ExecConfig,
    /// The rest of the configuration.
    config: kube::Config,
    latest: Mutex<Latest>,
}

enum Latest {
    Nothing,
    Client {
        client: kube::Client,
        until: Option<Timestamp>,
    },
    Failure {
        at: Instant,
        cause: String,
    },
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plugin")
    }
}

#[derive(Deserialize)]
struct ExecCredential {
    status: Option<Credential>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
    expiration_timestamp: Option<String>,
}

impl Plugin {
    /// The plugin of a configuration that names one; else the configuration.
    pub fn of(mut config: kube::Config) -> Result<Self, Box<kube::Config>> {
        match config.auth_info.exec.take() {
            Some(exec) => Ok(Self {
                exec,
                config,
                latest: Mutex::new(Latest::Nothing),
            }),
            None => Err(config.into()),
        }
    }

    /// A client whose credential is valid. Runs the plugin where there is none, and waits where it
    /// is running; the error says why that failed.
    pub async fn client(&self) -> Result<kube::Client, String> {
        let asked = Instant::now();
        let mut latest = self.latest.lock().await;
        match &*latest {
            Latest::Client { client, until }
                if until.is_none_or(|until| Timestamp::now() + MARGIN < until) =>
            {
                return Ok(client.clone());
            }
            // Of those who waited for it only the first runs it again.
            Latest::Failure { at, cause } if *at >= asked => return Err(cause.clone()),
            _ => {}
        }
        let name = self.exec.command.as_deref().unwrap_or("without a command");
        let made = self.run().await.and_then(|credential| {
            let until = credential.expiration_timestamp.as_deref();
            let until = until.map(str::parse).transpose();
            let until = until.map_err(|_| "gave an expirationTimestamp that is none")?;
            Ok((self.client_with(credential)?, until))
        });
        match made {
            Ok((client, until)) => {
                *latest = Latest::Client {
                    client: client.clone(),
                    until,
                };
                Ok(client)
            }
            Err(cause) => {
                let cause = cause::short(format!("the credential plugin {name} {cause}"));
                *latest = Latest::Failure {
                    at: Instant::now(),
                    cause: cause.clone(),
                };
                Err(cause)
            }
        }
    }

    async fn run(&self) -> Result<Credential, String> {
        let is_interactive =
            stdin().is_terminal() && self.exec.interactive_mode != Some(ExecInteractiveMode::Never);
        let limit = match is_interactive {
            true => INTERACTIVE_LIMIT,
            false => LIMIT,
        };
        let output = output(self.command(is_interactive)?, is_interactive);
        let output = timeout(limit, output).await;
        let output = output.map_err(|_| format!("did not end within {} s", limit.as_secs()))?;
        let (status, output) = output.map_err(|error| format!("cannot be run: {error}"))?;
        // Its output is where the token would be, and its arguments may be secret too. What it
        // says of itself is in the log: it shares standard error.
        if !status.success() {
            return Err(format!("ended with {status}"));
        }
        let credential: Option<ExecCredential> = str::from_utf8(&output)
            .ok()
            .and_then(|text| serde_saphyr::from_str(text).ok());
        credential
            .and_then(|credential| credential.status)
            .ok_or_else(|| "printed what is no ExecCredential".into())
    }

    fn command(&self, is_interactive: bool) -> Result<Command, String> {
        let program = self.exec.command.as_ref().ok_or("is not named")?;
        let info = json!({
            "apiVersion": self.exec.api_version,
            "kind": "ExecCredential",
            "spec": {"interactive": is_interactive, "cluster": self.exec.cluster},
        });
        let mut command = Command::new(program);
        command
            .args(self.exec.args.iter().flatten())
            .env("KUBERNETES_EXEC_INFO", info.to_string())
            .stdin(match is_interactive {
                true => Stdio::inherit(),
                false => Stdio::null(),
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        for variable in self.exec.env.iter().flatten() {
            if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
                command.env(name, value);
            }
        }
        Ok(command)
    }

    fn client_with(&self, credential: Credential) -> Result<kube::Client, String> {
        let encoded = |pem: Option<String>| pem.map(|pem| STANDARD.encode(pem));
        let given = json!({
            "token": credential.token,
            "client-certificate-data": encoded(credential.client_certificate_data),
            "client-key-data": encoded(credential.client_key_data),
        });
        let given: AuthInfo =
            serde_json::from_value(given).map_err(|_| "printed what is no ExecCredential")?;
        if given.token.is_none() && given.client_certificate_data.is_none() {
            return Err("gave neither a token nor a certificate".into());
        }
        let mut config = self.config.clone();
        config.auth_info.token = given.token;
        config.auth_info.client_certificate_data = given.client_certificate_data;
        config.auth_info.client_key_data = given.client_key_data;
        connect::check_token(&config.auth_info).map_err(|cause| format!("gave {cause}"))?;
        kube::Client::try_from(config)
            .map_err(|error| format!("gave what cannot be used: {}", cause::whole(&error)))
    }
}

/// A process that ends with its owner, and with it whatever it started that is still in its group.
struct Running {
    child: Child,
    /// Its group, where that is one of its own.
    group: Option<Pid>,
}

impl Running {
    fn start(mut command: Command, is_interactive: bool) -> io::Result<Self> {
        // A plugin is often a shell that waits for another program, which a signal to the shell
        // does not reach. At a terminal only the group in its foreground may read from it, and that
        // is this server's.
        if !is_interactive {
            command.process_group(0);
        }
        let child = command.spawn()?;
        let group = (!is_interactive).then(|| Pid::from_child(&child));
        Ok(Self { child, group })
    }

    /// Whether it has ended by itself. Its id and that of its group stay taken until [`Self::end`].
    fn has_ended(&self) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(Pid::from_child(&self.child)), options)?;
        Ok(status.is_some())
    }

    /// Kills what still runs. The status is its own where it has ended by itself.
    fn end(&mut self) -> io::Result<ExitStatus> {
        // Before the process is waited for: then another group may have the id.
        if let Some(group) = self.group.take() {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.kill();
        self.child.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// Runs a command to its end, and gives what it has written to standard output. Children that it
/// leaves behind may hold that open; nothing of theirs is waited for.
async fn output(command: Command, is_interactive: bool) -> io::Result<(ExitStatus, Vec<u8>)> {
    let mut process = Running::start(command, is_interactive)?;
    let mut stdout = process.child.stdout.take().ok_or(ErrorKind::BrokenPipe)?;
    ioctl_fionbio(&stdout, true)?;
    let mut written = Vec::new();
    loop {
        // Before the pipe is read: what it wrote before its end is there then.
        let has_ended = process.has_ended()?;
        let room = MAX_OUTPUT + 1 - written.len();
        match stdout.by_ref().take(room as u64).read_to_end(&mut written) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
            _ if written.len() > MAX_OUTPUT => {
                return Err(io::Error::other(format!(
                    "it writes more than {MAX_OUTPUT} bytes"
                )));
            }
            _ if has_ended => return Ok((process.end()?, written)),
            _ => sleep(POLL).await,
        }
    }
}
