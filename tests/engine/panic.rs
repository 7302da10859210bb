//! A panic passes through to whoever polls. Who catches it and polls again finds a run that carries on: it has lost no
//! result, it does not hang, and it drops everything once.
#![cfg(panic = "unwind")]

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::support::verbs::{Outputs, every_verb, verb_count};
use crate::support::{Board, Count, Driver, Task};
use abreast::{
    Observer, Outcome, Progress, RaceError, TaskError, batched, parallel, parallel_stream, race,
    sequential,
};
use futures::{FutureExt, StreamExt};

const TASKS: usize = 12;
const WINDOW: usize = 4;

/// Returns what a poll came to.
fn poll_caught<F: Future>(run: &mut Driver<F>) -> Option<Poll<F::Output>> {
    catch_unwind(AssertUnwindSafe(|| run.poll())).ok()
}

/// Polls until the run ends or sleeps. Polls again after each panic, and counts them.
fn run_caught<F: Future>(run: &mut Driver<F>, panics: &mut usize) -> Poll<F::Output> {
    for _ in 0..1_000 {
        match poll_caught(run) {
            None => *panics += 1,
            Some(Poll::Pending) if run.wakes() == 0 => return Poll::Pending,
            Some(Poll::Pending) => {}
            Some(ready) => return ready,
        }
    }
    panic!("the run never comes to rest");
}

#[track_caller]
fn finish_caught<F: Future>(run: &mut Driver<F>, panics: &mut usize) -> F::Output {
    match run_caught(run, panics) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the run hangs"),
    }
}

/// A task that panics at one of its polls, or when it is dropped.
struct Explosive {
    task: Task,
    polls_left: Option<usize>,
    at_drop: bool,
}

impl Future for Explosive {
    type Output = Result<usize, &'static str>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.polls_left {
            Some(1) => panic!("the task panics"),
            Some(left) => *left -= 1,
            None => {}
        }
        Pin::new(&mut self.task).poll(cx)
    }
}

impl Drop for Explosive {
    fn drop(&mut self) {
        assert!(!self.at_drop, "the destructor panics");
    }
}

/// Makes the tasks of a board, one of which panics when it is dropped.
fn explosive_at_drop(
    board: &Board,
    panicking: usize,
) -> impl Fn(usize) -> Explosive + Clone + use<> {
    let tasks = board.clone();
    move |index| Explosive {
        task: tasks.task(index),
        polls_left: None,
        at_drop: index == panicking,
    }
}

/// Where the panic of one of the tasks comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Where {
    Poll(usize),
    Drop,
}

/// Runs every verb with one task that panics, ends the others one by one, and hands what came out to `test`.
fn with_one_panic(panicking: usize, place: Where, test: impl Fn(&str, Outputs<usize, &str>)) {
    for verb in 0..verb_count() {
        let board = Board::new(TASKS);
        let tasks = board.clone();
        let make = move |index| Explosive {
            task: tasks.task(index),
            polls_left: match place {
                Where::Poll(count) if index == panicking => Some(count),
                _ => None,
            },
            at_drop: place == Where::Drop && index == panicking,
        };
        let run = every_verb(TASKS, WINDOW, make).swap_remove(verb);
        let name = format!("{}, {place:?} of task {panicking} panics", run.name);
        let waits = ["batched", "settle", "ordered"]
            .iter()
            .any(|waits| name.contains(waits));
        let (window, races) = (run.window, run.races);
        let mut run = Driver::new(run.future);
        let mut panics = 0;
        let output = loop {
            match run_caught(&mut run, &mut panics) {
                Poll::Ready(output) => break output,
                Poll::Pending => {
                    let unfinished = TASKS - board.dropped();
                    if !waits {
                        assert_eq!(board.alive(), window.min(unfinished), "{name}: not full");
                    }
                    // In turn the first and the last of those that run.
                    let mut running = (0..TASKS)
                        .filter(|&index| board.created() > index && !board.is_dropped(index));
                    let index = match board.dropped() % 2 {
                        0 => running.next(),
                        _ => running.next_back(),
                    };
                    let index = index.unwrap_or_else(|| panic!("{name}: it hangs"));
                    board.end(index, if races { Err("no") } else { Ok(index) });
                }
            }
        };
        assert_eq!(panics, 1, "{name}");
        assert_eq!((board.created(), board.dropped()), (TASKS, TASKS), "{name}");
        test(&name, output);
        drop(run);
        assert_eq!(board.dropped(), TASKS, "{name}");
    }
}

