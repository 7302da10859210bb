//! Structured concurrency.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::future::{pending, ready};
#[cfg(panic = "unwind")]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
#[cfg(panic = "unwind")]
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
#[cfg(panic = "unwind")]
use std::task::{Context, Waker};

#[cfg(panic = "unwind")]
use crate::support::Count;
use crate::support::{Board, Driver, yield_now, yield_times};
use abreast::{Group, Origin, TaskGroupError, join_all, local_task_group, task_group};
use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::FusedFuture;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// All tasks of the board, spawned into a group whose body returns at once.
macro_rules! board_group {
    ($board:expr) => {
        task_group(async |group| {
            for task in $board.tasks() {
                group.spawn(task);
            }
            Ok(())
        })
    };
}

#[test]
fn resolves_when_all_tasks_are_done() {
    let board = Board::new(3);
    let mut run = Driver::new(task_group(async |group| {
        for task in board.tasks() {
            group.spawn(task);
        }
        Ok("body")
    }));
    assert!(run.run().is_pending());
    for index in [1, 0] {
        board.end(index, Ok(0));
        assert!(run.run().is_pending());
    }
    board.end(2, Ok(0));
    assert!(!run.future.is_terminated());
    assert_eq!(run.finish(), Ok("body"));
    assert!(run.future.is_terminated());
}

#[test]
fn it_waits_for_the_body_too() {
    let (send, receive) = oneshot::channel();
    let mut run = Driver::new(task_group(async |group| {
        group.spawn(ready(Ok(1)));
        receive.await.map_err(|_| "cancelled")
    }));
    assert!(run.run().is_pending());
    send.send(7).unwrap();
    assert_eq!(run.finish(), Ok(7));
}

#[test]
fn nothing_runs_before_it_is_polled() {
    let board = Board::new(1);
    let run = task_group(|group| {
        // A closure that returns a future may spawn before that is polled.
        group.spawn(board.task(0));
        ready(Ok(()))
    });
    assert_eq!(board.total_polls(), 0);
    drop(run);
    assert_eq!((board.total_polls(), board.alive()), (0, 0));
}

#[test]
fn tasks_borrow_from_outside_and_mutably() {
    #[derive(Default)]
    struct Data {
        name: String,
        count: usize,
    }
    let mut data = Data::default();
    let words = ["a".to_owned(), "b".to_owned()];
    let run = task_group(async |group| {
        group.spawn(async {
            yield_now().await;
            data.name = words.concat();
            Ok(())
        });
        group.spawn(async {
            data.count = words.len();
            Ok(())
        });
        for word in &words {
            group.spawn(async move { (word.len() == 1).then_some(()).ok_or(()) });
        }
        Ok::<_, ()>(())
    });
    Driver::new(run).finish().unwrap();
    assert_eq!((data.name.as_str(), data.count), ("ab", 2));
}

#[test]
fn handles_resolve_in_body_and_tasks() {
    let run = task_group(async |group| {
        let a = group.spawn(yield_times(3).map(|()| Ok::<_, ()>(1)));
        let b = group.spawn(async move { Ok(a.await + 10) });
        let c = group.spawn(ready(Ok(100)));
        assert!(!c.is_terminated());
        Ok(b.await + c.await)
    });
    assert_eq!(Driver::new(run).finish(), Ok(111));
}

#[test]
fn a_dropped_handle_stops_nothing() {
    let board = Board::new(1);
    let mut run = Driver::new(task_group(async |group| {
        drop(group.spawn(board.task(0)));
        Ok(())
    }));
    assert!(run.run().is_pending());
    assert_eq!(board.alive(), 1);
    board.end(0, Ok(0));
    assert_eq!(run.finish(), Ok(()));
}

#[test]
fn the_first_failure_drops_the_rest() {
    let board = Board::new(5);
    let mut run = Driver::new(board_group!(board));
    assert!(run.run().is_pending());
    board.end(2, Ok(0));
    assert!(run.run().is_pending());
    board.end(3, Err("no"));
    let error = run.finish().unwrap_err();
    assert_eq!(board.alive(), 0);
    assert_eq!(
        error.failures().collect::<Vec<_>>(),
        [(Origin::Task(3), &"no")]
    );
    // Those that were not woken were not asked again.
    assert_eq!(board.total_polls(), 5 + 2);
}

