//! A pause takes the `sleep` function of a runtime, too.

use std::time::Duration;

use abreast::batched;

fn main() {
    let pause = Duration::from_millis(10);
    let _ = batched(0..10, async |n| Ok::<_, ()>(n)).pause(pause, pause);
}
