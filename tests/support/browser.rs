//! What waits in a browser: its timers and its promises.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::Window;

pub fn window() -> Window {
    web_sys::window().expect("the tests run in a page")
}

/// Returns the milliseconds since the page was opened, as the browser has them.
pub fn now() -> f64 {
    window().performance().expect("it has a clock").now()
}

/// A `setTimeout` that is a future, and whose drop is a `clearTimeout`.
pub struct Sleep {
    id: i32,
    fired: JsFuture,
}

pub fn sleep(duration: Duration) -> Sleep {
    let millis = i32::try_from(duration.as_millis()).expect("it is not for ever");
    let mut id = 0;
    let fired = Promise::new(&mut |fire: Function, _| {
        let timeout = window().set_timeout_with_callback_and_timeout_and_arguments_0(&fire, millis);
        id = timeout.expect("a timer can be set");
    });
    Sleep {
        id,
        fired: fired.into(),
    }
}

pub fn sleep_ms(millis: u64) -> Sleep {
    sleep(Duration::from_millis(millis))
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.fired).poll(cx).map(|_| ())
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        window().clear_timeout_with_handle(self.id);
    }
}

/// Resolves after so many turns of the queue of microtasks.
pub async fn microtasks(turns: usize) {
    for _ in 0..turns {
        let turn: Promise = Promise::resolve(&JsValue::TRUE);
        JsFuture::from(turn).await.expect("it was resolved");
    }
}