#[test]
fn every_known_failure_is_reported() {
    let board = Board::new(200);
    let mut run = Driver::new(board_group!(board));
    assert!(run.run().is_pending());
    for index in [150, 7, 90] {
        board.end(index, Err("no"));
    }
    board.end(8, Ok(0));
    let error = run.finish().unwrap_err();
    let origins: Vec<_> = error.failures().map(|(origin, _)| origin).collect();
    assert_eq!(origins, [7, 90, 150].map(Origin::Task));
    assert_eq!(
        format!("{error:#}"),
        "3 parts of the group failed, task 7 first: no"
    );
    assert_eq!(board.alive(), 0);
}

/// More than a poll of the window makes polls.
#[test]
fn no_budget_cuts_failures_off() {
    let board = Board::new(1000);
    let mut run = Driver::new(board_group!(board));
    assert!(run.run().is_pending());
    (0..1000).for_each(|index| board.end(index, Err("no")));
    assert_eq!(run.finish().unwrap_err().failures().len(), 1000);
}

#[test]
fn yielding_siblings_hide_no_failure() {
    let board = Board::new(2);
    let mut run = Driver::new(task_group(async |group| {
        group.spawn(board.task(0));
        for _ in 0..200 {
            group.spawn(yield_times(usize::MAX).map(|()| Ok(0)));
        }
        group.spawn(board.task(1));
        Ok(())
    }));
    for _ in 0..10 {
        assert!(run.poll().is_pending());
    }
    (0..2).for_each(|index| board.end(index, Err("no")));
    let error = loop {
        if let Poll::Ready(result) = run.poll() {
            break result.unwrap_err();
        }
    };
    assert_eq!(error.failures().len(), 2);
}

#[test]
fn a_failure_starts_no_other_task() {
    let board = Board::new(100);
    board.end(3, Err("no"));
    let error = Driver::new(board_group!(board)).finish().unwrap_err();
    assert_eq!(
        error.into_iter().collect::<Vec<_>>(),
        [(Origin::Task(3), "no")]
    );
    assert_eq!((board.total_polls(), board.alive()), (4, 0));
}

#[test]
fn a_failing_body_drops_the_tasks() {
    let board = Board::new(2);
    let (send, receive) = oneshot::channel::<()>();
    let mut run = Driver::new(task_group(async |group| {
        for task in board.tasks() {
            group.spawn(task);
        }
        receive.await.map_err(|_| "the body")
    }));
    assert!(run.run().is_pending());
    drop(send);
    let error = run.finish().unwrap_err();
    assert_eq!(
        error.failures().collect::<Vec<_>>(),
        [(Origin::Body, &"the body")]
    );
    assert_eq!(format!("{error:#}"), "the body failed: the body");
    assert_eq!(board.alive(), 0);
}

/// The task is gone already, and the group about to end, when its sibling asks.
#[test]
fn siblings_may_await_failed_tasks() {
    let board = Board::new(2);
    let mut run = Driver::new(task_group(async |group| {
        let failing = group.spawn(board.task(0));
        group.spawn(async {
            board.task(1).await?;
            failing.await;
            Ok(())
        });
        pending().await
    }));
    assert!(run.run().is_pending());
    board.end(0, Err("no"));
    board.end(1, Ok(1));
    let failures: Result<(), TaskGroupError<_>> = run.finish();
    assert_eq!(failures.unwrap_err().into_iter().count(), 1);
}

#[test]
fn waiting_tasks_go_before_it_resolves() {
    let board = Board::new(3);
    let group = task_group(async |group| {
        (0..3).for_each(|index| drop(group.spawn(board.task(index))));
        Ok(())
    });
    let mut run = Driver::new(group.concurrency(1));
    assert!(run.run().is_pending());
    board.end(0, Err("no"));
    assert!(run.finish().is_err());
    assert_eq!((board.created(), board.alive()), (3, 0));
}

