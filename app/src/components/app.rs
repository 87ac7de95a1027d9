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
use crate::status::Currency;

/// The page. The first markup is made of `data` alone, on the server and in the browser.
#[component]
pub fn App(
    /// What the server rendered from.
    data: PageData,
) -> impl IntoView {
    let ui = Ui::provide(data);
    #[cfg(target_arch = "wasm32")]
    crate::browser::start(ui);
    let unreachable = move || ui.currency.get() == Currency::NoCluster;
    let class = move || {
        if ui.details.selected.with(Option::is_some) {
            "app has-drawer"
        } else {
            "app"
        }
    };
    view! {
        <div class=class>
            <Header/>
            <div>
                <section class="bar" aria-label="Filters" hidden=unreachable>
                    <Toolbar/>
                    <Stats/>
                </section>
            </div>
            <div class="body">
                <main class=move || if ui.currency.get().is_old() { "main asof" } else { "main" } aria-label="Ingresses">
                    <h1 class="sr">"Ingresses"</h1>
                    <Notices/>
                    <Main/>
                </main>
                <Details/>
                // The edge of the drawer, which the pointer drags.
                {move || ui.details.selected.with(Option::is_some).then(|| view! { <div class="dedge" data-drawer="" aria-hidden="true"></div> })}
            </div>
            <Footer/>
        </div>
        <div class="sr" role="status" aria-live="polite">{move || ui.said.announced.get()}</div>
        // It says what the status above says.
        {move || ui.said.toast.get().map(|text| view! { <div class="toast" aria-hidden="true">{text}</div> })}
        <RowPopup/>
    }
}
