//! What tasks cost that share the poll budget of a tokio task (tokio#3516).

use std::cell::Cell;
use std::future::{Future, poll_fn};

use abreast::parallel;

/// Counts the polls of a task.
async fn counted<F: Future>(polls: &Cell<usize>, task: F) -> F::Output {
    let mut task = Box::pin(task);
    poll_fn(|cx| {
        polls.set(polls.get() + 1);
        task.as_mut().poll(cx)
    })
    .await
}

/// Returns how many polls a task of so many costs, under tokio on one thread.
fn polls_per_task<F>(tasks: usize, window: usize, make: impl Fn(usize) -> F) -> f64
where
    F: Future,
{
    let polls = Cell::new(0);
    let run = parallel((0..tasks).map(|index| {
        let task = counted(&polls, make(index));
        async { Ok::<_, ()>(task.await) }
    }));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let result = runtime.block_on(run.concurrency(window));
    assert_eq!(result.success_count(), tasks);
    polls.get() as f64 / tasks as f64
}

#[test]
fn tokio_3516_a_shared_coop_budget() {
    // All permits are there, but after 128 of them tokio has everybody wait until the executor had its turn, and the
    // wakes come after that, so they do not show while a task is polled.
    for permits in [1, 3] {
        for tasks in [1_000, 10_000] {
            let semaphore = tokio::sync::Semaphore::new(tasks);
            let polls = polls_per_task(tasks, tasks, |_| async {
                for _ in 0..permits {
                    drop(semaphore.acquire().await.unwrap());
                }
            });
            // `buffer_unordered` takes 40 and 118 for 10,000 tasks.
            let most = 4 * permits + 1;
            assert!(
                polls <= most as f64,
                "{polls} polls for each of {tasks}, {permits} permits"
            );
        }
    }
}

#[test]
fn tokio_3516_a_shared_channel() {
    for tasks in [1_000, 10_000] {
        let (sender, receiver) = tokio::sync::mpsc::channel(tasks);
        (0..tasks).for_each(|item| sender.try_send(item).unwrap());
        let receiver = tokio::sync::Mutex::new(receiver);
        let polls = polls_per_task(tasks, tasks, |_| async {
            let item = receiver.lock().await.recv().await;
            item.expect("there is one for each")
        });
        assert!(polls <= 5.0, "{polls} polls for each of {tasks}");

        // And of so many senders, for whom one task receives.
        let (sender, receiver) = tokio::sync::mpsc::channel(16);
        let receiver = std::sync::Mutex::new(Some(receiver));
        let polls = polls_per_task(tasks, tasks, |index| {
            let (sender, receiver) = (&sender, &receiver);
            async move {
                if index > 0 {
                    return sender.send(index).await.unwrap();
                }
                let mut receiver = receiver.lock().unwrap().take().unwrap();
                for _ in 1..tasks {
                    receiver.recv().await.unwrap();
                }
            }
        });
        assert!(polls <= 6.0, "{polls} polls for each of {tasks} senders");
    }
}

#[test]
fn tokio_3516_yielding_to_tokio() {
    for tasks in [100, 10_000] {
        let polls = polls_per_task(tasks, tasks, |_| async {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
        });
        assert_eq!(polls, 4.0);
    }
}