#[test]
fn waiting_for_a_failing_task_ends() {
    let after = Cell::new(false);
    let run = local_task_group(async |group| {
        let bad = group.spawn(yield_now().map(|()| Err::<(), _>("no")));
        bad.await;
        after.set(true);
        Ok(())
    });
    assert_eq!(
        Driver::new(run).finish().unwrap_err().into_first(),
        Some("no")
    );
    assert!(!after.get());
}

#[cfg(panic = "unwind")]
fn panic_message<R: std::fmt::Debug>(f: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).unwrap_err();
    payload.downcast_ref::<&str>().unwrap().to_string()
}

#[cfg(panic = "unwind")]
#[test]
fn handles_of_failed_groups_panic() {
    let escaped = Mutex::new(None);
    let run = task_group(async |group| {
        *escaped.lock().unwrap() = Some(group.spawn(pending::<Result<(), _>>()));
        yield_now().await;
        Err::<(), _>("no")
    });
    assert!(Driver::new(run).finish().is_err());
    let mut handle = Driver::new(escaped.into_inner().unwrap().unwrap());
    assert!(handle.future.is_terminated());
    let message = panic_message(|| handle.poll());
    assert!(
        message.contains("its group has ended without it"),
        "{message}"
    );
}

#[cfg(panic = "unwind")]
#[test]
fn a_dropped_group_wakes_escaped_handles() {
    let escaped = Mutex::new(None);
    let mut run = Box::pin(task_group(async |group| {
        *escaped.lock().unwrap() = Some(group.spawn(pending::<Result<(), ()>>()));
        Ok(())
    }));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(run.poll_unpin(&mut cx).is_pending());
    let mut handle = escaped.lock().unwrap().take().unwrap();
    let (count, waker) = Count::new();
    for _ in 0..2 {
        let polled = handle.poll_unpin(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
    }
    assert_eq!(Arc::strong_count(&count), 3);
    drop(run);
    assert!(handle.is_terminated());
    drop(waker);
    // Woken once, and then let go of.
    assert_eq!((Arc::strong_count(&count), count.get()), (1, 1));
    panic_message(|| handle.poll_unpin(&mut cx));
}

/// A task has panicked, and the group has not ended yet, when a handle outside is polled.
#[cfg(panic = "unwind")]
#[test]
fn escaped_handles_are_woken_once() {
    let escaped = Mutex::new(None);
    let mut run = Box::pin(task_group(async |group| {
        *escaped.lock().unwrap() = Some(group.spawn(async { panic!("on purpose") }));
        pending::<Result<(), ()>>().await
    }));
    let mut cx = Context::from_waker(Waker::noop());
    panic_message(|| run.poll_unpin(&mut cx));
    let mut handle: abreast::TaskHandle<()> = escaped.lock().unwrap().take().unwrap();
    let (count, waker) = Count::new();
    for _ in 0..2 {
        let polled = handle.poll_unpin(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
    }
    assert!(run.poll_unpin(&mut cx).is_ready());
    assert_eq!(count.get(), 1);
}

/// A task fails, the group goes on for a poll because its body yields, and a handle outside waits for the task.
#[cfg(panic = "unwind")]
#[test]
fn escaped_handles_learn_of_the_end() {
    let board = Board::new(1);
    let escaped = Mutex::new(None);
    let mut run = Driver::new(task_group(async |group| {
        *escaped.lock().unwrap() = Some(group.spawn(board.task(0)));
        Ok(())
    }));
    assert!(run.run().is_pending());
    let mut handle = Driver::new(escaped.lock().unwrap().take().unwrap());
    assert!(handle.run().is_pending());
    board.end(0, Err("no"));
    assert!(run.finish().is_err());
    assert_eq!(handle.wakes(), 1);
    panic_message(|| handle.poll());
}

#[test]
fn tasks_may_spawn_a_thousand_others() {
    let count = AtomicUsize::new(0);
    let mut run = Driver::new(task_group(async |group| {
        let inner = group.clone();
        let count = &count;
        group.spawn(async move {
            for n in 0..1000 {
                inner.spawn(async move {
                    yield_times(n % 3).await;
                    count.fetch_add(1, Ordering::Relaxed);
                    Ok::<_, ()>(())
                });
            }
            Ok(())
        });
        Ok(())
    }));
    assert_eq!(run.finish(), Ok(()));
    assert_eq!(count.load(Ordering::Relaxed), 1000);
}

#[test]
fn a_chain_of_spawns_ends() {
    fn next<'env>(group: &Group<'env, ()>, count: &'env AtomicUsize) {
        let inner = group.clone();
        group.spawn(async move {
            if count.fetch_add(1, Ordering::Relaxed) < 10_000 {
                next(&inner, count);
            }
            Ok(())
        });
    }
    let count = AtomicUsize::new(0);
    let run = task_group(async |group| {
        next(&group, &count);
        Ok(())
    });
    assert_eq!(Driver::new(run).finish(), Ok(()));
    assert_eq!(count.load(Ordering::Relaxed), 10_001);
}

#[test]
fn concurrency_limits_running_tasks() {
    let running = Cell::new(0);
    let most = Cell::new(0);
    let run = local_task_group(async |group| {
        for _ in 0..50 {
            group.spawn(async {
                running.set(running.get() + 1);
                most.set(most.get().max(running.get()));
                yield_times(3).await;
                running.set(running.get() - 1);
                Ok::<_, ()>(())
            });
        }
        yield_times(10).await;
        Ok(())
    });
    Driver::new(run.concurrency(7)).finish().unwrap();
    assert_eq!((most.get(), running.get()), (7, 0));
}

#[test]
fn a_limit_of_one_keeps_order() {
    let order = RefCell::new(Vec::new());
    let run = local_task_group(async |group| {
        for n in 0..5 {
            let order = &order;
            group.spawn(async move {
                yield_times(5 - n).await;
                order.borrow_mut().push(n);
                Ok::<_, ()>(())
            });
        }
        Ok(())
    });
    Driver::new(run.concurrency(1)).finish().unwrap();
    assert_eq!(order.into_inner(), [0, 1, 2, 3, 4]);
}

#[test]
#[should_panic(expected = "a concurrency of 0 runs no task")]
fn a_limit_of_zero_is_refused() {
    drop(task_group(async |_| Ok::<_, ()>(())).concurrency(0));
}

#[test]
fn one_poll_at_start_per_wake() {
    let board = Board::new(300);
    let body_polls = AtomicUsize::new(0);
    let mut run = Driver::new(task_group(async |group| {
        for task in board.tasks() {
            group.spawn(task);
        }
        let never = pending::<()>().inspect(|()| ());
        let mut never = std::pin::pin!(never);
        std::future::poll_fn(|cx| {
            body_polls.fetch_add(1, Ordering::Relaxed);
            let _ = never.as_mut().poll(cx);
            Poll::<()>::Pending
        })
        .await;
        Ok(())
    }));
    assert!(run.run().is_pending());
    assert_eq!(board.total_polls(), 300);
    for index in 0..300 {
        board.end(index, Ok(0));
        assert!(run.run().is_pending());
    }
    assert_eq!(board.total_polls(), 600);
    assert_eq!(body_polls.load(Ordering::Relaxed), 1);
}

#[test]
fn dropping_a_group_drops_everything() {
    let board = Board::new(10);
    let body = Arc::new(());
    let kept = body.clone();
    let board_in = board.clone();
    let mut run = Driver::new(
        task_group(async move |group| {
            for task in board_in.tasks() {
                let inner: Group<'_, &str> = group.clone();
                let kept = kept.clone();
                group.spawn(async move {
                    task.await?;
                    // Tasks hold the group that holds them.
                    drop((inner, kept));
                    Ok(())
                });
            }
            pending::<()>().await;
            Ok(())
        })
        .concurrency(4),
    );
    assert!(run.run().is_pending());
    assert_eq!(board.total_polls(), 4, "six are queued");
    board.end(0, Ok(0));
    assert!(run.run().is_pending());
    assert_eq!((board.created(), board.alive()), (10, 9));
    drop(run);
    assert_eq!(board.alive(), 0);
    assert_eq!(Arc::strong_count(&body), 1, "no cycle keeps a task");
}

#[test]
fn an_unpolled_group_does_not_leak() {
    let body = Arc::new(());
    let kept = body.clone();
    drop(task_group(|group| {
        let inner = group.clone();
        let task = kept.clone();
        group.spawn(async move {
            drop((inner, task));
            Ok::<_, ()>(())
        });
        async move {
            drop((group, kept));
            Ok(())
        }
    }));
    assert_eq!(Arc::strong_count(&body), 1);
}

#[test]
fn late_spawns_are_dropped() {
    let board = Board::new(2);
    let run = task_group(async |group| Ok::<_, &str>(group));
    let group = Driver::new(run).finish().unwrap();
    let handle = group.spawn(board.task(0));
    assert_eq!((board.alive(), board.total_polls()), (0, 0));
    assert!(handle.is_terminated());
    #[cfg(panic = "unwind")]
    panic_message(|| handle.now_or_never());
}

/// The destructor of a task spawns another while the group is being dropped.
#[test]
fn tasks_spawned_by_destructors_are_dropped() {
    struct Spawner<'env>(Group<'env, ()>, Arc<()>);
    impl Drop for Spawner<'_> {
        fn drop(&mut self) {
            let kept = self.1.clone();
            self.0.spawn(async move {
                drop(kept);
                Ok(())
            });
        }
    }
    let count = Arc::new(());
    let mut run = Driver::new(task_group(async |group| {
        let spawner = Spawner(group.clone(), count.clone());
        group.spawn(async move {
            pending::<()>().await;
            drop(spawner);
            Ok(())
        });
        Ok(())
    }));
    assert!(run.run().is_pending());
    drop(run);
    assert_eq!(Arc::strong_count(&count), 1);
}

