//! A model of the queue of a task group, and of the news of its end.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use crate::task_group::queue::Queue;
use loom::future::block_on;
use loom::thread;

#[test]
fn no_spawn_is_missed() {
    loom::model(|| {
        let queue = Arc::new(Queue::new());
        let spawners = [1, 2].map(|task| {
            let queue = queue.clone();
            thread::spawn(move || queue.push(task))
        });
        let mut sum = 0;
        block_on(poll_fn(|cx| {
            let mut tasks = VecDeque::new();
            loop {
                queue.swap(&mut tasks, cx.waker());
                if tasks.is_empty() {
                    break;
                }
                sum += tasks.drain(..).sum::<i32>();
            }
            match sum {
                3 => Poll::Ready(()),
                _ => Poll::Pending,
            }
        }));
        for spawner in spawners {
            spawner.join().unwrap();
        }
        assert!(queue.is_empty());
    });
}

#[test]
fn a_late_spawn_is_dropped() {
    loom::model(|| {
        let queue = Arc::new(Queue::new());
        let spawner = {
            let queue = queue.clone();
            thread::spawn(move || queue.push(()))
        };
        queue.close();
        queue.clear();
        spawner.join().unwrap();
        assert!(queue.is_empty());
    });
}

#[test]
fn handles_learn_of_the_end() {
    loom::model(|| {
        let queue = Arc::new(Queue::<()>::new());
        let group = queue.clone();
        let group = thread::spawn(move || group.end().arrive());
        block_on(poll_fn(|cx| {
            if queue.end().has_ended() {
                return Poll::Ready(());
            }
            queue.end().wake_at_end(cx.waker().clone());
            Poll::Pending
        }));
        group.join().unwrap();
    });
}
