//! A model of the ledger of a pool: every interleaving of submitters, workers, drains, shutdowns and cancellations.

use std::time::Duration;

use crate::pool::state::{Ledger, Next, Refusal};
use crate::pool::stats::JobOutcome;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Condvar, Mutex, Notify};
use loom::thread;

fn model(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.max_branches = 20_000;
    builder.check(f);
}

/// Nothing has become of the operation yet; or it has ended, or was abandoned.
const OPEN: usize = 0;
const ENDED: usize = 1;
const ABANDONED: usize = 2;

/// What a handle reads.
type Outcome = Arc<AtomicUsize>;

/// What `event_listener` is to the pool.
#[derive(Default)]
struct Event {
    notified: Mutex<usize>,
    changed: Condvar,
}

impl Event {
    fn notify(&self) {
        *self.notified.lock().unwrap() += 1;
        self.changed.notify_all();
    }

    fn listen(&self) -> usize {
        *self.notified.lock().unwrap()
    }

    fn wait(&self, listening: usize) {
        let mut notified = self.notified.lock().unwrap();
        while *notified == listening {
            notified = self.changed.wait(notified).unwrap();
        }
    }
}

struct Model {
    ledger: Ledger<Outcome, Arc<Notify>>,
    quiet: Event,
}

impl Model {
    fn new(workers: usize) -> Arc<Self> {
        let ledger = Ledger::new(workers, usize::MAX);
        assert!(ledger.employ(workers).is_none());
        Arc::new(Self {
            ledger,
            quiet: Event::default(),
        })
    }

    fn execute(&self) -> Result<(u64, Outcome), Refusal> {
        let outcome = Outcome::new(AtomicUsize::new(OPEN));
        match self.ledger.accept(outcome.clone()) {
            Ok(accepted) => {
                if let Some(idle) = accepted.idle {
                    idle.notify();
                }
                Ok((accepted.ticket, outcome))
            }
            Err((refusal, _)) => Err(refusal),
        }
    }

    /// Works until the pool is closed.
    fn work(&self, worker: usize) {
        let waker = Arc::new(Notify::new());
        loop {
            match self.ledger.next(worker, &waker) {
                Next::Run(_, job) => self.run(job),
                Next::Wait => waker.wait(),
                Next::Leave => break,
            }
        }
        self.leave(worker, Vec::new());
    }

    /// Runs an operation, and those that it is given with the end of each.
    fn run(&self, job: Outcome) {
        let mut next = Some(job);
        while let Some(job) = next {
            let finished = self
                .ledger
                .finish(JobOutcome::Succeeded, Duration::ZERO, true, || {
                    assert_eq!(job.swap(ENDED, Ordering::Relaxed), OPEN);
                });
            if finished.quiet {
                self.quiet.notify();
            }
            next = finished.next.map(|(_, job)| job);
        }
    }

    fn leave(&self, worker: usize, running: Vec<Outcome>) {
        let left = self.ledger.leave(worker, running.len());
        if let Some(idle) = left.idle {
            idle.notify();
        }
        for job in left.jobs.into_iter().flatten().chain(running) {
            assert_eq!(job.swap(ABANDONED, Ordering::Relaxed), OPEN);
        }
        if self.ledger.departed(left.departing) {
            self.quiet.notify();
        }
    }

    fn cancel(&self, ticket: u64) -> bool {
        let Some(job) = self.ledger.withdraw(ticket) else {
            return false;
        };
        let ((), quiet) = self.ledger.withdrawn(JobOutcome::Cancelled, || {
            assert_eq!(job.swap(ENDED, Ordering::Relaxed), OPEN);
        });
        if quiet {
            self.quiet.notify();
        }
        true
    }

    fn drain(&self) {
        self.ledger.begin_drain();
        self.wait_for_drain();
    }

    fn wait_for_drain(&self) {
        loop {
            let listening = self.quiet.listen();
            if self.ledger.try_end_drain() {
                return;
            }
            self.quiet.wait(listening);
        }
    }

