//! Items of which only a few of a key run: in which order they start, and that nothing waits in vain.

use std::cell::RefCell;
#[cfg(panic = "unwind")]
use std::future::Future;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::support::{Board, Driver};
use abreast::{Limit, Outcome, parallel_map, parallel_map_stream};
use futures::Stream;
#[cfg(panic = "unwind")]
use futures::StreamExt;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Returns the tasks that were polled and still run.
fn running(board: &Board, len: usize) -> Vec<usize> {
    (0..len)
        .filter(|&task| board.polls(task) > 0 && !board.is_dropped(task))
        .collect()
}

/// Returns the items of a word, by their index: each letter is a key.
fn letters(word: &str) -> impl ExactSizeIterator<Item = (usize, char)> + use<> {
    let letters: Vec<_> = word.chars().enumerate().collect();
    letters.into_iter()
}

/// Returns the next item of a stream, without a waker.
fn next<S: Stream>(stream: &mut Driver<S>) -> Poll<Option<S::Item>> {
    let cx = &mut Context::from_waker(Waker::noop());
    stream.future.as_mut().poll_next(cx)
}

/// A task of a board for each letter.
macro_rules! keyed {
    ($board:expr, $word:expr, $limit:expr) => {{
        let board = $board.clone();
        parallel_map(letters($word), move |(index, _)| board.task(index))
            .per_key($limit, |&(_, key)| key)
    }};
}

#[test]
fn a_full_key_lets_others_pass() {
    let board = Board::new(6);
    let ended = RefCell::new(Vec::new());
    let started = RefCell::new(Vec::new());
    let run = keyed!(board, "aaabbc", 1)
        .on_start(|index| started.borrow_mut().push(index))
        .on_complete(|_, index| ended.borrow_mut().push(index));
    let mut run = Driver::new(run.concurrency(3));
    assert!(run.run().is_pending());
    assert_eq!(running(&board, 6), [0, 3, 5]);

    // The oldest whose key has room comes next.
    board.end(5, Ok(50));
    assert!(run.run().is_pending());
    assert_eq!(running(&board, 6), [0, 3]);
    board.end(3, Ok(30));
    assert!(run.run().is_pending());
    assert_eq!(running(&board, 6), [0, 4]);
    board.end(0, Ok(0));
    assert!(run.run().is_pending());
    assert_eq!(running(&board, 6), [1, 4]);
    for index in [4, 1, 2] {
        board.end(index, Ok(10 * index));
        let _ = run.run();
    }
    // Hooks have the index of the item.
    assert_eq!(started.into_inner(), [0, 3, 5, 4, 1, 2]);
    assert_eq!(ended.into_inner(), [5, 3, 0, 4, 1, 2]);
}

#[test]
fn results_are_in_input_order() {
    let run = parallel_map(letters("aabab"), |(index, _)| {
        crate::support::returns(if index == 3 { Err("no") } else { Ok(index) })
    });
    let result = Driver::new(run.per_key(1, |&(_, key)| key)).finish();
    let values: Vec<_> = result.results().collect();
    assert_eq!(values, [Some(&0), Some(&1), Some(&2), None, Some(&4)]);
    assert_eq!(result.failures().collect::<Vec<_>>(), [(3, &"no")]);
}

#[test]
fn several_of_a_key_run() {
    let board = Board::new(8);
    let mut run = Driver::new(keyed!(board, "aaaabbba", 2).concurrency(5));
    assert!(run.run().is_pending());
    assert_eq!(running(&board, 8), [0, 1, 4, 5]);
    // Both at once make room for two.
    board.end(0, Ok(0));
    board.end(1, Ok(1));
    assert!(run.run().is_pending());
    assert_eq!(running(&board, 8), [2, 3, 4, 5]);
}

#[test]
fn the_look_ahead_is_bounded() {
    let board = Board::new(9);
    let run = keyed!(board, "aaaaabcde", 1).look_ahead(3);
    let mut run = Driver::new(run.into_stream());
    assert!(next(&mut run).is_pending());
    // Three of them wait, and the others are out of sight.
    assert_eq!(running(&board, 9), [0]);
    board.end(0, Ok(0));
    assert_eq!(next(&mut run), Poll::Ready(Some((0, Ok(0)))));
    assert!(next(&mut run).is_pending());
    assert_eq!(running(&board, 9), [1]);
    board.end(1, Ok(1));
    assert_eq!(next(&mut run), Poll::Ready(Some((1, Ok(1)))));
    assert!(next(&mut run).is_pending());
    assert_eq!(running(&board, 9), [2, 5, 6, 7, 8]);
}