#[test]
fn panicking_tasks_take_nobody_along() {
    for panicking in [0, 3, 4, 11] {
        for place in [Where::Poll(1), Where::Poll(2)] {
            with_one_panic(panicking, place, |name, outputs| {
                if name.starts_with("sequential") || name.starts_with("batched") {
                    assert!(outputs.is_empty(), "{name}: its values are not complete");
                    return;
                }
                let mut indices: Vec<_> = outputs.iter().map(|&(index, _)| index).collect();
                if name.contains("ordered") {
                    assert!(indices.is_sorted(), "{name}");
                }
                indices.sort_unstable();
                let others = (0..TASKS).filter(|&index| index != panicking);
                assert!(others.eq(indices), "{name}");
            });
        }
    }
}

#[test]
fn panicking_destructors_lose_no_result() {
    for panicking in [0, 3, 4, 11] {
        with_one_panic(panicking, Where::Drop, |name, outputs| {
            let mut indices: Vec<_> = outputs.iter().map(|&(index, _)| index).collect();
            indices.sort_unstable();
            assert!((0..TASKS).eq(indices), "{name}");
        });
    }
}

#[test]
fn outcomes_say_which_task_panicked() {
    let tasks = || {
        (0..3).map(|index| async move {
            assert!(index != 1, "the task panics");
            Ok::<_, &str>(index)
        })
    };
    let mut panics = 0;
    let result = finish_caught(&mut Driver::new(parallel(tasks())), &mut panics);
    let outcomes = [
        Outcome::Succeeded(0),
        Outcome::Cancelled,
        Outcome::Succeeded(2),
    ];
    assert!(result.into_iter().eq(outcomes));
    let cancelled = Err(TaskError::Cancelled { index: 1 });
    let ran = finish_caught(&mut Driver::new(sequential(tasks())), &mut panics);
    assert_eq!(ran, cancelled);
    let handler = |index| tasks().nth(index).unwrap();
    let ran = finish_caught(&mut Driver::new(batched(0..3, handler)), &mut panics);
    assert_eq!(ran, cancelled);
    assert_eq!(panics, 3);
}

#[test]
fn races_go_on_without_panicked_racers() {
    let board = Board::new(3);
    let tasks = board.clone();
    let racers = (0..3).map(move |index| Explosive {
        task: tasks.task(index),
        polls_left: (index == 1).then_some(2),
        at_drop: false,
    });
    let mut run = Driver::new(race(racers));
    assert!(run.run().is_pending());
    board.wake(1);
    assert!(poll_caught(&mut run).is_none());
    assert_eq!(board.alive(), 2);
    board.end(0, Err("no"));
    board.end(2, Ok(2));
    assert_eq!(run.finish().unwrap().winner_index, 2);

    let all = (0..3).map(|_| async { panic!("all racers panic") });
    let lost = finish_caught(&mut Driver::new(race::<_, _, _, (), ()>(all)), &mut 0);
    let Err(RaceError::AllFailed(failures)) = lost else {
        panic!()
    };
    assert!(failures.is_empty());
}

#[test]
fn ordered_streams_skip_panicked_heads() {
    let board = Board::new(6);
    let tasks = board.clone();
    let tasks = (0..6).map(move |index| Explosive {
        task: tasks.task(index),
        polls_left: (index < 2).then_some(2),
        at_drop: false,
    });
    let mut stream = parallel(tasks).concurrency(3).into_ordered_stream();
    let mut run = Driver::new(std::future::poll_fn(move |cx| stream.poll_next_unpin(cx)));
    assert!(run.run().is_pending());
    board.end(2, Ok(2));
    assert!(run.run().is_pending());
    let mut panics = 0;
    for head in [1, 0] {
        board.wake(head);
        let handed_over = run_caught(&mut run, &mut panics);
        assert_eq!(handed_over.is_ready(), head == 0);
        assert_eq!(board.alive(), 2, "one more is held back or handed over");
    }
    assert_eq!(panics, 2);
    for index in 3..6 {
        board.end(index, Ok(index));
        assert_eq!(run.run(), Poll::Ready(Some((index, Ok(index)))));
    }
    assert_eq!(run.run(), Poll::Ready(None));
}

