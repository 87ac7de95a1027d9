//! Why something failed, in one line that is fit for the log and for the page: a kubeconfig and
//! what a credential plugin prints hold secrets, and the errors of the libraries quote both.

use std::error::Error;

use kube::client::AuthError;
use kube::config::KubeconfigError;

/// What others say is cut at this many characters: it goes to every stream.
const LONGEST: usize = 300;

/// The text, cut where it is long.
pub(super) fn short(mut text: String) -> String {
    if let Some((cut, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(cut);
        text.push('…');
    }
    text
}

/// The error and its causes.
pub(super) fn whole(error: &(dyn Error + 'static)) -> String {
    if let Some(text) = chain(error).find_map(without_secrets) {
        return text;
    }
    let mut text = error.to_string();
    for cause in chain(error).skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// The innermost cause, which is the one that says what to do ("Connection refused").
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    let innermost = || chain(error).last().map(ToString::to_string);
    let text = chain(error).find_map(without_secrets).or_else(innermost);
    text.unwrap_or_default()
}

/// Whether it is that something took too long.
pub(super) fn is_late(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|error| {
        let error = error.downcast_ref::<std::io::Error>();
        error.is_some_and(|error| error.kind() == std::io::ErrorKind::TimedOut)
    })
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// What to say instead of an error that quotes what it could not use.
fn without_secrets(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(KubeconfigError::Parse(error)) = error.downcast_ref() {
        let place = error.location().map_or_else(String::new, |place| {
            format!(", from line {}, column {}", place.line(), place.column())
        });
        return Some(format!(
            "it is no YAML of a kubeconfig{place} (kubectl config view says more)"
        ));
    }
    match error.downcast_ref()? {
        // Its standard output is where the token would be, and its arguments may be secret too.
        // What it says of itself is in the log: it shares standard error.
        AuthError::AuthExecRun { out, .. } => {
            Some(format!("the credential plugin ended with {}", out.status))
        }
        AuthError::AuthExecParse(_) => {
            Some("what the credential plugin printed is no ExecCredential".into())
        }
        _ => None,
    }
}
