//! The parts of the page. They read signals and render rows; what is decided is decided elsewhere.

pub mod app;
mod details;
mod footer;
mod header;
pub mod icons;
mod namespaces;
mod notices;
mod popups;
mod row;
mod stats;
mod table;
mod toolbar;