#[test]
fn panicking_errors_do_not_stop_winners() {
    struct Grudge(bool);
    impl Drop for Grudge {
        fn drop(&mut self) {
            assert!(!self.0, "the destructor of the error panics");
        }
    }
    let board = Board::<usize, Grudge>::of(3);
    let mut run = Driver::new(race(board.tasks()));
    assert!(run.run().is_pending());
    board.end(0, Err(Grudge(true)));
    board.end(1, Err(Grudge(false)));
    assert!(run.run().is_pending());
    board.end(2, Ok(2));
    assert!(poll_caught(&mut run).is_none());
    assert!(matches!(run.finish(), Ok(won) if won.winner_index == 2));
}

/// Panics at one of its calls, and notes them all.
struct Fuse {
    at: usize,
    calls: RefCell<Vec<String>>,
}

impl Fuse {
    fn call(&self, what: String) {
        self.calls.borrow_mut().push(what);
        assert!(self.calls.borrow().len() != self.at, "the hook panics");
    }
}

impl Observer<usize, &'static str> for &Fuse {
    fn on_progress(&mut self, progress: Progress) {
        self.call(progress.to_string());
    }
    fn on_complete(&mut self, value: &usize, index: usize) {
        self.call(format!("{index}: {value}"));
    }
    fn on_error(&mut self, error: &&'static str, index: usize) {
        self.call(format!("{index}: {error}"));
    }
}

fn fuse(at: usize) -> Fuse {
    Fuse {
        at,
        calls: RefCell::default(),
    }
}

/// Returns a board whose every third task fails, and all of which end on their first poll if `ready`.
fn mixed(ready: bool) -> Board {
    let board = Board::new(TASKS);
    if ready {
        (0..TASKS).for_each(|index| end(&board, index));
    }
    board
}

fn end(board: &Board, index: usize) {
    board.end(index, if index % 3 == 2 { Err("no") } else { Ok(index) });
}

/// Ends the tasks in turn while the run is driven, and counts the panics.
fn end_in_turn<F: Future>(board: &Board, mut run: Driver<F>, panics: &mut usize) -> F::Output {
    let mut next = 0;
    loop {
        if let Poll::Ready(output) = run_caught(&mut run, panics) {
            return output;
        }
        end(board, next);
        next += 1;
    }
}

/// Returns an iterator that must not be asked again after its end.
fn strict<I: Iterator>(mut items: I) -> impl Iterator<Item = I::Item> {
    let mut ended = false;
    std::iter::from_fn(move || {
        assert!(!ended, "the source was polled after its end");
        let item = items.next();
        ended = item.is_none();
        item
    })
}

#[test]
fn panicking_hooks_lose_no_result() {
    for ready in [true, false] {
        for at in 1..=2 * TASKS {
            let (board, fuse, mut panics) = (mixed(ready), fuse(at), 0);
            let run = parallel(strict(board.tasks())).observe(&fuse);
            let result = end_in_turn(&board, Driver::new(run), &mut panics);
            assert_eq!((result.success_count(), result.failure_count()), (8, 4));
            assert_eq!((panics, board.dropped()), (1, TASKS));
            let calls = fuse.calls.into_inner();
            // A hook that panics in place of one event keeps the progress from being reported.
            let untold = usize::from(at % 2 == 1);
            assert_eq!(calls.len(), 2 * TASKS - untold, "{calls:?}");
        }
    }
}

#[test]
fn panicking_stream_hooks_lose_no_result() {
    for ordered in [false, true] {
        for ready in [true, false] {
            for at in 1..2 * TASKS {
                let (board, fuse, mut panics) = (mixed(ready), fuse(at), 0);
                let run = parallel(strict(board.tasks()))
                    .concurrency(3)
                    .observe(&fuse);
                let outputs: Vec<_> = if ordered {
                    let all = Driver::new(run.into_ordered_stream().collect());
                    end_in_turn(&board, all, &mut panics)
                } else {
                    let all = Driver::new(run.into_stream().collect());
                    end_in_turn(&board, all, &mut panics)
                };
                assert!((0..TASKS).eq(outputs.into_iter().map(|(index, _)| index)));
                assert_eq!(panics, 1);
            }
        }
    }
}

