//! K tasks that are all there at once, with next to nothing that schedules them.
//!
//! A loop that awaits one task after another works on the memory of one, which never leaves the nearest cache. Whoever
//! runs K of them has K futures and as many wakers to keep somewhere, and so has the outside world that wakes them. What
//! is here pays for that memory, and for hardly anything else: there are no threads, no task is woken in vain, none
//! panics, and a poll takes as long as it takes.
//!
//! Each future has an allocation of its own (`Box::pin`), into which the next one is written in place (`Pin::set`).
//! Results are kept in input order, which the loop has for free.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use harness::{Contender, Task, TaskResult, Workload, floor, scheme};

/// A task that was started, and its index.
struct Place<F> {
    index: usize,
    task: Pin<Box<F>>,
}

/// Results by index, as whoever wants them in input order has to keep them.
#[derive(Default)]
struct Results(Vec<Option<TaskResult>>);

impl Results {
    /// Makes the place of the next task's result. Returns its index.
    fn start(&mut self) -> usize {
        self.0.push(None);
        self.0.len() - 1
    }

    fn start_in_place<F>(&mut self, task: F) -> Place<F> {
        Place {
            index: self.start(),
            task: Box::pin(task),
        }
    }
}

/// Polls the task in `place` and, whenever that is ready, the next one in its place. False if none is left for it.
fn poll_place<F: Task>(
    place: &mut Place<F>,
    tasks: &mut impl Iterator<Item = F>,
    results: &mut Results,
    cx: &mut Context<'_>,
) -> bool {
    while let Poll::Ready(result) = place.task.as_mut().poll(cx) {
        results.0[place.index] = Some(result);
        let Some(task) = tasks.next() else {
            return false;
        };
        place.task.set(task);
        place.index = results.start();
    }
    true
}

// Tasks that are ready at once are not woken, and those that wake themselves all are by the time of the next round. So
// each is polled in turn, with the waker of the parent.
scheme!(Rounds, |tasks, limit| {
    let mut tasks = tasks;
    let mut results = Results::default();
    let started = tasks.by_ref().take(limit);
    let mut running: Vec<_> = started.map(|task| results.start_in_place(task)).collect();
    poll_fn(|cx| {
        running.retain_mut(|place| poll_place(place, &mut tasks, &mut results, cx));
        if running.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    results.0.len()
});

thread_local! {
    /// The numbers of the tasks that were woken and are not polled yet.
    static WOKEN: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    /// Wakes whoever polls them.
    static PARENT: RefCell<Option<Waker>> = const { RefCell::new(None) };
}

/// The waker of a task: lists its number. Only for the thread that polls it.
struct Number(usize);

impl Wake for Number {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let listed = WOKEN.with_borrow_mut(|woken| {
            woken.push(self.0);
            woken.len()
        });
        if listed == 1 {
            PARENT.with_borrow(|parent| {
                let parent = parent.as_ref();
                parent.expect("a task runs in a parent").wake_by_ref();
            });
        }
    }
}

// Tasks that are woken from outside say so themselves, each with a waker that has its number.
scheme!(Told, |tasks, limit| {
    let mut tasks = tasks;
    let mut results = Results::default();
    let started = tasks.by_ref().take(limit).enumerate();
    let mut running: Vec<(Waker, Place<F>)> = started
        .map(|(number, task)| {
            (
                Arc::new(Number(number)).into(),
                results.start_in_place(task),
            )
        })
        .collect();
    let mut in_flight = running.len();
    // All of them are polled to start.
    let mut batch: Vec<usize> = (0..in_flight).collect();
    poll_fn(|cx| {
        PARENT.with_borrow_mut(|parent| match parent {
            // Keeps it if it is the same.
            Some(parent) => parent.clone_from(cx.waker()),
            None => *parent = Some(cx.waker().clone()),
        });
        WOKEN.with_borrow_mut(|woken| batch.append(woken));
        for number in batch.drain(..) {
            let (waker, place) = &mut running[number];
            let cx = &mut Context::from_waker(waker);
            in_flight -= usize::from(!poll_place(place, &mut tasks, &mut results, cx));
        }
        if in_flight == 0 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    results.0.len()
});

/// Returns what runs K tasks side by side and does little else, if there is such a thing for the workload.
pub fn side_by_side(workload: Workload) -> Option<Contender> {
    match workload {
        Workload::Ready | Workload::Yield | Workload::YieldLarge => {
            Some(floor::<Rounds>("bare polls, side by side"))
        }
        Workload::Wake { .. } => Some(floor::<Told>("bare polls, side by side")),
        _ => None,
    }
}
