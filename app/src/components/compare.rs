//! Two objects beside each other: what only one of them says.

use leptos::prelude::*;
use protocol::Key;

use super::icons::icon;
use crate::actions::Action;
use crate::compare::{Side, compared};
use crate::format::{counted, sentence, shown};

/// Lines that are in both stay around a difference, so many of them.
const AROUND: usize = 3;

/// The two documents, once both have come.
type Documents = RwSignal<Option<Result<(String, String), String>>>;

/// The comparison, over everything.
pub fn compare(first: Key, second: Key) -> impl IntoView {
    let documents: Documents = RwSignal::new(None);
    let names = [&first, &second].map(|key| format!("{}/{}", key.namespace, key.name));
    #[cfg(target_arch = "wasm32")]
    load(documents, first, second);
    let [first, second] = names;
    let body = move || {
        match documents.get() {
        None => {
            view! { <p class="muted mnote" role="status">"Loading both objects."</p> }.into_any()
        }
        Some(Err(message)) => view! {
            <div class="prob prob-bad">{icon("#i-bado")}<h4>"The objects could not be read"</h4><p class="anywhere">{sentence(&message)}</p></div>
        }
        .into_any(),
        Some(Ok((first, second))) => view! {
            {lines(&first, &second)}
            <p class="muted mnote">"Without creationTimestamp, generation, resourceVersion and uid, which always differ."</p>
        }
        .into_any(),
    }
    };
    view! {
        <div class="dlg help compare" role="dialog" aria-modal="true" aria-labelledby="compare-title" tabindex="-1">
            <div class="hhead">
                <h2 id="compare-title">"Compare"</h2>
                <span class="diff"><del>{first}</del><ins>{second}</ins></span>
                <span class="grow"></span>
                <button class="btn btn-icon btn-s btn-ghost" type="button" data-act=Action::ClosePopup.id() aria-label="Close (Esc)">{icon("#i-x")}</button>
            </div>
            {body}
        </div>
    }
}

#[cfg(target_arch = "wasm32")]
fn load(documents: Documents, first: Key, second: Key) {
    leptos::task::spawn_local(async move {
        let first = crate::yaml::read(first).await;
        let second = crate::yaml::read(second).await;
        // The dialog may be closed by now.
        let _ = documents.try_set(Some(match (first, second) {
            (Ok(first), Ok(second)) => Ok((first, second)),
            (Err(why), _) | (_, Err(why)) => Err(why),
        }));
    });
}

/// What differs with some lines around it; the others are counted.
fn lines(first: &str, second: &str) -> impl IntoView + use<> {
    let said = |line: &&str| {
        let noise = ["creationTimestamp", "generation", "resourceVersion", "uid"];
        let key = line
            .strip_prefix("  ")
            .and_then(|line| line.split_once(':'));
        key.is_none_or(|(key, _)| !noise.contains(&key))
    };
    let first: Vec<&str> = first.lines().filter(said).collect();
    let second: Vec<&str> = second.lines().filter(said).collect();
    let lines = compared(&first, &second);
    let differs = |at: &usize| lines[*at].0 != Side::Both;
    let count = (0..lines.len()).filter(differs).count();
    let near = |at: usize| {
        let end = (at + AROUND + 1).min(lines.len());
        (at.saturating_sub(AROUND)..end).any(|at| differs(&at))
    };
    let mut shown_lines = Vec::new();
    let mut left_out = 0;
    for (at, (side, line)) in lines.iter().enumerate() {
        if near(at) {
            shown_lines.extend(fold(&mut left_out));
            let (class, sign) = match side {
                Side::Both => ("l", "  "),
                Side::First => ("l del", "- "),
                Side::Second => ("l ins", "+ "),
            };
            shown_lines.push((class, format!("{sign}{}", shown(line))));
        } else {
            left_out += 1;
        }
    }
    shown_lines.extend(fold(&mut left_out));
    let shown_lines = shown_lines
        .into_iter()
        .map(|(class, text)| view! { <span class=class>{text}</span> });
    view! {
        <p class="muted mnote">{match count {
            0 => "Both say the same.".into(),
            count => format!("{}.", counted(count, "line differs", "lines differ")),
        }}</p>
        <pre class="code both" tabindex="0" aria-label="Differences">{shown_lines.collect_view()}</pre>
    }
}

/// Says how many lines were left out since the last one.
fn fold(left_out: &mut usize) -> Option<(&'static str, String)> {
    let lines = std::mem::take(left_out);
    let words = format!("  … {} the same", counted(lines, "line is", "lines are"));
    (lines > 0).then_some(("l fold", words))
}