#[test]
fn panicking_start_hooks_lose_no_task() {
    for ready in [true, false] {
        for at in 0..TASKS {
            let (board, started, mut panics) = (mixed(ready), RefCell::new(Vec::new()), 0);
            let run = parallel(strict(board.tasks()))
                .concurrency(WINDOW)
                .on_start(|index| {
                    started.borrow_mut().push(index);
                    assert!(index != at, "the hook panics");
                });
            let result = end_in_turn(&board, Driver::new(run), &mut panics);
            assert_eq!((result.success_count(), result.failure_count()), (8, 4));
            assert_eq!((panics, board.dropped()), (1, TASKS));
            // The hook is not called again for the task that it has panicked for, and that is not polled in vain.
            assert!(started.into_inner().into_iter().eq(0..TASKS));
            assert_eq!(board.total_polls(), if ready { TASKS } else { 2 * TASKS });
        }
    }
}

#[test]
fn panicking_start_hooks_lose_no_racer() {
    for at in 0..4 {
        let board = Board::new(4);
        let run = race(board.tasks()).on_start(|index| assert!(index != at, "the hook panics"));
        let (mut run, mut panics) = (Driver::new(run), 0);
        assert!(run_caught(&mut run, &mut panics).is_pending());
        assert_eq!((panics, board.total_polls()), (1, 4));
        board.end(at, Ok(at));
        let won = finish_caught(&mut run, &mut panics).unwrap();
        assert_eq!((won.winner_index, panics, board.alive()), (at, 1, 0));
    }
}

#[test]
fn panicking_hooks_let_failures_end_runs() {
    for at in [1, 2] {
        let board = Board::new(TASKS);
        let fuse = fuse(at);
        let run = parallel(board.tasks()).fail_fast(true).observe(&fuse);
        let mut run = Driver::new(run);
        assert!(run.run().is_pending());
        board.end(1, Err("no"));
        assert!(poll_caught(&mut run).is_none());
        let result = run.finish();
        assert_eq!((result.failure_count(), result.cancelled_count()), (1, 11));
        assert_eq!((board.created(), board.alive()), (5, 0));
    }
}

#[test]
fn panicking_winner_hooks_lose_no_winner() {
    let board = Board::new(3);
    let mut calls = 0;
    let mut run = Driver::new(race(strict(board.tasks())).on_complete(|_, index| {
        calls += 1;
        assert!(index != 1, "the hook panics");
    }));
    let mut panics = 0;
    assert!(run_caught(&mut run, &mut panics).is_pending());
    board.end(1, Ok(10));
    let won = finish_caught(&mut run, &mut panics).unwrap();
    assert_eq!((won.value, won.winner_index, panics), (10, 1, 1));
    assert_eq!(board.alive(), 0);
    drop(run);
    assert_eq!(calls, 1);
}

#[test]
fn panicking_race_hooks_lose_nothing() {
    for winner in [None, Some(3)] {
        for at in 0..3 {
            let board = Board::new(4);
            let mut calls = 0;
            let mut run = Driver::new(race(strict(board.tasks())).on_error(|_, index| {
                calls += 1;
                assert!(index != at, "the hook panics");
            }));
            let mut panics = 0;
            assert!(run_caught(&mut run, &mut panics).is_pending());
            for index in 0..4 {
                let wins = winner == Some(index);
                board.end(index, if wins { Ok(index) } else { Err("no") });
            }
            match finish_caught(&mut run, &mut panics) {
                Ok(won) => assert_eq!(Some(won.winner_index), winner),
                Err(RaceError::AllFailed(failures)) => assert_eq!(failures.len(), 4),
                Err(error) => panic!("{error}"),
            }
            assert_eq!((panics, board.alive()), (1, 0));
            drop(run);
            assert_eq!(calls, if winner.is_some() { 3 } else { 4 });
        }
    }
}