#[test]
fn endless_items_are_pulled_lazily() {
    let pulled = RefCell::new(0);
    let items = (0..).inspect(|_| *pulled.borrow_mut() += 1);
    let run = parallel_map(items, |item: usize| {
        crate::support::returns(Ok::<_, ()>(item))
    });
    let run = run.concurrency(2).per_key(1, |item| item / 1000);
    let mut run = Driver::new(run.look_ahead(10).into_stream());
    let mut taken = Vec::new();
    while taken.len() < 20 {
        match next(&mut run) {
            Poll::Ready(item) => taken.extend(item),
            Poll::Pending => {}
        }
    }
    assert!(taken.iter().map(|&(index, _)| index).eq(0..20));
    assert!(
        *pulled.borrow() <= 20 + 10 + 2,
        "{} pulled",
        pulled.borrow()
    );
}

#[test]
fn an_ordered_stream_never_runs_dry() {
    // Room for two. When the first has been taken, the second must not be kept out by those that have passed it.
    let board = Board::new(6);
    let run = keyed!(board, "aabbbb", 1).concurrency(2);
    let mut run = Driver::new(run.into_ordered_stream());
    assert!(next(&mut run).is_pending());
    assert_eq!(running(&board, 6), [0, 2]);
    board.end(2, Ok(2));
    assert!(next(&mut run).is_pending());
    // What waits to be handed over counts.
    assert!(running(&board, 6).eq(&[0]));
    board.end(0, Ok(0));
    assert_eq!(next(&mut run), Poll::Ready(Some((0, Ok(0)))));
    assert!(next(&mut run).is_pending());
    assert_eq!(running(&board, 6), [1]);
    for index in [1, 3, 4, 5] {
        board.end(index, Ok(index));
    }
    for index in 1..6 {
        let item = loop {
            if let Poll::Ready(item) = next(&mut run) {
                break item;
            }
        };
        assert_eq!(item, Some((index, Ok(index))));
    }
    assert_eq!(next(&mut run), Poll::Ready(None));
}

#[test]
fn consumers_get_input_indices() {
    for ordered in [false, true] {
        let seen = RefCell::new(Vec::new());
        let run = parallel_map(letters("aaabbbcab"), |(index, _)| {
            crate::support::returns(Ok::<_, ()>(index))
        });
        let run = run.concurrency(2).per_key(1, |&(_, key)| key);
        let run = run.for_each(async |index, result| seen.borrow_mut().push((index, result)));
        let consumed = if ordered {
            Driver::new(run.ordered()).finish()
        } else {
            Driver::new(run).finish()
        };
        assert_eq!((consumed.count, consumed.total), (9, Some(9)));
        let mut seen = seen.into_inner();
        assert!(seen.iter().all(|&(index, result)| result == Ok(index)));
        if !ordered {
            seen.sort_unstable_by_key(|&(index, _)| index);
        }
        assert!(seen.iter().map(|&(index, _)| index).eq(0..9));
    }
}

#[test]
fn what_waited_is_cancelled() {
    for is_exact in [true, false] {
        let board = Board::new(6);
        let most = is_exact.then_some(6);
        let items = Lies(letters("aaabcb"), (most.unwrap_or(0), most));
        let run = parallel_map(items, |(index, _)| board.task(index)).per_key(1, key);
        let mut run = Driver::new(run.concurrency(2).fail_fast(true));
        assert!(run.run().is_pending());
        assert_eq!(running(&board, 6), [0, 3]);
        board.end(3, Err("no"));
        let result = run.finish();
        // Two were pulled and wait, and two more are known of if the hint is exact.
        assert_eq!(result.len(), if is_exact { 6 } else { 4 });
        assert_eq!(result.cancelled_count(), result.len() - 1);
        assert_eq!(result[3], Outcome::Failed("no"));
    }
}

fn key(&(_, key): &(usize, char)) -> char {
    key
}

#[test]
fn streams_of_items_have_keys() {
    let (send, items) = async_channel::unbounded::<(usize, char)>();
    let board = Board::new(3);
    let run = parallel_map_stream(items, |(index, _)| board.task(index)).per_key(1, key);
    let mut run = Driver::new(run);
    assert!(run.run().is_pending());
    send.try_send((0, 'a')).unwrap();
    send.try_send((1, 'a')).unwrap();
    assert!(run.run().is_pending());
    assert_eq!(running(&board, 3), [0]);
    // One waits for its key while the stream is pending: either may be first.
    board.end(0, Ok(0));
    assert!(run.run().is_pending());
    assert_eq!(running(&board, 3), [1]);
    send.try_send((2, 'b')).unwrap();
    drop(send);
    assert!(run.run().is_pending());
    assert_eq!(running(&board, 3), [1, 2]);
    board.end(1, Ok(1));
    board.end(2, Ok(2));
    assert_eq!(run.finish().into_values(), Ok(vec![0, 1, 2]));
}

