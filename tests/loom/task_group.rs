//! A model of the queue of a task group, and of the news of its end.

use std::any::Any;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

use crate::Count;
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

#[test]
fn running_groups_are_not_woken() {
    loom::model(|| {
        let queue = Queue::new();
        let (count, waker) = Count::new();
        queue.push(1);
        let mut tasks = VecDeque::new();
        queue.swap(&mut tasks, &waker);
        // It has a task to run, and asks again before it sleeps.
        queue.push(2);
        assert_eq!((tasks.len(), count.get()), (1, 0));
    });
}

/// Runs when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn tasks_may_spawn_as_they_drop() {
    loom::model(|| {
        let queue: Arc<Queue<Box<dyn Any>>> = Arc::new(Queue::new());
        let spawner = |queue: &Arc<Queue<Box<dyn Any>>>| {
            let queue = queue.clone();
            Box::new(OnDrop(move || queue.push(Box::new(()))))
        };
        queue.push(spawner(&queue));
        queue.close();
        queue.clear();
        queue.push(spawner(&queue));
        assert!(queue.is_empty());
    });
}

#[test]
fn wakers_may_spawn_as_they_drop() {
    struct Spawner(Arc<Queue<()>>);

    impl Wake for Spawner {
        fn wake(self: Arc<Self>) {}
    }

    impl Drop for Spawner {
        fn drop(&mut self) {
            self.0.push(());
        }
    }

    loom::model(|| {
        let queue = Arc::new(Queue::new());
        let mut tasks = VecDeque::new();
        queue.swap(&mut tasks, &Waker::from(Arc::new(Spawner(queue.clone()))));
        queue.swap(&mut tasks, Waker::noop());
        assert!(!queue.is_empty());
    });
}

#[test]
fn a_panicking_waker_stops_no_other() {
    struct Panics;

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            std::panic::resume_unwind(Box::new("this waker panics"));
        }
    }

    loom::model(|| {
        let queue = Queue::<()>::new();
        let (count, waker) = Count::new();
        queue.end().wake_at_end(Waker::from(Arc::new(Panics)));
        queue.end().wake_at_end(waker);
        queue.end().arrive();
        assert_eq!(count.get(), 1);
    });
}

#[test]
fn a_handle_leaves_one_waker() {
    loom::model(|| {
        let queue = Queue::<()>::new();
        let (count, waker) = Count::new();
        queue.end().wake_at_end(waker.clone());
        queue.end().wake_at_end(waker);
        queue.end().arrive();
        assert_eq!(count.get(), 1);
    });
}