#[test]
fn batch_hooks_panic_once_per_batch() {
    for settle in [false, true] {
        for ready in [false, true] {
            for (size, batches) in [(5, 3), (4, 3), (12, 1), (100, 1)] {
                for at in 1..=batches {
                    let (board, fuse, mut panics) = (Board::new(TASKS), fuse(at), 0);
                    if ready {
                        (0..TASKS).for_each(|index| board.end(index, Ok(index)));
                    }
                    let handled = board.clone();
                    let run = batched(strict(0..TASKS), move |index| handled.task(index))
                        .batch_size(size)
                        .on_progress(|progress| fuse.call(progress.to_string()));
                    let mut run = Driver::new(if settle {
                        run.settle()
                            .map(|result| result.success_count())
                            .boxed_local()
                    } else {
                        run.map(|values| values.unwrap().len()).boxed_local()
                    });
                    let mut ended = 0;
                    let values = loop {
                        match run_caught(&mut run, &mut panics) {
                            Poll::Ready(values) => break values,
                            Poll::Pending => {
                                board.end(ended, Ok(ended));
                                ended += 1;
                            }
                        }
                    };
                    assert_eq!((values, panics), (TASKS, 1));
                    drop(run);
                    assert_eq!(fuse.calls.borrow().len(), batches, "{:?}", fuse.calls);
                }
            }
        }
    }
}

#[test]
fn panicking_sources_leave_one_task_out() {
    for at in [0, 4, 11] {
        for verb in 0..verb_count() {
            let board = Board::new(TASKS);
            let tasks = board.clone();
            let make = move |index| {
                assert!(index != at, "making the task panics");
                tasks.task(index)
            };
            let run = every_verb(TASKS, WINDOW, make).swap_remove(verb);
            let (name, races) = (run.name, run.races);
            let mut run = Driver::new(run.future);
            let (mut panics, mut next) = (0, (0..TASKS).filter(|&index| index != at));
            let outputs = loop {
                match run_caught(&mut run, &mut panics) {
                    Poll::Ready(outputs) => break outputs,
                    Poll::Pending => {
                        let index = next.next().unwrap_or_else(|| panic!("{name}: it hangs"));
                        board.end(index, if races { Err("no") } else { Ok(index) });
                    }
                }
            };
            assert_eq!((panics, board.dropped()), (1, TASKS - 1), "{name}");
            // A task that was never made is left out, as if it had not been there.
            let (mut indices, values): (Vec<_>, Vec<_>) = outputs.into_iter().unzip();
            indices.sort_unstable();
            assert!((0..TASKS - 1).eq(indices), "{name}");
            let others = (0..TASKS).filter(|&index| index != at);
            assert!(races || others.eq(values.into_iter().flatten()), "{name}");
        }
    }
}

#[test]
fn panicking_streams_keep_tasks_going() {
    let board = Board::new(4);
    let (sender, receiver) = async_channel::unbounded();
    let mut panics_left = 3;
    let mut receiver = Box::pin(receiver);
    let source = futures::stream::poll_fn(move |cx| {
        let next = receiver.poll_next_unpin(cx);
        if next.is_pending() && panics_left > 0 {
            panics_left -= 1;
            panic!("the stream panics");
        }
        next
    });
    let mut run = Driver::new(parallel_stream(source));
    (0..3).for_each(|index| sender.try_send(board.task(index)).unwrap());
    let mut panics = 0;
    assert!(run_caught(&mut run, &mut panics).is_pending());
    assert_eq!((panics, board.alive()), (3, 3));
    board.end(1, Ok(1));
    assert!(run_caught(&mut run, &mut panics).is_pending());
    assert_eq!(board.alive(), 2);
    sender.try_send(board.task(3)).unwrap();
    sender.close();
    [0, 2, 3]
        .into_iter()
        .for_each(|index| board.end(index, Ok(index)));
    assert_eq!(run.finish().success_count(), 4);
}

#[test]
fn panicking_sources_leave_tasks_their_turn() {
    let board = Board::new(1);
    let mut first = Some(board.task(0));
    let source = std::iter::from_fn(move || match first.take() {
        Some(task) => Some(task),
        None => panic!("the source panics each time"),
    });
    let seen = Cell::new(0);
    let mut run = Driver::new(parallel(source).on_complete(|_, _| seen.set(seen.get() + 1)));
    assert!(poll_caught(&mut run).is_none());
    board.end(0, Ok(0));
    assert!(poll_caught(&mut run).is_none());
    assert_eq!((seen.get(), board.alive()), (1, 0));
}