#[test]
fn groups_nest() {
    let words = ["one".to_owned(), "three".to_owned()];
    let run = task_group(async |outer| {
        let lengths = words.iter().map(|word| {
            outer.spawn(async move {
                let inner = task_group(async |inner| {
                    let length = inner.spawn(async { Ok::<_, TaskGroupError<()>>(word.len()) });
                    yield_now().await;
                    Ok(length.await)
                });
                inner.await.map_err(|_| ())
            })
        });
        let lengths: Vec<_> = lengths.collect();
        Ok::<_, ()>(join_all(lengths).await)
    });
    assert_eq!(Driver::new(run).finish(), Ok(vec![3, 5]));
}

#[test]
fn an_inner_failure_fails_the_outer() {
    let board = Board::new(2);
    let mut run = Driver::new(task_group(async |outer| {
        outer.spawn(board.task(0));
        outer.spawn(async {
            let inner = task_group(async |inner| {
                inner.spawn(board.task(1));
                Ok(())
            });
            inner.await.map_err(|error| error.into_first().unwrap())
        });
        Ok(())
    }));
    assert!(run.run().is_pending());
    board.end(1, Err("inner"));
    assert_eq!(run.finish().unwrap_err().into_first(), Some("inner"));
    assert_eq!(board.alive(), 0);
}

