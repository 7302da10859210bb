//! The browser's timers as futures.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use js_sys::{Function, Promise};
use wasm_bindgen_futures::JsFuture;

use crate::dom;

/// A `setTimeout`, which is cleared when this is dropped.
pub(crate) struct Sleep {
    id: i32,
    fired: JsFuture,
}

/// Waits by `setTimeout`. A function from a duration to a future is a timer.
pub(crate) fn sleep(duration: Duration) -> Sleep {
    let millis = duration.as_millis().try_into().unwrap_or(i32::MAX);
    let mut id = 0;
    let fired = Promise::new(&mut |fire: Function, _| {
        id = dom::window()
            .set_timeout_with_callback_and_timeout_and_arguments_0(&fire, millis)
            .expect("a timer can be set");
    });
    Sleep {
        id,
        fired: fired.into(),
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.fired).poll(cx).map(|_| ())
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        dom::window().clear_timeout_with_handle(self.id);
    }
}

/// Resolves when the screen is about to be painted.
pub(crate) async fn next_frame() {
    let frame = Promise::new(&mut |painting: Function, _| {
        dom::window()
            .request_animation_frame(&painting)
            .expect("a page has frames");
    });
    // It is never rejected.
    let _ = JsFuture::from(frame).await;
}
