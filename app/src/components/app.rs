//! The whole page, from header to footer.

use leptos::prelude::*;

use super::details::Details;
use super::footer::Footer;
use super::header::Header;
use super::notices::Notices;
use super::popups::RowPopup;
use super::stats::Stats;
use super::table::Main;
use super::toolbar::Toolbar;
use crate::page::PageData;
use crate::state::Ui;

/// The page. The first markup is made of `data` alone, on the server and in the browser.
#[component]
pub fn App(
    /// What the server rendered from.
    data: PageData,
) -> impl IntoView {
    let ui = Ui::provide(data);
    #[cfg(feature = "hydrate")]
    crate::browser::start(ui);
    let class = move || {
        if ui.selected.with(Option::is_some) {
            "app has-drawer"
        } else {
            "app"
        }
    };
    view! {
        <div class=class>
            <Header/>
            <section class="bar" aria-label="Filters">
                <Toolbar/>
                <Stats/>
            </section>
            <div class="body">
                <main class=move || if ui.facts().currency().is_old() { "main asof" } else { "main" } aria-label="Ingresses">
                    <h1 class="sr">"Ingresses"</h1>
                    <Notices/>
                    <Main/>
                </main>
                <Details/>
            </div>
            <Footer/>
        </div>
        <div class="sr" role="status" aria-live="polite">{move || ui.announced.get()}</div>
        <RowPopup/>
    }
}
