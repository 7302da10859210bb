//! An executor that is as hostile as it may be.

use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle};

use crate::plan::{End, any};
use crate::random::Random;
use crate::world::{World, planned_panic};

/// What came of a program.
#[derive(Debug)]
pub(crate) enum RunOutcome<T> {
    Output(T),
    /// It was dropped before its end.
    Cancelled,
}

/// Asserts that a program without an output was dropped on purpose, or waits for what never comes.
pub(crate) fn assert_may_be_cut(world: &World, is_cancelled: bool) {
    assert!(is_cancelled || any(world.plans(), End::Never), "it hangs");
}

/// The waker of some polls.
struct Parent {
    world: World,
    is_woken: AtomicBool,
    /// A task that it wakes while it is woken itself.
    wakes: Option<usize>,
}

impl Parent {
    fn is_woken(&self) -> bool {
        self.is_woken.load(Ordering::SeqCst)
    }
}

thread_local! {
    /// Whether a waker is being woken by this thread: one that wakes others does so once.
    static IS_WAKING: Cell<bool> = const { Cell::new(false) };

    /// Whether the next waker that is woken by this thread panics.
    static PANICS: Cell<bool> = const { Cell::new(false) };
}

impl Wake for Parent {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::SeqCst);
        if let Some(task) = self.wakes {
            if !IS_WAKING.replace(true) {
                self.world.wake(task);
                IS_WAKING.set(false);
            }
        }
        if PANICS.take() {
            planned_panic();
        }
    }
}

/// Polls a future to its end, with everything between its polls that an executor and other threads may do.
///
/// It is dropped after a random number of polls if it may be `cancelled`, and if it waits for what never comes.
pub(crate) fn drive<F: Future>(
    world: &World,
    random: &mut Random,
    cancelled: bool,
    future: F,
) -> RunOutcome<F::Output> {
    drive_with(world, random, cancelled, true, future)
}

/// Does the same for what catches the panics of tasks, unless `panics_pass`.
pub(crate) fn drive_with<F: Future>(
    world: &World,
    random: &mut Random,
    cancelled: bool,
    panics_pass: bool,
    future: F,
) -> RunOutcome<F::Output> {
    let mut future = pin!(Some(future));
    let mut polls_left = if cancelled {
        random.below(12)
    } else {
        usize::MAX
    };
    // No program takes as many polls as this. What does is never going to end.
    let mut patience = 100_000;
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    let mut panics = 0;
    let (mut parent, mut waker) = parent(world, random);
    let mut has_to_be_polled = true;
    let outcome = loop {
        patience -= 1;
        assert!(patience > 0, "it never comes to rest");

        // It is polled if it was woken, at times for no reason, and again after a panic.
        if has_to_be_polled || parent.is_woken() || random.below(8) == 0 {
            if polls_left == 0 {
                break RunOutcome::Cancelled;
            }
            polls_left -= 1;
            // Only wakes of the waker of the last poll count.
            if random.below(3) == 0 {
                (parent, waker) = self::parent(world, random);
            }
            parent.is_woken.store(false, Ordering::SeqCst);
            let running = future.as_mut().as_pin_mut().expect("it is there");
            let mut context = Context::from_waker(&waker);
            match catch_unwind(AssertUnwindSafe(|| running.poll(&mut context))) {
                Ok(Poll::Ready(output)) => break RunOutcome::Output(output),
                Ok(Poll::Pending) => has_to_be_polled = false,
                Err(_) => {
                    panics += 1;
                    has_to_be_polled = true;
                    continue;
                }
            }
            for waker in world.take_for_threads() {
                threads.push(thread::spawn(move || waker.wake()));
            }
        }

        // More may happen before the next poll, or nothing.
        if parent.is_woken() && random.below(4) > 0 {
            continue;
        }
        if !disturb(world, random) {
            for thread in threads.drain(..) {
                thread.join().expect("nothing panics there");
            }
            // Now it sleeps, and only a release can wake it.
            if !parent.is_woken() {
                world.assert_at_rest();
                if world.waiting().is_empty() {
                    break RunOutcome::Cancelled;
                }
            }
        }
    };

    // A destructor may panic. What it was to drop is dropped all the same.
    panics += usize::from(catch_unwind(AssertUnwindSafe(|| future.set(None))).is_err());
    for waker in world.take_for_threads() {
        waker.wake();
    }
    for thread in threads {
        thread.join().expect("nothing panics there");
    }
    for index in 0..world.plans().len() {
        world.wake_too_late(index);
    }
    if panics_pass {
        assert_eq!(panics, world.panics(), "panics that passed through");
    } else {
        // What is dropped with the future that runs it has nobody else to panic to.
        let has_caught = panics == 0 || matches!(outcome, RunOutcome::Cancelled);
        assert!(has_caught, "a panic passed through");
    }
    outcome
}

/// Does something that happens between two polls. Returns whether a task may go on by that.
fn disturb(world: &World, random: &mut Random) -> bool {
    let tasks = world.plans().len();
    let waiting = world.waiting();
    let choice = random.below(8);
    // What wakes the task gets the panic of the waker, and nobody else.
    PANICS.set(random.below(16) == 0);
    let woken = catch_unwind(AssertUnwindSafe(|| match choice {
        // For no reason, or long after its end.
        0 if tasks > 0 => world.wake(random.below(tasks)),
        1 => {}
        _ if waiting.is_empty() => {}
        _ => world.release(waiting[random.below(waiting.len())]),
    }));
    if woken.is_err() {
        assert!(!PANICS.get(), "the wake of a task panics");
    }
    PANICS.set(false);
    choice > 1 && !waiting.is_empty()
}

fn parent(world: &World, random: &mut Random) -> (Arc<Parent>, Waker) {
    let tasks = world.plans().len();
    let parent = Arc::new(Parent {
        world: world.clone(),
        is_woken: AtomicBool::new(false),
        wakes: (tasks > 0 && random.below(4) == 0).then(|| random.below(tasks)),
    });
    (parent.clone(), Waker::from(parent))
}
