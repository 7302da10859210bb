//! The service whose capacity is to be found.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use abreast::time::VirtualClock;

/// What a call takes without a queue, on average.
pub const SERVICE_TIME: Duration = Duration::from_millis(50);
/// What it takes to refuse a call.
const REFUSAL_TIME: Duration = Duration::from_millis(5);

/// The service has refused a call, as it had too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overloaded;

/// A service that works on as many calls at once as its capacity says. Others wait in its queue, first come, first
/// served, and when twice its capacity is in flight, what comes is refused.
#[derive(Debug)]
pub struct Service {
    clock: VirtualClock,
    /// When each of its workers is free.
    free_at: RefCell<Vec<Duration>>,
    in_flight: Cell<usize>,
    random: RefCell<fastrand::Rng>,
}

impl Service {
    /// Creates a service whose calls take times that follow from the seed.
    #[must_use]
    pub fn new(clock: VirtualClock, seed: u64) -> Self {
        Self {
            clock,
            free_at: RefCell::default(),
            in_flight: Cell::new(0),
            random: RefCell::new(fastrand::Rng::with_seed(seed)),
        }
    }

    /// Calls the service, which has this capacity now.
    ///
    /// # Errors
    /// [`Overloaded`] if twice as much is in flight.
    pub async fn call(&self, capacity: usize) -> Result<(), Overloaded> {
        if self.in_flight.get() >= 2 * capacity {
            self.clock.sleep(REFUSAL_TIME).await;
            return Err(Overloaded);
        }
        self.in_flight.set(self.in_flight.get() + 1);
        let end = self.admit(capacity);
        self.clock.sleep(end - self.clock.now()).await;
        self.in_flight.set(self.in_flight.get() - 1);
        Ok(())
    }

    /// Lets the first worker that is free take the call, and returns when it will have ended.
    fn admit(&self, capacity: usize) -> Duration {
        let now = self.clock.now();
        let mut free_at = self.free_at.borrow_mut();
        // Those that are added are free at once. Those that go are the busiest: what they have is still done.
        free_at.sort_unstable();
        free_at.resize(capacity, Duration::ZERO);
        let first = free_at.iter_mut().min().expect("it has a capacity");
        *first = now.max(*first) + self.service_time();
        *first
    }

    /// Returns what the next call takes, which varies by about a tenth.
    fn service_time(&self) -> Duration {
        let mut random = self.random.borrow_mut();
        // Twelve even numbers add up to one that is nearly normal.
        let normal: f64 = (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
        SERVICE_TIME.mul_f64((1.0 + 0.1 * normal).max(0.5))
    }
}
