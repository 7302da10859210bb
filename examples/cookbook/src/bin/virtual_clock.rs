//! Tests on a virtual clock: what takes hours passes at once, and every instant is exact.

use std::time::Duration;

use abreast::time::VirtualClock;
use abreast::{Timer, parallel, timeout};

/// Asks until the answer is yes, less and less often, and returns how many times it asked.
async fn wait_until(timer: impl Timer, mut is_ready: impl FnMut() -> bool) -> u32 {
    let mut delay = Duration::from_secs(1);
    for asked in 1.. {
        if is_ready() {
            return asked;
        }
        timer.sleep(delay).await;
        delay = Duration::from_secs(3600).min(delay * 2);
    }
    unreachable!("nobody asks so often")
}

fn main() {
    let clock = VirtualClock::new();
    let mut instants = Vec::new();
    let asked = clock.run(wait_until(clock.timer(), || {
        instants.push(clock.now().as_secs());
        clock.now() >= Duration::from_secs(24 * 3600)
    }));
    println!(
        "asked {asked} times: after {:?} .. {} seconds",
        &instants[..5],
        instants[asked as usize - 1]
    );

    // A window of three, five jobs, and a limit for each. Nothing waits, so nothing depends on the machine.
    let clock = VirtualClock::new();
    let timer = clock.timer();
    let jobs = [10, 20, 3600, 40, 50].map(|minutes| {
        let job = timer.sleep(Duration::from_secs(minutes * 60));
        timeout(Duration::from_secs(3600), &timer, job)
    });
    let result = clock.run(parallel(jobs).concurrency(3));
    println!(
        "{} done, {} too slow, after {:?}",
        result.success_count(),
        result.failure_count(),
        clock.now()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_once_when_ready() {
        let clock = VirtualClock::new();
        assert_eq!(clock.run(wait_until(clock.timer(), || true)), 1);
        assert_eq!(clock.now(), Duration::ZERO);
    }

    #[test]
    fn gives_up_in_time() {
        let clock = VirtualClock::new();
        let week = Duration::from_secs(7 * 24 * 3600);
        let never = wait_until(clock.timer(), || false);
        assert!(clock.run(timeout(week, clock.timer(), never)).is_err());
        assert_eq!(clock.now(), week);
    }
}