#[cfg(panic = "unwind")]
#[test]
fn a_panic_passes_through_and_fails() {
    let board = Board::new(2);
    for body_panics in [false, true] {
        let mut run = Driver::new(task_group(async |group| {
            group.spawn(board.task(0));
            let panics = async {
                yield_now().await;
                panic!("on purpose")
            };
            if body_panics {
                return panics.await;
            }
            // Whoever waits for it must not wait for ever.
            let () = group.spawn(panics).await;
            Ok::<(), &str>(())
        }));
        let panicked = catch_unwind(AssertUnwindSafe(|| run.run().is_ready()));
        assert!(panicked.is_err());
        let error = run.finish().unwrap_err();
        assert_eq!(error.first(), None);
        assert_eq!(error.to_string(), "a part of the group has panicked");
        assert_eq!(board.alive(), 0);
    }
}

#[cfg(panic = "unwind")]
#[test]
fn a_panicking_destructor_keeps_the_result() {
    struct PanicsWhenDropped;
    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }
    let board = Board::new(2);
    let mut run = Driver::new(task_group(async |group| {
        let bomb = PanicsWhenDropped;
        group.spawn(async move {
            pending::<()>().await;
            drop(bomb);
            Ok(())
        });
        for task in board.tasks() {
            group.spawn(task);
        }
        Ok(())
    }));
    assert!(run.run().is_pending());
    board.end(0, Err("no"));
    assert_eq!(panic_message(|| drop(run.run())), "in a destructor");
    assert!(!run.future.is_terminated());
    assert_eq!(board.alive(), 0);
    assert_eq!(run.finish().unwrap_err().into_first(), Some("no"));
    assert!(run.future.is_terminated());
}