#[test]
fn panicking_size_hints_hide_the_total() {
    struct Unsure<I>(I);
    impl<I: Iterator> Iterator for Unsure<I> {
        type Item = I::Item;
        fn next(&mut self) -> Option<I::Item> {
            self.0.next()
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            panic!("the hint panics")
        }
    }
    let board = mixed(true);
    let mut totals = Vec::new();
    let run = parallel(Unsure(board.tasks())).on_progress(|progress| totals.push(progress.total));
    let (mut run, mut panics) = (Driver::new(run), 0);
    assert_eq!(finish_caught(&mut run, &mut panics).len(), TASKS);
    drop(run);
    assert_eq!((panics, totals), (1, vec![None; TASKS]));
}

/// A loser whose destructor panics, beside others.
#[test]
fn losers_with_panicking_destructors_are_dropped() {
    for panicking in [0, 1, 3] {
        let board = Board::new(4);
        let mut run = Driver::new(race((0..4).map(explosive_at_drop(&board, panicking))));
        assert!(run.run().is_pending());
        board.end(2, Ok(2));
        assert!(poll_caught(&mut run).is_none());
        assert_eq!((board.alive(), board.dropped()), (0, 4));
        assert_eq!(run.finish().unwrap().winner_index, 2);
        drop(run);
        assert_eq!(board.dropped(), 4);
    }
}

#[test]
fn panicking_siblings_do_not_undo_failures() {
    for verb in 0..verb_count() {
        let board = Board::new(TASKS);
        let make = explosive_at_drop(&board, 0);
        let run = every_verb(TASKS, WINDOW, make).swap_remove(verb);
        if !run.fails_fast || run.window == 1 {
            continue;
        }
        let mut future = Driver::new(run.future);
        assert!(future.run().is_pending());
        board.end(2, Err("no"));
        let mut panics = 0;
        let outputs = finish_caught(&mut future, &mut panics);
        assert_eq!(outputs, [(2, Err("no"))], "{}", run.name);
        assert_eq!((panics, board.created(), board.alive()), (1, WINDOW, 0));
        drop(future);
        assert_eq!(board.dropped(), WINDOW);
    }
}

#[test]
fn panicking_destructors_let_others_drop() {
    for verb in 0..verb_count() {
        let board = Board::new(TASKS);
        let make = explosive_at_drop(&board, 0);
        let run = every_verb(TASKS, WINDOW, make).swap_remove(verb);
        let mut future = run.future;
        let (wakes, waker) = crate::support::Count::new();
        let mut cx = Context::from_waker(&waker);
        assert!(future.as_mut().poll(&mut cx).is_pending());
        assert!(catch_unwind(AssertUnwindSafe(|| drop(future))).is_err());
        assert_eq!(board.alive(), 0, "{}", run.name);
        drop(board);
        assert_eq!(Arc::strong_count(&wakes), 2, "{}", run.name);
    }
}

/// A parent waker whose wakes panic while there are some to do so.
#[derive(Default)]
struct Alarm {
    to_panic: AtomicUsize,
    wakes: AtomicUsize,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
        let left = self.to_panic.load(Ordering::SeqCst);
        self.to_panic
            .store(left.saturating_sub(1), Ordering::SeqCst);
        assert!(left == 0, "the parent's wake panics");
    }
}

#[test]
fn panicking_parents_cost_one_wake() {
    let board = Board::new(3);
    let mut run = Box::pin(parallel(board.tasks()));
    let alarm = Arc::new(Alarm::default());
    let parent = Waker::from(alarm.clone());
    let mut cx = Context::from_waker(&parent);
    assert!(run.as_mut().poll(&mut cx).is_pending());

    alarm.to_panic.store(1, Ordering::SeqCst);
    assert!(catch_unwind(AssertUnwindSafe(|| board.end(0, Ok(0)))).is_err());
    // The next wake tries again, and the poll that it leads to finds both.
    board.end(1, Ok(1));
    assert_eq!(alarm.wakes.load(Ordering::SeqCst), 2);
    assert!(run.as_mut().poll(&mut cx).is_pending());
    assert_eq!(board.alive(), 1);
    // The next sleep is broken as ever.
    board.end(2, Ok(2));
    assert_eq!(alarm.wakes.load(Ordering::SeqCst), 3);
    assert!(run.as_mut().poll(&mut cx).is_ready());
    drop((run, parent, board));
    assert_eq!(Arc::strong_count(&alarm), 1);
}

