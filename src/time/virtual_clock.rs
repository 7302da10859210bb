//! A clock for tests.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::task::Wake;
use core::future::Future;
use core::mem;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Timer;

/// A clock for tests: it stands still until it is told to go on.
///
/// Its [`timer`](Self::timer) is a [`Timer`], so whatever waits in this crate can wait by it. [`run`](Self::run) polls
/// a future and, whenever all of it waits, sets the clock forward to the next deadline. Hours pass in no time, in the
/// same way every time, and a test can ask what [time](Self::now) it was when something happened. Clones share one
/// clock.
///
/// Needs the feature `test-util`.
///
/// ```
/// use std::time::Duration;
/// use abreast::{parallel, time::VirtualClock};
///
/// let clock = VirtualClock::new();
/// let hours = [3, 1, 2].map(|hours| {
///     let clock = clock.clone();
///     async move {
///         clock.sleep(Duration::from_secs(hours * 3600)).await;
///         Ok::<_, ()>(hours)
///     }
/// });
/// let result = clock.run(parallel(hours).concurrency(2));
/// assert!(result.all_succeeded());
/// assert_eq!(clock.now(), Duration::from_secs(3 * 3600));
/// assert_eq!((clock.timers_set(), clock.timers_running()), (3, 0));
/// ```
#[derive(Clone, Default)]
pub struct VirtualClock {
    timeline: Arc<Mutex<Timeline>>,
}

/// A deadline, and a number that tells apart those of one moment and puts them in the order in which they were set.
type Key = (Duration, u64);

#[derive(Default)]
struct Timeline {
    now: Duration,
    /// The timers that were set so far.
    set: u64,
    /// Those that are running, each with the waker of whoever waits for it.
    sleepers: BTreeMap<Key, Option<Waker>>,
}

