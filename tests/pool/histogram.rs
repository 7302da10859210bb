//! The distribution of queue and run times, on a clock that is set by hand.

use std::time::Duration;

use crate::support::{Driver as Loop, Random};
use abreast::pool::{Histogram, PoolTimes};
use abreast::time::VirtualClock;
use abreast::{Pool, PoolEvent};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Runs jobs one after the other, each of which takes so long, and was submitted at once.
fn run(durations: &[Duration]) -> PoolTimes {
    let clock = VirtualClock::new();
    let builder = Pool::builder().worker_count(1);
    let (pool, driver) = builder.measure_times(clock.timer()).build();
    for &duration in durations {
        let clock = clock.clone();
        let task = async move {
            clock.advance(duration);
            Ok::<_, ()>(())
        };
        drop(pool.execute(task).unwrap());
    }
    assert!(Loop::new(driver).run().is_pending());
    pool.times()
}

/// Returns the duration that this part of them does not exceed, exactly.
fn exact(sorted: &[Duration], part: f64) -> Duration {
    let rank = (part * sorted.len() as f64).ceil() as usize;
    sorted[rank.max(1) - 1]
}

#[test]
fn quantiles_are_close_from_above() {
    let mut random = Random(7);
    for _ in 0..200 {
        let durations: Vec<_> = (0..1 + random.below(200))
            .map(|_| {
                let bound = 1 << random.below(31);
                Duration::from_nanos(random.below(bound) as u64)
            })
            .collect();
        let times = run(&durations).run_time;
        let mut sorted = durations.clone();
        sorted.sort_unstable();
        for part in [0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 1.0] {
            let (shown, exact) = (times.quantile(part).unwrap(), exact(&sorted, part));
            assert!(shown >= exact, "{shown:?} for {exact:?}");
            assert!(shown - exact <= exact / 32, "{shown:?} for {exact:?}");
        }
        assert_eq!(times.count(), durations.len() as u64);
        assert_eq!(times.max(), sorted.last().copied());
        let mean = durations.iter().sum::<Duration>().as_nanos() / durations.len() as u128;
        assert_eq!(times.mean().unwrap().as_nanos(), mean);
    }
}

#[test]
fn queue_times_add_up() {
    let second = Duration::from_secs(1);
    let times = run(&[second; 4]).queue_time;
    // The first waits for nothing, and the last for three others.
    assert_eq!((times.count(), times.max()), (4, Some(3 * second)));
    assert_eq!(times.quantile(0.25), Some(Duration::ZERO));
}

#[test]
fn the_longest_duration_has_a_bucket() {
    let longest = Duration::from_nanos(u64::MAX);
    let times = run(&[Duration::ZERO, longest]).run_time;
    assert_eq!(times.quantile(0.0), Some(Duration::ZERO));
    assert_eq!(times.quantile(1.0), Some(longest));
}

#[test]
fn nothing_is_measured_unless_asked() {
    let (pool, driver) = abreast::pool(1);
    drop(pool.execute(async { Ok::<_, ()>(1) }).unwrap());
    assert!(Loop::new(driver).run().is_pending());
    let times = pool.times();
    assert_eq!((times.run_time.count(), times.queue_time.count()), (0, 0));
    assert_eq!(times.run_time.quantile(0.5), None);
    assert_eq!((times.run_time.max(), times.run_time.mean()), (None, None));
}

#[test]
fn hooks_go_by_the_same_clock() {
    let clock = VirtualClock::new();
    let (events, seen) = std::sync::mpsc::channel();
    let (pool, driver) = Pool::builder()
        .measure_times(clock.timer())
        .on_event(move |event| {
            if let PoolEvent::Ended { duration, .. } = event {
                events.send(*duration).unwrap();
            }
        })
        .build();
    let second = Duration::from_secs(1);
    let sleep = abreast::Timer::sleep(&clock.timer(), second);
    let task = async move {
        sleep.await;
        Ok::<_, ()>(())
    };
    drop(pool.execute(task).unwrap());
    let mut driver = Loop::new(driver);
    assert!(driver.run().is_pending());
    clock.advance(second);
    assert!(driver.run().is_pending());
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [second]);
    assert_eq!(pool.stats().total_duration, second);
    assert_eq!(pool.times().run_time.max(), Some(second));
}

#[test]
#[should_panic = "a quantile of 99 is of no distribution: pass 0.99 for that of 99 %"]
fn percents_are_no_quantiles() {
    let _ = Histogram::default().quantile(99.0);
}