#[test]
fn any_wake_retries_a_panicked_one() {
    // In the root, in one leaf, in two leaves, and under two nodes.
    for (tasks, woken) in [
        (2, [0, 1]),
        (100, [0, 1]),
        (100, [0, 70]),
        (8_000, [0, 7_999]),
    ] {
        let board = Board::new(tasks);
        let mut run = Box::pin(parallel(board.tasks()).concurrency(tasks));
        let alarm = Arc::new(Alarm::default());
        // The second parent is woken in another way than the first.
        for parent in [Count::new().1, Waker::from(alarm.clone())] {
            let mut cx = Context::from_waker(&parent);
            for _ in 0..tasks.div_ceil(100) {
                assert!(run.as_mut().poll(&mut cx).is_pending());
            }
        }
        alarm.to_panic.store(2, Ordering::SeqCst);
        for attempt in 1..=2 {
            let wake = || board.end(woken[0], Ok(0));
            assert!(catch_unwind(AssertUnwindSafe(wake)).is_err());
            assert_eq!(alarm.wakes.load(Ordering::SeqCst), attempt);
        }
        board.end(woken[1], Ok(0));
        assert_eq!(alarm.wakes.load(Ordering::SeqCst), 3, "{tasks} tasks");
        board.wake(woken[1]);
        assert_eq!(alarm.wakes.load(Ordering::SeqCst), 3, "{tasks} tasks");
    }
}

#[test]
fn panicking_wakes_within_polls_lose_nothing() {
    // Tasks that yield make the run wake its parent when it has done enough.
    let mut run = Box::pin(parallel((0..100).map(|index| async move {
        crate::support::yield_times(5).await;
        Ok::<_, ()>(index)
    })));
    let alarm = Arc::new(Alarm::default());
    alarm.to_panic.store(3, Ordering::SeqCst);
    let parent = Waker::from(alarm.clone());
    let mut panics = 0;
    let result = loop {
        let mut cx = Context::from_waker(&parent);
        match catch_unwind(AssertUnwindSafe(|| run.as_mut().poll(&mut cx))) {
            Err(_) => panics += 1,
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(result)) => break result,
        }
    };
    assert_eq!(panics, 3);
    assert!(result.into_result().unwrap().into_iter().eq(0..100));
}

/// A parent waker whose clone or drop panics, which only a hand-made one can.
mod raw {
    use super::*;
    use std::ptr;
    use std::task::{RawWaker, RawWakerVTable};

    thread_local! {
        pub(crate) static CLONE_PANICS: Cell<bool> = const { Cell::new(false) };
        pub(crate) static DROP_PANICS: Cell<bool> = const { Cell::new(false) };
        pub(crate) static ALIVE: Cell<isize> = const { Cell::new(0) };
        pub(crate) static WAKES: Cell<usize> = const { Cell::new(0) };
    }

    const fn vtable() -> RawWakerVTable {
        RawWakerVTable::new(clone_first, wake, wake_by_ref, drop)
    }

    /// Two kinds, which do not wake each other's task.
    static KINDS: [RawWakerVTable; 2] = [
        vtable(),
        RawWakerVTable::new(clone_second, wake, wake_by_ref, drop),
    ];

    fn clone_first(_: *const ()) -> RawWaker {
        clone(0)
    }

    fn clone_second(_: *const ()) -> RawWaker {
        clone(1)
    }

    fn clone(kind: usize) -> RawWaker {
        assert!(!CLONE_PANICS.take(), "the clone of the waker panics");
        ALIVE.set(ALIVE.get() + 1);
        RawWaker::new(ptr::null(), &KINDS[kind])
    }

    fn wake(data: *const ()) {
        wake_by_ref(data);
        drop(data);
    }

    fn wake_by_ref(_: *const ()) {
        WAKES.set(WAKES.get() + 1);
    }

    fn drop(_: *const ()) {
        ALIVE.set(ALIVE.get() - 1);
        assert!(!DROP_PANICS.take(), "the drop of the waker panics");
    }

