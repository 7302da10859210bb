//! Streams in WebAssembly: previews of what a page asks for, four at a time, shown in the order in which they were asked for.

use std::pin::pin;
use std::time::Duration;

use abreast::{Timer, parallel_stream, timeout};
use futures::{Stream, StreamExt};

/// Loads a preview of each address, and shows it when those before it have been shown. One that takes longer than five
/// seconds, or fails, has none.
///
/// Nothing in here is `Send`, and nothing knows the browser: tests pass a clock of their own.
pub async fn show_previews<F: Future<Output = Option<String>>>(
    addresses: impl Stream<Item = String>,
    timer: impl Timer,
    load: impl Fn(String) -> F,
    mut show: impl FnMut(usize, Option<String>),
) {
    let limit = Duration::from_secs(5);
    let tasks = addresses.map(|address| timeout(limit, timer.by_ref(), load(address)));
    let mut previews = pin!(parallel_stream(tasks).concurrency(4).into_ordered_stream());
    while let Some((index, preview)) = previews.next().await {
        show(index, preview.ok().flatten());
    }
}

#[cfg(target_family = "wasm")]
mod page {
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
            spawn_local(super::show_previews(addresses, sleep, load, show));
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
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use abreast::time::VirtualClock;
    use futures::stream;

    use super::*;

    #[test]
    fn shows_in_order_what_came() {
        let clock = VirtualClock::new();
        let addresses = stream::iter(["3", "1", "60", "2"].map(str::to_owned));
        let load = async |seconds: String| {
            clock
                .sleep(Duration::from_secs(seconds.parse().unwrap()))
                .await;
            Some(format!("after {seconds} s"))
        };
        let mut shown = Vec::new();
        clock.run(show_previews(
            addresses,
            clock.timer(),
            load,
            |index, text| {
                shown.push((index, text, clock.now().as_secs()));
            },
        ));

        let after = |seconds: u32| Some(format!("after {seconds} s"));
        let expected = [
            (0, after(3), 3),
            (1, after(1), 3),
            (2, None, 5),
            (3, after(2), 5),
        ];
        assert_eq!(shown, expected);
    }
}