#[test]
fn keys_compose_with_weights_and_limits() {
    let board = Board::new(5);
    let (memory, connections) = (Limit::new(4), Limit::new(2));
    let run = keyed!(board, "aabbc", 1)
        .weigh(&memory, |&(index, _)| index + 1)
        .limit(&connections);
    let mut run = Driver::new(run);
    assert!(run.run().is_pending());
    // The third weighs three, and the next in sight has no permit of its own kind.
    assert_eq!((running(&board, 5), memory.in_use()), (vec![0, 2], 4));
    board.end(0, Ok(0));
    assert!(run.run().is_pending());
    // Whose turn it is was settled before: the last weighs five, and waits until it is alone.
    assert_eq!(running(&board, 5), [2]);
    board.end(2, Ok(2));
    assert!(run.run().is_pending());
    assert_eq!((running(&board, 5), memory.in_use()), (vec![4], 5));
    for index in [4, 1, 3] {
        board.end(index, Ok(index));
        let _ = run.run();
    }
    assert_eq!((memory.in_use(), connections.in_use()), (0, 0));
}

/// A key that counts how many of it there are.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Counted(usize, Rc<()>);

#[test]
fn idle_keys_are_forgotten() {
    let alive = Rc::new(());
    let run = parallel_map(0..1000_usize, |item| {
        crate::support::returns(Ok::<_, ()>(item))
    });
    let most = RefCell::new(0);
    let run = run
        .concurrency(4)
        .on_progress(|_| {
            let mut most = most.borrow_mut();
            *most = Rc::strong_count(&alive).max(*most);
        })
        .per_key(1, |&item| Counted(item / 2, alive.clone()))
        .look_ahead(3);
    assert!(Driver::new(run).finish().all_succeeded());
    // Those of what runs and waits, and those of what has just ended.
    assert!(*most.borrow() <= 1 + 4 + 3 + 4, "{} keys", most.borrow());
    assert_eq!(Rc::strong_count(&alive), 1);
}

#[test]
fn keys_and_limits_stack() {
    let (board, limit) = (Board::new(4), Limit::new(3));
    let run = keyed!(board, "aabb", 1).limit(&limit);
    let mut run = Driver::new(run.concurrency(4));
    assert!(run.run().is_pending());
    assert_eq!(running(&board, 4), [0, 2]);
    board.end(0, Ok(0));
    assert!(run.run().is_pending());
    assert_eq!((running(&board, 4), limit.in_use()), (vec![1, 2], 2));
    board.end(2, Ok(2));
    assert!(run.run().is_pending());
    assert_eq!((running(&board, 4), limit.in_use()), (vec![1, 3], 2));
}

#[test]
fn a_free_key_starts_beside_a_consumer() {
    let board = Board::new(3);
    let run = keyed!(board, "aab", 1).for_each(async |_, _| ());
    let mut run = Driver::new(run);
    assert!(run.run().is_pending());
    assert_eq!(running(&board, 3), [0, 2]);
    board.end(0, Ok(0));
    assert!(run.run().is_pending());
    assert_eq!(running(&board, 3), [1, 2]);
}

#[cfg(panic = "unwind")]
#[test]
#[should_panic(expected = "a limit of 0 per key runs nothing")]
fn no_task_per_key_panics() {
    drop(parallel_map([1], |n| async move { Ok::<_, ()>(n) }).per_key(0, |&n| n));
}

#[cfg(panic = "unwind")]
#[test]
#[should_panic(expected = "a look-ahead of 0 sees no item")]
fn no_look_ahead_panics() {
    let run = parallel_map([1], |n| async move { Ok::<_, ()>(n) });
    drop(run.per_key(1, |&n| n).look_ahead(0));
}

#[cfg(panic = "unwind")]
mod panics {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    /// Polls, and returns whether that panicked.
    fn panics<F: Future>(run: &mut Driver<F>) -> bool {
        catch_unwind(AssertUnwindSafe(|| run.run().is_ready())).is_err()
    }

    #[test]
    fn a_panicking_handler_has_a_place() {
        for bad in 0..5 {
            let handler = move |(index, _)| {
                assert_ne!(index, bad, "no");
                crate::support::returns(Ok::<_, ()>(index))
            };
            let run = parallel_map(letters("aabab"), handler).per_key(1, key);
            let mut run = Driver::new(run.concurrency(2));
            assert!(panics(&mut run));
            let result = run.finish();
            assert_eq!((result.len(), result.success_count()), (5, 4));
            assert!(result[bad].is_cancelled());
        }
    }