    fn close(&self) {
        for (_, idle) in self.ledger.close() {
            idle.notify();
        }
        if self.ledger.is_quiet() {
            self.quiet.notify();
        }
    }

    fn shutdown(&self) {
        self.close();
        loop {
            let listening = self.quiet.listen();
            if self.ledger.is_quiet() {
                return;
            }
            self.quiet.wait(listening);
        }
    }

    fn add_up(&self) {
        let stats = self.ledger.stats();
        let ended = stats.total_succeeded + stats.total_cancelled;
        assert_eq!(stats.total_executed, ended);
        let present = (stats.queue_length + stats.active_workers) as u64;
        assert_eq!(
            stats.total_accepted,
            ended + stats.total_abandoned + present
        );
    }
}

fn read(outcome: &Outcome) -> usize {
    outcome.load(Ordering::Relaxed)
}

/// Runs `f` on a thread.
fn on_thread<T: 'static>(
    model: &Arc<Model>,
    f: impl FnOnce(&Model) -> T + 'static,
) -> thread::JoinHandle<T> {
    let model = model.clone();
    thread::spawn(move || f(&model))
}

#[test]
fn what_is_accepted_beside_a_shutdown_is_run() {
    model(|| {
        let model = Model::new(1);
        let worker = on_thread(&model, |model| model.work(0));
        let submitter = on_thread(&model, Model::execute);
        model.shutdown();
        let accepted = submitter.join().unwrap();
        worker.join().unwrap();
        match accepted {
            Ok((_, outcome)) => assert_eq!(read(&outcome), ENDED),
            Err(refusal) => assert_eq!(refusal, Refusal::Closed),
        }
        model.add_up();
        assert_eq!(model.execute().unwrap_err(), Refusal::Closed);
    });
}

#[test]
fn two_shutdowns_resolve() {
    model(|| {
        let model = Model::new(1);
        let (_, outcome) = model.execute().unwrap();
        let worker = on_thread(&model, |model| model.work(0));
        let other = on_thread(&model, Model::shutdown);
        model.shutdown();
        assert_eq!(read(&outcome), ENDED);
        other.join().unwrap();
        worker.join().unwrap();
    });
}

#[test]
fn a_drain_resolves_when_all_that_was_accepted_before_it_has_ended() {
    model(|| {
        let model = Model::new(1);
        let (_, before) = model.execute().unwrap();
        let worker = on_thread(&model, |model| model.work(0));
        let submitter = on_thread(&model, Model::execute);
        model.drain();
        assert_eq!(read(&before), ENDED);
        let beside = submitter.join().unwrap();
        assert!(matches!(beside, Ok(_) | Err(Refusal::Draining)));
        let (_, after) = model.execute().expect("the pool is open again");
        model.shutdown();
        worker.join().unwrap();
        assert_eq!(read(&after), ENDED);
        if let Ok((_, outcome)) = beside {
            assert_eq!(read(&outcome), ENDED);
        }
    });
}

#[test]
fn drains_of_two_threads_resolve() {
    model(|| {
        let model = Model::new(1);
        let (_, outcome) = model.execute().unwrap();
        let worker = on_thread(&model, |model| model.work(0));
        let other = on_thread(&model, Model::drain);
        model.drain();
        assert_eq!(read(&outcome), ENDED);
        other.join().unwrap();
        assert!(model.execute().is_ok());
        model.close();
        worker.join().unwrap();
    });
}

#[test]
fn a_dropped_drain_opens_the_pool_again() {
    model(|| {
        let model = Model::new(1);
        let dropped = on_thread(&model, |model| {
            model.ledger.begin_drain();
            model.ledger.end_drain();
        });
        let beside = model.execute();
        assert!(matches!(beside, Ok(_) | Err(Refusal::Draining)));
        dropped.join().unwrap();
        assert!(model.execute().is_ok());
    });
}

