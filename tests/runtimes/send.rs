//! Futures that hold the timer of a runtime may be sent to other threads.

use std::time::Duration;

use abreast::race;

fn is_send<T: Send>(value: T) {
    drop(value);
}

#[test]
fn a_staggered_race_is_send() {
    let tasks = || (0..3).map(|n| async move { Ok::<_, ()>(n) });
    is_send(race(tasks()).stagger(Duration::ZERO, async_std::task::sleep));
    is_send(race(tasks()).stagger(Duration::ZERO, tokio::time::sleep));
}
