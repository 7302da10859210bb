//! Commands that many tasks give at the same time, run as one.
//!
//! ```text
//!   run ──▶ waiting ──▶ a batch on its way ──▶ each gets its result
//!              ▲                 │
//!              └─── again, if the task that had sent it was dropped
//! ```
//!
//! Whoever comes while no batch is on its way sends one; the others wait, and go together with the next one. So a
//! command that comes alone goes at once, and the busier it gets, the more of them share the way and the transaction.

use std::fmt;
use std::future::Future;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use futures::channel::oneshot::{self, Sender};
use futures::future::{Either, select};
use futures::lock::Mutex as Turn;

use crate::queue::Error;

type Outcome<R> = Result<R, Arc<Error>>;

/// Runs commands of one kind together.
pub(crate) struct Combined<T, R> {
    /// What goes with the next batch, each with the task that waits for the result.
    waiting: Mutex<Vec<(T, Sender<Outcome<R>>)>>,
    /// Locked by the task whose batch is on its way.
    turn: Turn<()>,
}

impl<T: Clone, R> Combined<T, R> {
    pub(crate) fn new() -> Self {
        Self {
            waiting: Mutex::default(),
            turn: Turn::new(()),
        }
    }

    /// Runs `item` together with others by `batch`, which has to resolve to a result for each item, in order.
    ///
    /// The batch may be run by another task, and more than once.
    pub(crate) async fn run<Fut>(&self, item: T, batch: impl Fn(Vec<T>) -> Fut) -> Result<R, Error>
    where
        Fut: Future<Output = Result<Vec<R>, Error>>,
    {
        loop {
            let (sender, result) = oneshot::channel();
            self.push(item.clone(), sender);

            // Either another task takes it along, or this one is the next to send a batch.
            let result = match select(result, self.turn.lock()).await {
                Either::Left((result, _)) => result,
                Either::Right((turn, result)) => {
                    self.send(&batch).await;
                    drop(turn);
                    result.await
                }
            };
            // Without a result: the task that had taken it along was dropped on the way.
            if let Ok(result) = result {
                return result.map_err(Error::Batch);
            }
        }
    }

    fn push(&self, item: T, sender: Sender<Outcome<R>>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push((item, sender));
    }

    /// Sends all that waits, and hands the results over.
    async fn send<Fut>(&self, batch: impl Fn(Vec<T>) -> Fut)
    where
        Fut: Future<Output = Result<Vec<R>, Error>>,
    {
        let waiting = mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        // Nobody waits any more for what a dropped task has asked.
        let (items, senders): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .filter(|(_, sender)| !sender.is_canceled())
            .unzip();
        if items.is_empty() {
            return;
        }
        // Those that were dropped in the meantime do not take their results.
        match batch(items).await {
            Ok(results) => {
                for (sender, result) in senders.into_iter().zip(results) {
                    _ = sender.send(Ok(result));
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for sender in senders {
                    _ = sender.send(Err(Arc::clone(&error)));
                }
            }
        }
    }
}

impl<T, R> fmt::Debug for Combined<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Combined").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io;

    use futures::executor::block_on;
    use futures::future::{self, FutureExt, join3};

    use super::*;

    /// Runs commands that resolve to twice their number, each batch as soon as `gate` lets it.
    struct Doubling<'a> {
        combined: Combined<u32, u32>,
        batches: RefCell<Vec<Vec<u32>>>,
        gate: &'a Turn<()>,
    }

    impl<'a> Doubling<'a> {
        fn new(gate: &'a Turn<()>) -> Self {
            Self {
                combined: Combined::new(),
                batches: RefCell::default(),
                gate,
            }
        }

        async fn run(&self, item: u32) -> Result<u32, Error> {
            let batch = |items: Vec<u32>| async move {
                self.batches.borrow_mut().push(items.clone());
                self.gate.lock().await;
                Ok(items.iter().map(|item| item * 2).collect())
            };
            self.combined.run(item, batch).await
        }
    }

    #[test]
    fn what_comes_meanwhile_goes_together() {
        let gate = Turn::new(());
        let closed = gate.try_lock().expect("it is open");
        let doubling = Doubling::new(&gate);
        let runs = join3(doubling.run(1), doubling.run(2), doubling.run(3));
        let open = async { drop(closed) };
        let ((first, second, third), ()) = block_on(future::join(runs, open));
        let results = [first, second, third].map(|result| result.expect("nothing fails"));
        assert_eq!(results, [2, 4, 6]);
        assert_eq!(doubling.batches.into_inner(), [vec![1], vec![2, 3]]);
    }

    #[test]
    fn a_dropped_sender_leaves_nobody_waiting() {
        let gate = Turn::new(());
        let closed = gate.try_lock().expect("it is open");
        let doubling = Doubling::new(&gate);
        let mut first = Box::pin(doubling.run(1));
        let mut second = Box::pin(doubling.run(2));
        let mut third = Box::pin(doubling.run(3));
        for run in [&mut first, &mut second, &mut third] {
            assert!(run.now_or_never().is_none());
        }
        // The second sends a batch for both when the first has gone, and is dropped on the way, too.
        drop(first);
        assert!((&mut second).now_or_never().is_none());
        drop(second);
        drop(closed);
        assert_eq!(block_on(third).expect("nothing fails"), 6);
        let batches = doubling.batches.into_inner();
        assert_eq!(batches, [vec![1], vec![2, 3], vec![3]]);
    }

    #[test]
    fn a_failed_batch_fails_all_calls() {
        let combined = Combined::<u32, u32>::new();
        let held = combined.turn.try_lock().expect("it is free");
        let run = |item| {
            combined.run(item, |_| async {
                Err(io::Error::other("the server is gone").into())
            })
        };
        let (runs, open) = (join3(run(1), run(2), run(3)), async { drop(held) });
        let ((first, second, third), ()) = block_on(future::join(runs, open));
        for result in [first, second, third] {
            let error = result.expect_err("it fails").to_string();
            assert_eq!(error, "connecting: the server is gone");
        }
    }
}