impl VirtualClock {
    /// Creates a clock that shows zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the time since the clock was made.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.timeline().now
    }

    /// Returns a future that resolves when the clock has been set forward by `duration` from now.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let clock = abreast::time::VirtualClock::new();
    /// clock.run(clock.sleep(Duration::from_secs(60)));
    /// assert_eq!(clock.now(), Duration::from_secs(60));
    /// ```
    pub fn sleep(&self, duration: Duration) -> VirtualSleep {
        // It counts from now, polled or not, as the timers of runtimes do.
        let mut timeline = self.timeline();
        let key = (timeline.now.saturating_add(duration), timeline.set);
        timeline.set += 1;
        timeline.sleepers.insert(key, None);
        drop(timeline);
        VirtualSleep {
            clock: self.clone(),
            key,
        }
    }

    /// Returns the [`Timer`] of this clock.
    ///
    /// ```
    /// use std::{future::pending, time::Duration};
    /// use abreast::{time::VirtualClock, timeout};
    ///
    /// let clock = VirtualClock::new();
    /// let year = Duration::from_secs(365 * 24 * 3600);
    /// assert!(clock.run(timeout(year, clock.timer(), pending::<()>())).is_err());
    /// assert_eq!(clock.now(), year);
    /// ```
    #[must_use]
    pub fn timer(&self) -> VirtualTimer {
        VirtualTimer(self.clone())
    }

    /// Returns the number of timers that have been set, those that are gone included.
    #[must_use]
    pub fn timers_set(&self) -> u64 {
        self.timeline().set
    }

    /// Returns the number of timers that have neither fired nor been dropped.
    #[must_use]
    pub fn timers_running(&self) -> usize {
        self.timeline().sleepers.len()
    }

    /// Sets the clock forward. Timers that are due on the way fire in order of their deadlines, each at its own.
    ///
    /// ```
    /// # use std::time::Duration;
    /// use futures::FutureExt;
    ///
    /// let clock = abreast::time::VirtualClock::new();
    /// let mut sleep = clock.sleep(Duration::from_secs(2));
    /// clock.advance(Duration::from_secs(1));
    /// assert_eq!((&mut sleep).now_or_never(), None);
    /// clock.advance(Duration::from_secs(1));
    /// assert_eq!((&mut sleep).now_or_never(), Some(()));
    /// ```
    ///
    /// # Panics
    /// If a waker panics. The other timers that are due at the same moment have fired then, and the clock stands at
    /// that moment.
    pub fn advance(&self, by: Duration) {
        let until = self.now().saturating_add(by);
        while self.fire_next(until) {}
        let mut timeline = self.timeline();
        timeline.now = timeline.now.max(until);
    }

    /// Polls `future` until it resolves, and sets the clock forward to the next deadline whenever nothing else is left
    /// to do.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let clock = abreast::time::VirtualClock::new();
    /// let seconds = clock.run(async {
    ///     clock.sleep(Duration::from_secs(1)).await;
    ///     clock.sleep(Duration::from_secs(2)).await;
    ///     clock.now().as_secs()
    /// });
    /// assert_eq!(seconds, 3);
    /// ```
    ///
    /// # Panics
    /// If the future waits, nothing has woken it, and no timer is running: it would wait for ever.
    #[track_caller]
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        // Polled once to start, and once for each wake.
        let woken = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(woken.clone());
        let mut cx = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            while woken.0.swap(false, Ordering::AcqRel) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                    return output;
                }
            }
            // It waits, so time may go on.
            assert!(
                self.fire_next(Duration::MAX),
                "the future would wait for ever: it is pending, nothing has woken it, and no timer is running"
            );
        }
    }

    /// Sets the clock to the next deadline, if it is not later than `until`, and fires the timers that are due.
    fn fire_next(&self, until: Duration) -> bool {
        // The next deadline, if it is in time.
        let mut timeline = self.timeline();
        let Some((&(deadline, _), _)) = timeline.sleepers.first_key_value() else {
            return false;
        };
        if deadline > until {
            return false;
        }
        // All that are due at this moment leave the timeline together, in the order in which they were set.
        timeline.now = timeline.now.max(deadline);
        let later = match deadline.checked_add(Duration::from_nanos(1)) {
            Some(after) => timeline.sleepers.split_off(&(after, 0)),
            None => BTreeMap::new(),
        };
        let due = mem::replace(&mut timeline.sleepers, later);
        drop(timeline);
        // They fire outside of the lock, and all of them, even if a waker panics.
        let mut panicked = None;
        for waker in due.into_values().flatten() {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
                panicked.get_or_insert(panic);
            }
        }
        if let Some(panic) = panicked {
            resume_unwind(panic);
        }
        true
    }

    /// Locks the timeline. No foreign code runs under this lock.
    fn timeline(&self) -> MutexGuard<'_, Timeline> {
        self.timeline.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl_debug!(
    VirtualClock |self| { now: self.now(), timers_running: self.timers_running() }
);

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// The [`Timer`] of a [`VirtualClock`].
#[derive(Clone, Debug)]
pub struct VirtualTimer(VirtualClock);

impl Timer for VirtualTimer {
    type Sleep = VirtualSleep;

    fn sleep(&self, duration: Duration) -> VirtualSleep {
        self.0.sleep(duration)
    }

    fn now(&self) -> Option<Duration> {
        Some(self.0.now())
    }
}

impl Timer for &VirtualTimer {
    type Sleep = VirtualSleep;

    fn sleep(&self, duration: Duration) -> VirtualSleep {
        self.0.sleep(duration)
    }

    fn now(&self) -> Option<Duration> {
        Some(self.0.now())
    }
}

/// The future of [`VirtualClock::sleep`].
#[must_use = "futures do nothing unless polled"]
pub struct VirtualSleep {
    clock: VirtualClock,
    key: Key,
}

impl Future for VirtualSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Cloned and dropped outside of the lock, as a waker is foreign.
        let waker = cx.waker().clone();
        let mut timeline = self.clock.timeline();
        let replaced = match timeline.sleepers.get_mut(&self.key) {
            Some(sleeper) => sleeper.replace(waker),
            None => return Poll::Ready(()),
        };
        drop(timeline);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for VirtualSleep {
    fn drop(&mut self) {
        let waker = self.clock.timeline().sleepers.remove(&self.key);
        drop(waker);
    }
}

impl_debug!(VirtualSleep |self| { deadline: self.key.0 });
