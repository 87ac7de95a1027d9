//! The icons: one sprite in the document, which the components point into.

use leptos::prelude::*;

/// An icon of the sprite, as `#i-name`: decoration, so assistive technology skips it.
pub fn icon(name: &'static str) -> impl IntoView {
    classed_icon("icon", name)
}

/// [`icon`] at 14 px instead of 16.
pub fn small_icon(name: &'static str) -> impl IntoView {
    classed_icon("icon icon-s", name)
}

/// [`icon`] with classes of its own.
pub fn classed_icon(class: &'static str, name: &'static str) -> impl IntoView {
    view! {
        <svg class=class aria-hidden="true">
            <use_ href=name/>
        </svg>
    }
}

/// Every icon, once, at the start of the document.
#[cfg(feature = "ssr")]
#[component]
pub fn Sprite() -> impl IntoView {
    view! {
        <svg class="sr" aria-hidden="true" focusable="false" width="0" height="0">
            <defs>
                <symbol id="i-search" viewBox="0 0 16 16"><circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3 3"/></symbol>
                <symbol id="i-down" viewBox="0 0 16 16"><path d="m4 6 4 4 4-4"/></symbol>
                <symbol id="i-right" viewBox="0 0 16 16"><path d="m6 4 4 4-4 4"/></symbol>
                <symbol id="i-up" viewBox="0 0 16 16"><path d="m4 10 4-4 4 4"/></symbol>
                <symbol id="i-sort" viewBox="0 0 16 16"><path d="M8 3v10M4.5 9.5 8 13l3.5-3.5"/></symbol>
                <symbol id="i-sort-up" viewBox="0 0 16 16"><path d="M8 13V3M4.5 6.5 8 3l3.5 3.5"/></symbol>
                <symbol id="i-x" viewBox="0 0 16 16"><path d="m4 4 8 8M12 4l-8 8"/></symbol>
                <symbol id="i-check" viewBox="0 0 16 16"><path d="m3.5 8.5 3 3 6-7"/></symbol>
                <symbol id="i-copy" viewBox="0 0 16 16"><rect x="5.5" y="5.5" width="8" height="8" rx="1.5"/><path d="M10.5 5.5V4A1.5 1.5 0 0 0 9 2.5H4A1.5 1.5 0 0 0 2.5 4v5A1.5 1.5 0 0 0 4 10.5h1.5"/></symbol>
                <symbol id="i-ext" viewBox="0 0 16 16"><path d="M6.5 3.5h-3v9h9v-3M9.5 2.5h4v4M13.2 2.8 7.5 8.5"/></symbol>
                <symbol id="i-filter" viewBox="0 0 16 16"><path d="M2 4h12M4.5 8h7M6.5 12h3"/></symbol>
                <symbol id="i-density" viewBox="0 0 16 16"><path d="M2.5 3.5h11M2.5 6.5h11M2.5 9.5h11M2.5 12.5h11"/></symbol>
                <symbol id="i-moon" viewBox="0 0 16 16"><path d="M13.3 9.6A5.6 5.6 0 0 1 6.4 2.7a5.6 5.6 0 1 0 6.9 6.9Z"/></symbol>
                <symbol id="i-sun" viewBox="0 0 16 16"><circle cx="8" cy="8" r="2.8"/><path d="M8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9"/></symbol>
                <symbol id="i-ns" viewBox="0 0 16 16"><path d="m8 2 6 3-6 3-6-3 6-3ZM2 8l6 3 6-3M2 11l6 3 6-3"/></symbol>
                <symbol id="i-okc" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.8"/><path d="m5.4 8.2 1.8 1.8 3.4-3.8"/></symbol>
                <symbol id="i-warnt" viewBox="0 0 16 16"><path d="M8 2.2 14.3 13H1.7L8 2.2Z"/><path d="M8 6.5v3M8 11.2v.1"/></symbol>
                <symbol id="i-bado" viewBox="0 0 16 16"><path class="solid" d="M5.4 1.9h5.2l3.5 3.5v5.2l-3.5 3.5H5.4l-3.5-3.5V5.4l3.5-3.5Z"/><path class="cut" d="m6 6 4 4M10 6l-4 4"/></symbol>
                <symbol id="i-idle" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.8" stroke-dasharray="2.4 2.15"/></symbol>
                <symbol id="i-q" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.8"/><path d="M5.5 8h5"/></symbol>
                <symbol id="i-load" viewBox="0 0 16 16"><path d="M8 2.2a5.8 5.8 0 1 1-5.8 5.8"/></symbol>
                <symbol id="i-clock" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.8"/><path d="M8 4.8V8l2.2 1.5"/></symbol>
                <symbol id="i-lock" viewBox="0 0 16 16"><rect x="3.5" y="7" width="9" height="6.5" rx="1.5"/><path d="M5.5 7V5.2a2.5 2.5 0 0 1 5 0V7"/></symbol>
                <symbol id="i-unlock" viewBox="0 0 16 16"><rect x="3.5" y="7" width="9" height="6.5" rx="1.5"/><path d="M5.5 7V4.7a2.5 2.5 0 0 1 4.8-.9"/></symbol>
                <symbol id="i-plus" viewBox="0 0 16 16"><path d="M8 3v10M3 8h10"/></symbol>
                <symbol id="i-mod" viewBox="0 0 16 16"><path d="M3 9.5c1.5-3 3.5-3 5-1.5s3.5 1.5 5-1.5"/></symbol>
                <symbol id="i-refresh" viewBox="0 0 16 16"><path d="M13.5 8a5.5 5.5 0 1 1-1.7-4M13.5 2v3h-3"/></symbol>
                <symbol id="i-link" viewBox="0 0 16 16"><path d="M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2.2-2.2A2.6 2.6 0 0 0 9 3.3L8.2 4M9.2 6.8a2.6 2.6 0 0 0-3.7 0L3.3 9A2.6 2.6 0 0 0 7 12.7l.8-.8"/></symbol>
                <symbol id="i-arr" viewBox="0 0 16 16"><path d="M2.5 8h11M10 4.5 13.5 8 10 11.5"/></symbol>
                <symbol id="i-code" viewBox="0 0 16 16"><path d="m5.5 4.5-3.5 3.5 3.5 3.5M10.5 4.5l3.5 3.5-3.5 3.5"/></symbol>
                <symbol id="i-server" viewBox="0 0 16 16"><rect x="2.5" y="3" width="11" height="4" rx="1"/><rect x="2.5" y="9" width="11" height="4" rx="1"/><path d="M5 5h.1M5 11h.1"/></symbol>
                <symbol id="i-route" viewBox="0 0 16 16"><path d="M2.5 8h3c3 0 2-4.5 5-4.5h3M5.5 8c3 0 2 4.5 5 4.5h3M5.5 8h8"/></symbol>
                <symbol id="i-off" viewBox="0 0 16 16"><path d="M2.5 2.5l11 11M4.6 9.8A5 5 0 0 1 6.2 8.7M2.3 7.2a8.5 8.5 0 0 1 2.2-1.6M7.5 4.4a8.6 8.6 0 0 1 6.2 2.8M10.7 9.2l.7.6M8 12.5h.1"/></symbol>
                <symbol id="i-drain" viewBox="0 0 16 16"><path d="M3 2.5h10M4.5 2.5v2.5c0 1.5 2 2 3.5 3 1.5-1 3.5-1.5 3.5-3V2.5M4.5 13.5V11c0-1.5 2-2 3.5-3 1.5 1 3.5 1.5 3.5 3v2.5M3 13.5h10"/></symbol>
                <symbol id="i-monitor" viewBox="0 0 16 16"><rect x="2" y="3" width="12" height="8" rx="1.5"/><path d="M5.8 13.5h4.4M8 11v2.5"/></symbol>
                <symbol id="i-lockhalf" viewBox="0 0 16 16"><rect x="3.5" y="7" width="9" height="6.5" rx="1.5"/><path d="M5.5 7V5.2a2.5 2.5 0 0 1 5 0V7"/><path class="solid" stroke="none" d="M5 7h3v6.5H5A1.5 1.5 0 0 1 3.5 12V8.5A1.5 1.5 0 0 1 5 7Z"/></symbol>
                <symbol id="i-serverx" viewBox="0 0 16 16"><rect x="2.5" y="3" width="11" height="4" rx="1"/><path d="M8.5 13h-5a1 1 0 0 1-1-1v-2a1 1 0 0 1 1-1h5M5 5h.1M5 11h.1M10.8 10.3l3.2 3.2M14 10.3l-3.2 3.2"/></symbol>
                <symbol id="i-flask" viewBox="0 0 16 16"><path d="M6.2 2.5h3.6M7 2.5v4L3.6 12a1 1 0 0 0 .8 1.5h7.2a1 1 0 0 0 .8-1.5L9 6.5v-4M5.3 10h5.4"/></symbol>
                <symbol id="i-browser" viewBox="0 0 16 16"><rect x="2" y="3" width="12" height="10" rx="1.5"/><path d="M2 6h12M4.3 4.5h.1M6 4.5h.1"/></symbol>
                <symbol id="i-wheel" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.8"/><circle cx="8" cy="8" r="1.6"/><path d="M8 2.2v4.2M8 9.6v4.2M2.2 8h4.2M9.6 8h4.2M3.9 3.9l3 3M9.1 9.1l3 3M12.1 3.9l-3 3M6.9 9.1l-3 3"/></symbol>
                <symbol id="i-terminal" viewBox="0 0 16 16"><rect x="2" y="3" width="12" height="10" rx="1.5"/><path d="m4.5 6.5 2 1.7-2 1.7M8.5 10h3"/></symbol>
                <symbol id="i-columns" viewBox="0 0 16 16"><rect x="2.5" y="2.5" width="11" height="11" rx="1.5"/><path d="M6.2 2.5v11M9.8 2.5v11"/></symbol>
                <symbol id="i-group" viewBox="0 0 16 16"><rect x="2.5" y="2.5" width="11" height="3.5" rx="1"/><path d="M5.5 9h8M5.5 12.5h8M2.7 9h.1M2.7 12.5h.1"/></symbol>
                <symbol id="i-help" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6"/><path d="M6.3 6.2a1.8 1.8 0 1 1 2.5 1.7c-.6.2-.8.6-.8 1.1v.2M8 11.4v.1"/></symbol>
                <symbol id="i-gear" viewBox="0 0 16 16"><path d="M2.5 4.5h5M11.5 4.500h2M2.5 11.5h2M8.5 11.5h5"/><circle cx="9.500" cy="4.500" r="1.900"/><circle cx="6.500" cy="11.5" r="1.900"/></symbol>
                <symbol id="i-globe" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6"/><path d="M2 8h12M8 2c2 1.8 2.8 3.8 2.8 6S10 12.2 8 14c-2-1.8-2.8-3.8-2.8-6S6 3.8 8 2Z"/></symbol>
                <symbol id="i-tag" viewBox="0 0 16 16"><path d="M2.5 3.500v4.300l6 6 5-5-6-6H3.300a.8.8 0 0 0-.8.7ZM5.5 5.800h.1"/></symbol>
                <symbol id="i-grip" viewBox="0 0 16 16"><path d="M6 4h.1M10 4h.1M6 8h.1M10 8h.1M6 12h.1M10 12h.1" stroke-width="2"/></symbol>
                <symbol id="i-more" viewBox="0 0 16 16"><path d="M3.5 8h.1M8 8h.1M12.5 8h.1" stroke-width="2.2"/></symbol>
                <symbol id="i-menu" viewBox="0 0 16 16"><path d="M2.5 4h11M2.5 8h11M2.5 12h11"/></symbol>
                <symbol id="i-minus" viewBox="0 0 16 16"><path d="M3 8h10"/></symbol>
                <symbol id="i-pin" viewBox="0 0 16 16"><path d="M9.8 2 14 6.2l-1.8.6-2.6 2.6-.3 2.9L3.7 6.7l2.9-.3 2.6-2.6L9.8 2ZM6.5 9.5 2.5 13.5"/></symbol>
                <symbol id="i-download" viewBox="0 0 16 16"><path d="M8 2.5v7.5M4.8 7.2 8 10.4l3.2-3.2M2.5 13.5h11"/></symbol>
            </defs>
        </svg>
    }
}
