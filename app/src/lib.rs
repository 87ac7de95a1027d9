//! The page: Leptos components that the server renders and the browser brings to life.
//!
//! [`shell`] is the whole document, for the server. [`App`] is what lives in it, on both sides.
//! The first markup is made from [`page::PageData`] alone, which the document carries as JSON, so
//! the browser renders exactly what the server did; from then on rows come from the stream.

#![recursion_limit = "512"]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "`Ui` is a bundle of handles that closures copy anyway; without debug assertions it is half as large"
)]

pub mod actions;
pub mod backend;
#[cfg(target_arch = "wasm32")]
pub mod browser;
pub mod codec;
pub mod columns;
pub mod compare;
pub mod components;
pub mod diagnostics;
pub mod exclusions;
pub mod format;
pub mod hurry;
#[cfg(target_arch = "wasm32")]
pub mod hydrate;
pub mod incident;
pub mod live;
#[cfg(feature = "ssr")]
mod noscript;
pub mod page;
pub mod parts;
pub mod pool;
pub mod query;
#[cfg(feature = "ssr")]
mod shell;
pub mod state;
pub mod status;
pub mod suggest;
pub mod table;
pub mod yaml;

pub use components::app::App;
#[cfg(feature = "ssr")]
pub use shell::{Lines, PageContext, shell};

/// Where the server functions are, below the base path: `{BASE_PATH}/api/fn/{endpoint}`.
pub const SERVER_FUNCTION_PREFIX: &str = "/api/fn";

/// The element that holds [`App`]; around it the document has what needs no script.
pub const ROOT_ID: &str = "root";
