//! Holds the diagrams on the page of patterns to a virtual clock.

use std::time::Duration;

use abreast::time::VirtualClock;
use abreast::{Timer, fall_through, race};

const MODELS: [u64; 3] = [500, 200, 300];
const DELAY: Duration = Duration::from_millis(200);

/// Returns the models, each of which answers after its time. If `first_fails`, the first of them does, after 100 ms.
fn models(
    timer: impl Timer,
    first_fails: bool,
) -> impl Iterator<Item = impl Future<Output = Result<(), ()>>> {
    MODELS.into_iter().enumerate().map(move |(index, takes)| {
        let fails = first_fails && index == 0;
        let answer = timer.sleep(Duration::from_millis(if fails { 100 } else { takes }));
        async move {
            answer.await;
            if fails { Err(()) } else { Ok(()) }
        }
    })
}

/// Runs a fall-through, a staggered race and a race, and returns when each was won, in milliseconds.
fn won_after(first_fails: bool) -> [u128; 3] {
    let clocks = [(); 3].map(|()| VirtualClock::new());
    let models = |clock: &VirtualClock| models(clock.timer(), first_fails);
    let [falls, staggered, races] = &clocks;
    assert!(falls.run(fall_through(models(falls))).is_ok());
    let stagger = race(models(staggered)).stagger(DELAY, staggered.timer());
    assert!(staggered.run(stagger).is_ok());
    assert!(races.run(race(models(races))).is_ok());
    clocks.map(|clock| clock.now().as_millis())
}

#[test]
fn winners_are_where_they_are_drawn() {
    assert_eq!(won_after(false), [500, 400, 200]);
    assert_eq!(won_after(true), [300, 300, 200]);
}
