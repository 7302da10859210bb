//! Rates against a simple model of when each is served.

use std::cell::RefCell;
use std::time::Duration;

use abreast::Rate;
use abreast::time::VirtualClock;
use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    /// Whoever comes is served in turn, as soon as no stretch of time has more than its burst and what the rate allows
    /// in it.
    #[test]
    fn a_rate_does_as_its_model(
        units in 1_u32..1000,
        period in 1_u64..5_000_000,
        burst in 1_u32..10,
        arrivals in vec((1_u64..2_000_000, 0_u32..10, prop::bool::weighted(0.1)), 1..40),
    ) {
        let clock = VirtualClock::new();
        let rate = Rate::per(units, Duration::from_nanos(period)).burst(burst);
        let served = RefCell::new(Vec::new());
        let mut at = 0;
        let waiters = arrivals.iter().map(|&(gap, cost, leaves)| {
            at += gap;
            let (at, cost) = (at, cost.min(burst));
            let (clock, rate, served) = (&clock, &rate, &served);
            async move {
                clock.sleep(Duration::from_nanos(at)).await;
                let acquisition = rate.acquire(cost, clock.timer());
                if leaves {
                    // It joins the line if it has to wait, and gives up at once.
                    if futures::poll!(Box::pin(acquisition)).is_pending() {
                        return;
                    }
                } else {
                    acquisition.await;
                }
                served.borrow_mut().push((at, cost, clock.now().as_nanos() as u64));
            }
        });
        clock.run(abreast::join_all(waiters));
        let served = served.into_inner();
        let mut last = 0;
        for (index, &(arrival, _, moment)) in served.iter().enumerate() {
            // The first moment at which all stretches that end here are within the rate.
            let mut first = arrival.max(last);
            let mut sum = 0_u64;
            for &(_, cost, from) in served[..=index].iter().rev() {
                sum += u64::from(cost);
                let beyond = sum.saturating_sub(u64::from(burst));
                let needs = (u128::from(beyond) * u128::from(period)).div_ceil(u128::from(units));
                if beyond > 0 {
                    first = first.max(from + needs as u64);
                }
            }
            prop_assert_eq!(moment, first);
            last = moment;
        }
    }
}