    #[test]
    fn behind_a_limit_it_has_one_too() {
        for bad in 0..5 {
            let handler = move |(index, _)| {
                assert_ne!(index, bad, "no");
                crate::support::returns(Ok::<_, ()>(index))
            };
            let limit = Limit::new(1);
            let run = parallel_map(letters("aabab"), handler).per_key(1, key);
            let mut run = Driver::new(run.limit(&limit).concurrency(2));
            assert!(panics(&mut run));
            let result = run.finish();
            assert_eq!((result.len(), result.success_count()), (5, 4));
            assert!(result[bad].is_cancelled());
            assert_eq!(limit.in_use(), 0);
        }
    }

    #[test]
    fn ordered_streams_skip_what_panicked() {
        for (bad, concurrency) in (0..5).flat_map(|bad| [(bad, 1), (bad, 2), (bad, 5)]) {
            let handler = move |(index, _)| {
                assert_ne!(index, bad, "no");
                crate::support::returns(Ok::<_, ()>(index))
            };
            let run = parallel_map(letters("aabab"), handler).per_key(1, key);
            let run = run.concurrency(concurrency).into_ordered_stream();
            let taken = Rc::new(RefCell::new(Vec::new()));
            let mut run = Driver::new(run.for_each(|(index, _)| {
                taken.borrow_mut().push(index);
                async {}
            }));
            assert!(panics(&mut run));
            run.finish();
            let others: Vec<_> = (0..5).filter(|&index| index != bad).collect();
            assert_eq!(*taken.borrow(), others, "{concurrency} at a time");
        }
    }

    #[test]
    fn a_panicking_key_skips_its_item() {
        let run = parallel_map(letters("aabab"), |(index, _)| {
            crate::support::returns(Ok::<_, ()>(index))
        });
        let mut run = Driver::new(run.per_key(1, |&(index, key)| {
            assert_ne!(index, 2, "no");
            key
        }));
        assert!(panics(&mut run));
        assert_eq!(run.finish().into_values(), Ok(vec![0, 1, 3, 4]));
    }

    #[test]
    fn a_second_panic_is_survived() {
        let board = Board::new(4);
        let (tasks, limit) = (board.clone(), Limit::new(4));
        let run = parallel_map(letters("aaaa"), move |(index, _)| tasks.task(index));
        let run = run.per_key(1, |&(index, key)| {
            assert_ne!(index, 2, "no");
            key
        });
        let run = run.look_ahead(1).weigh(&limit, |&(index, _)| {
            assert_ne!(index, 1, "no");
            1
        });
        let mut run = Driver::new(run.concurrency(2));
        assert!(run.run().is_pending());

        // The source is asleep until the end of the first task. Then it panics twice in a row.
        board.end(0, Ok(0));
        assert!(panics(&mut run));
        assert!(panics(&mut run));
        board.end(3, Ok(30));
        let result = run.finish();
        assert_eq!((result.len(), result.success_count()), (3, 2));
        assert!(result[1].is_cancelled());
        assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
    }

    #[test]
    fn a_panicking_weight_frees_its_key() {
        let limit = Limit::new(2);
        let run = parallel_map(letters("aabab"), |(index, _)| {
            crate::support::returns(Ok::<_, ()>(index))
        });
        let run = run.per_key(1, key).weigh(&limit, |&(index, _)| {
            assert_ne!(index, 1, "no");
            1
        });
        let mut run = Driver::new(run);
        assert!(panics(&mut run));
        let result = run.finish();
        assert_eq!((result.len(), result.success_count()), (5, 4));
        assert!(result[1].is_cancelled());
        assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
    }

    #[test]
    fn a_panicking_task_frees_its_key() {
        let run = parallel_map(letters("aab"), |(index, _)| async move {
            crate::support::yield_now().await;
            assert_ne!(index, 0, "no");
            Ok::<_, ()>(index)
        });
        let mut run = Driver::new(run.per_key(1, key));
        assert!(panics(&mut run));
        let result = run.finish();
        assert!(result[0].is_cancelled());
        assert_eq!(result.success_count(), 2);
    }
}

#[test]
fn hints_that_lie_are_harmless() {
    for (least, most) in [(0, None), (9, Some(9)), (1, Some(1)), (usize::MAX, None)] {
        let items = Lies(letters("aabab"), (least, most));
        let run = parallel_map(items, |(index, _)| {
            crate::support::returns(Ok::<_, ()>(index))
        });
        let run = run.per_key(1, key).look_ahead(2);
        let result = Driver::new(run).finish();
        assert_eq!(result.into_values(), Ok(vec![0, 1, 2, 3, 4]));
    }
}

/// Items with a size hint of its own.
struct Lies<I>(I, (usize, Option<usize>));

impl<I: Iterator> Iterator for Lies<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.1
    }
}
