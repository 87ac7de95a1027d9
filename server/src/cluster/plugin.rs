//! A credential plugin, as a kubeconfig's `exec` names one ([client-go credential
//! plugins](https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins)).
//!
//! `kube` waits for it in a thread that nothing ends, and starts the next one beside it. Here one
//! runs at a time, for a limited time, and none outlives the server.

use std::fmt;
use std::io::{self, ErrorKind, IsTerminal as _, stdin};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::json;
use tokio::net::unix::pipe;
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
/// Pause between two looks whether a process that has said everything has ended.
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
        let output = timeout(limit, output(self.command(is_interactive)?)).await;
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

/// A process that ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a command to its end, and gives what it has written to standard output.
async fn output(mut command: Command) -> io::Result<(ExitStatus, Vec<u8>)> {
    let mut process = Running(command.spawn()?);
    let mut written = Vec::new();
    if let Some(stdout) = process.0.stdout.take() {
        let stdout = pipe::Receiver::from_owned_fd(OwnedFd::from(stdout))?;
        loop {
            stdout.readable().await?;
            match stdout.try_read_buf(&mut written) {
                Ok(0) => break,
                Ok(_) if written.len() > MAX_OUTPUT => {
                    return Err(io::Error::other(format!(
                        "it writes more than {MAX_OUTPUT} bytes"
                    )));
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
    loop {
        if let Some(status) = process.0.try_wait()? {
            return Ok((status, written));
        }
        sleep(POLL).await;
    }
}