    #[allow(unsafe_code)]
    pub(crate) fn waker(kind: usize) -> Waker {
        // SAFETY: the functions of the table use thread-local state only, and the wakers stay on their thread.
        unsafe { Waker::from_raw(clone(kind)) }
    }
}

#[test]
fn panicking_clones_lose_nothing() {
    let board = Board::new(3);
    let mut run = Box::pin(parallel(board.tasks()));
    let parents = [raw::waker(0), raw::waker(1)];
    for (round, parent) in parents.iter().cycle().take(6).enumerate() {
        let mut cx = Context::from_waker(parent);
        raw::CLONE_PANICS.set(true);
        let polled = catch_unwind(AssertUnwindSafe(|| run.as_mut().poll(&mut cx)));
        // The first parent is kept, so going back to it takes no clone.
        assert_eq!(polled.is_err(), round == 0 || round % 2 == 1);
        raw::CLONE_PANICS.set(false);
        assert!(run.as_mut().poll(&mut cx).is_pending());
        let before = raw::WAKES.get();
        board.wake(0);
        assert_eq!(raw::WAKES.get(), before + 1);
    }
    (0..3).for_each(|index| board.end(index, Ok(index)));
    let mut cx = Context::from_waker(&parents[0]);
    assert!(run.as_mut().poll(&mut cx).is_ready());
    drop((run, parents, board));
    assert_eq!(raw::ALIVE.get(), 0);
}

#[test]
fn panicking_former_parents_lose_nothing() {
    let board = Board::new(3);
    let mut run = Box::pin(parallel(board.tasks()));
    let parents = [raw::waker(0), raw::waker(1)];
    for (round, parent) in parents.iter().cycle().take(6).enumerate() {
        let mut cx = Context::from_waker(parent);
        raw::DROP_PANICS.set(round > 0);
        let polled = catch_unwind(AssertUnwindSafe(|| run.as_mut().poll(&mut cx)));
        // The first parent is kept, so it is the second that is dropped.
        assert_eq!(polled.is_err(), round > 0 && round % 2 == 0);
        raw::DROP_PANICS.set(false);
        assert!(run.as_mut().poll(&mut cx).is_pending());
        let before = raw::WAKES.get();
        board.wake(0);
        assert_eq!(raw::WAKES.get(), before + 1);
    }
    raw::DROP_PANICS.set(true);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(run))).is_err());
    assert_eq!((board.alive(), raw::ALIVE.get()), (0, 3));
    // The wakers of the tasks take the first parent along.
    raw::DROP_PANICS.set(true);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(board))).is_err());
    assert_eq!(raw::ALIVE.get(), 2);
}

#[test]
fn a_panic_puts_off_no_wake() {
    // In the root, in the branch and in a group; everyone is woken, and some panic.
    for tasks in [20, 200, 3_000] {
        let board = Board::new(tasks);
        let made = board.clone();
        let run = parallel((0..tasks).map(move |index| Explosive {
            task: made.task(index),
            polls_left: (index % 7 == 3).then_some(2),
            at_drop: false,
        }));
        let mut run = Driver::new(run.concurrency(tasks));
        assert!(run.run().is_pending());
        (0..tasks).for_each(|index| board.end(index, Ok(index)));
        let mut panics = 0;
        let result = finish_caught(&mut run, &mut panics);
        assert_eq!(panics, (0..tasks).filter(|index| index % 7 == 3).count());
        assert_eq!(
            (result.success_count(), result.cancelled_count()),
            (tasks - panics, panics)
        );
        assert_eq!(board.total_polls(), 2 * tasks - panics);
        let values = result.results().enumerate();
        for (index, value) in values {
            assert_eq!(value.is_none(), index % 7 == 3);
        }
    }
}

#[test]
fn panics_of_unsendable_tasks_are_caught() {
    let shared = Rc::new(Cell::new(0));
    let tasks = (0..3).map(|index| {
        let shared = shared.clone();
        async move {
            shared.set(shared.get() + 1);
            assert!(index != 0, "the task panics");
            Ok::<_, ()>(index)
        }
    });
    let mut run = Driver::new(parallel(tasks));
    assert_eq!(finish_caught(&mut run, &mut 0).success_count(), 2);
    drop(run);
    assert_eq!((shared.get(), Rc::strong_count(&shared)), (3, 1));
}
