//! The page's WebAssembly module. `boot.js` loads it and calls [`hydrate`].

#![cfg(target_arch = "wasm32")]

use wasm_bindgen::prelude::wasm_bindgen;

/// Brings the server-rendered page to life.
#[wasm_bindgen]
pub fn hydrate() {
    app::hydrate::hydrate();
}