#[test]
fn whatever_is_accepted_beside_the_end_of_the_driver_is_abandoned() {
    model(|| {
        let model = Model::new(1);
        let (_, before) = model.execute().unwrap();
        model.ledger.begin_drain();
        model.ledger.end_drain();
        let submitter = on_thread(&model, Model::execute);
        let drain = on_thread(&model, Model::drain);
        let running = match model.ledger.next(0, &Arc::new(Notify::new())) {
            Next::Run(_, job) => vec![job],
            _ => unreachable!("one is queued"),
        };
        model.leave(0, running);
        let beside = submitter.join().unwrap();
        drain.join().unwrap();
        assert_eq!(read(&before), ABANDONED);
        match beside {
            Ok((_, outcome)) => assert_eq!(read(&outcome), ABANDONED),
            Err(refusal) => assert!(matches!(refusal, Refusal::Abandoned | Refusal::Draining)),
        }
        model.add_up();
        assert_eq!(model.execute().unwrap_err(), Refusal::Abandoned);
    });
}

#[test]
fn no_submission_is_missed_by_two_workers() {
    model(|| {
        let model = Model::new(2);
        let workers = [0, 1].map(|worker| on_thread(&model, move |model| model.work(worker)));
        let (_, outcome) = model.execute().unwrap();
        model.drain();
        assert_eq!(read(&outcome), ENDED);
        model.close();
        for worker in workers {
            worker.join().unwrap();
        }
    });
}

#[test]
fn a_worker_that_leaves_passes_its_wake_on() {
    model(|| {
        let model = Model::new(2);
        let stays = on_thread(&model, |model| model.work(1));
        let leaves = on_thread(&model, |model| {
            let idle = model.ledger.next(0, &Arc::new(Notify::new()));
            let running = match idle {
                Next::Run(_, job) => vec![job],
                _ => Vec::new(),
            };
            model.leave(0, running);
        });
        let (_, outcome) = model.execute().unwrap();
        model.drain();
        assert_ne!(read(&outcome), OPEN);
        leaves.join().unwrap();
        model.close();
        stays.join().unwrap();
        model.add_up();
    });
}

#[test]
fn an_operation_is_either_cancelled_or_run() {
    model(|| {
        let model = Model::new(1);
        let (ticket, outcome) = model.execute().unwrap();
        let worker = on_thread(&model, |model| model.work(0));
        let canceller = on_thread(&model, move |model| {
            let cancelled = model.cancel(ticket);
            assert!(!model.cancel(ticket));
            cancelled
        });
        model.drain();
        assert_eq!(read(&outcome), ENDED);
        let cancelled = canceller.join().unwrap();
        let stats = model.ledger.stats();
        assert_eq!(stats.total_cancelled, u64::from(cancelled));
        assert_eq!(stats.total_succeeded, u64::from(!cancelled));
        model.close();
        worker.join().unwrap();
    });
}

#[test]
fn a_cancellation_meets_the_end_of_the_driver() {
    model(|| {
        let model = Model::new(1);
        let (ticket, outcome) = model.execute().unwrap();
        let canceller = on_thread(&model, move |model| model.cancel(ticket));
        let drain = on_thread(&model, Model::drain);
        model.leave(0, Vec::new());
        drain.join().unwrap();
        let cancelled = canceller.join().unwrap();
        assert_eq!(read(&outcome), if cancelled { ENDED } else { ABANDONED });
        model.add_up();
    });
}

#[test]
fn the_figures_add_up_and_are_not_behind_a_handle() {
    model(|| {
        let model = Model::new(1);
        let worker = on_thread(&model, |model| model.work(0));
        let (_, outcome) = model.execute().unwrap();
        let ended = read(&outcome) == ENDED;
        model.add_up();
        assert!(!ended || model.ledger.stats().total_succeeded == 1);
        model.close();
        worker.join().unwrap();
        model.add_up();
    });
}
