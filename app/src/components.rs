//! The parts of the page. They read signals and render rows; what is decided is decided elsewhere.

pub mod app;
pub mod compare;
pub mod details;
pub mod footer;
pub mod header;
pub mod help;
pub mod icons;
pub mod instead;
pub mod menus;
pub mod namespaces;
pub mod notices;
pub mod picked;
pub mod popups;
pub mod row;
pub mod search;
pub mod settings;
pub mod stats;
pub mod table;
pub mod toolbar;