#[test]
fn the_error_has_a_source() {
    let run = task_group(async |_| Err::<(), _>(std::io::Error::other("disk")));
    let error: Box<dyn Error + Send + Sync> = Driver::new(run).finish().unwrap_err().into();
    assert_eq!(error.to_string(), "the body failed");
    assert_eq!(error.source().unwrap().to_string(), "disk");
}

#[test]
fn local_groups_take_local_tasks() {
    let count = Rc::new(Cell::new(0));
    let run = local_task_group(async |group| {
        for _ in 0..3 {
            let count = count.clone();
            group.spawn(async move {
                yield_now().await;
                count.set(count.get() + 1);
                Ok::<_, ()>(())
            });
        }
        Ok(())
    });
    Driver::new(run).finish().unwrap();
    assert_eq!(count.get(), 3);
    assert_eq!(Rc::strong_count(&count), 1);
}

#[cfg(not(target_family = "wasm"))]
#[test]
fn borrowing_groups_run_on_threads() {
    let executor = smol::Executor::new();
    let task = executor.spawn(async {
        let words = ["a".to_owned(), "bc".to_owned()];
        let mut total = 0;
        task_group(async |group| {
            let lengths: Vec<_> = words
                .iter()
                .map(|word| {
                    group.spawn(async move {
                        smol::future::yield_now().await;
                        Ok::<_, ()>(word.len())
                    })
                })
                .collect();
            total = join_all(lengths).await.into_iter().sum();
            Ok(())
        })
        .await?;
        Ok::<usize, TaskGroupError<()>>(total)
    });
    assert_eq!(smol::block_on(executor.run(task)), Ok(3));
}

#[cfg(not(target_family = "wasm"))]
#[test]
fn tasks_may_come_from_other_threads() {
    let run = task_group(async |group| {
        let (send, receive) = oneshot::channel();
        let remote: Group<'_, ()> = group.clone();
        std::thread::scope(|threads| {
            threads.spawn(move || {
                for _ in 0..100 {
                    remote.spawn(smol::future::yield_now().map(Ok));
                }
                send.send(()).unwrap();
            });
        });
        receive.await.map_err(|_| ())
    });
    assert_eq!(smol::block_on(run), Ok(()));
}

/// A thread spawns while the group sleeps: the wake must not be lost.
#[cfg(not(target_family = "wasm"))]
#[test]
fn a_remote_spawn_wakes_the_group() {
    let (send, receive) = oneshot::channel();
    let run = task_group(async |group| {
        let mut receive = receive;
        assert!(futures::poll!(&mut receive).is_pending());
        let remote = group.clone();
        std::thread::spawn(move || {
            for _ in 0..1000 {
                remote.spawn(ready(Ok(())));
                std::thread::yield_now();
            }
            remote.spawn(async move { send.send(()) });
        });
        receive.await.map_err(|_| ())
    });
    assert_eq!(smol::block_on(run), Ok(()));
}
