//! What a page in a browser has of it.

use futures::channel::mpsc;
use gloo_timers::future::sleep;
use js_sys::Function;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::Response;

/// What a page has of it: `new Previews((index, text) => ..)`, and then `ask(address)`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Previews(mpsc::UnboundedSender<String>);

#[wasm_bindgen]
impl Previews {
    /// Shows previews by `show`, until it is freed.
    #[wasm_bindgen(constructor)]
    pub fn new(show: Function) -> Self {
        let (asked, addresses) = mpsc::unbounded();
        let show = move |index: usize, text: Option<String>| {
            // What the page throws is its own concern.
            let _ = show.call2(&JsValue::NULL, &index.into(), &text.into());
        };
        spawn_local(crate::show_previews(addresses, sleep, load, show));
        Self(asked)
    }

    /// Asks for the preview of an address.
    pub fn ask(&self, address: String) {
        // It is received for as long as there is a sender.
        let _ = self.0.unbounded_send(address);
    }
}

async fn load(address: String) -> Option<String> {
    let window = web_sys::window()?;
    let response = JsFuture::from(window.fetch_with_str(&address)).await.ok()?;
    let response: Response = response.dyn_into().ok()?;
    JsFuture::from(response.text().ok()?)
        .await
        .ok()?
        .as_string()
}
