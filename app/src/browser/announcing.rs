//! What assistive technology is told by itself.

use std::time::Duration;

use leptos::prelude::*;

use crate::format::counted;
use crate::state::Ui;
use crate::status::Currency;

/// Between the last key and saying how many rows match, in milliseconds.
const SAY_MATCHES_MS: u64 = 600;

/// Says a lost, a returned and an offline connection once each.
pub(super) fn announce_currency(ui: Ui) {
    Effect::new(move |before: Option<(Currency, bool)>| {
        let now = ui.currency.get();
        let (before, lost) = before.unwrap_or((now, false));
        if before == now {
            return (now, lost);
        }
        match now {
            Currency::Live | Currency::Partly if lost => ui.announce("Live again"),
            Currency::Partly => ui.announce("Some namespaces are not live"),
            Currency::Stale | Currency::Reconnecting if !lost => ui.announce("Connection lost"),
            Currency::Forbidden => ui.announce("Nothing here may be read"),
            Currency::Offline => ui.announce("Offline"),
            Currency::ClusterLost => ui.announce("The Kubernetes API does not answer"),
            Currency::Refused => ui.announce("The server refuses the stream"),
            _ => {}
        }
        // A connection that is being opened again is still a lost one.
        (now, now.is_old() || (lost && !now.is_live()))
    });
}

/// Says how many rows match, when the typing has stopped.
pub(super) fn announce_matches(ui: Ui) {
    Effect::new(move |before: Option<String>| {
        let typed = ui.table.text.get();
        if before.is_some_and(|before| before != typed) {
            set_timeout(
                move || {
                    if ui.table.text.with_untracked(|now| *now == typed) {
                        let matching = ui.table.matching.get_untracked();
                        ui.announce(counted(matching, "ingress matches", "ingresses match"));
                    }
                },
                Duration::from_millis(SAY_MATCHES_MS),
            );
        }
        ui.table.text.get_untracked()
    });
}
