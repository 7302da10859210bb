//! A model of the state of a pool: every interleaving of submitters, workers, drains, shutdowns and cancellations.

use std::time::Duration;

use crate::pool::state::{Accepted, Ended, Next, PoolState, Refusal, Reservation};
use crate::pool::stats::JobOutcome;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::sync::{Arc, Condvar, Mutex, Notify};
use loom::thread;

fn model(f: impl Fn() + Sync + Send + 'static) {
    bounded_model(3, f);
}

/// Runs a model of more than three threads, or a longer one, with fewer preemptions.
fn bounded_model(preemptions: usize, f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 20_000;
    builder.check(f);
}

/// Nothing has become of the job yet; or it has ended, or was abandoned.
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
    state: PoolState<Outcome, Arc<Notify>>,
    idle: Event,
    aborted: AtomicBool,
}

impl Model {
    fn new(workers: usize) -> Arc<Self> {
        Self::with_capacity(workers, usize::MAX)
    }

    fn with_capacity(workers: usize, capacity: usize) -> Arc<Self> {
        // One job is enough for the next to arrive at the entrance.
        let state = PoolState::new(workers, capacity, 16, 1);
        assert!(state.set_workers(workers, 0).is_empty());
        Arc::new(Self {
            state,
            idle: Event::default(),
            aborted: AtomicBool::new(false),
        })
    }

    /// A pool that has run a job, and whose entrance is open.
    fn with_open_entrance(workers: usize, capacity: usize) -> Arc<Self> {
        let model = Self::with_capacity(workers, capacity);
        let (_, first) = model.execute().unwrap();
        assert!(matches!(
            model.state.next(0, &Arc::new(Notify::new())),
            Next::Run { .. }
        ));
        model.run(&first);
        model
    }

    fn execute(&self) -> Result<(u64, Outcome), Refusal> {
        let outcome = Outcome::new(AtomicUsize::new(OPEN));
        let job = outcome.clone();
        let accepted = match self.state.may_arrive() {
            true => self.state.accept_in_a_row(job),
            false => self.state.accept(job, 0),
        };
        match accepted {
            Ok(accepted) => Ok((wake_accepted(accepted), outcome)),
            Err((refusal, _)) => Err(refusal),
        }
    }

    /// Waits for room, as `execute_when_room` does.
    fn execute_when_room(&self) -> Result<Outcome, Refusal> {
        let outcome = Outcome::new(AtomicUsize::new(OPEN));
        let (waker, mut ticket) = (Arc::new(Notify::new()), None);
        loop {
            let mut left = Some(waker.clone());
            let job = outcome.clone();
            match self.state.accept_in_turn(job, 0, &mut ticket, &mut left).0 {
                Ok(accepted) => {
                    wake_accepted(accepted);
                    return Ok(outcome);
                }
                Err((Refusal::Full, _)) => waker.wait(),
                Err((refusal, _)) => return Err(refusal),
            }
        }
    }

    /// Waits for a worker that a source can count on.
    fn reserve(&self) -> Result<(), Refusal> {
        let (waker, mut ticket) = (Arc::new(Notify::new()), None);
        loop {
            let mut left = Some(waker.clone());
            match self.state.reserve(&mut ticket, &mut left).0 {
                Reservation::Granted => return Ok(()),
                Reservation::Wait => waker.wait(),
                Reservation::Refused(refusal) => return Err(refusal),
            }
        }
    }

    /// Feeds nothing, as a stream that has ended does.
    fn feed_nothing(&self) -> Result<(), Refusal> {
        self.reserve()?;
        self.release();
        Ok(())
    }

    /// Feeds one job, as a stream of one that is always ready does.
    fn feed(&self) -> Result<Outcome, Refusal> {
        self.reserve()?;
        let outcome = Outcome::new(AtomicUsize::new(OPEN));
        match self.state.accept_reserved(outcome.clone(), 0) {
            Ok((accepted, leaving)) => {
                wake_accepted(accepted);
                wake_all(leaving);
            }
            Err(job) => {
                assert_eq!(job.swap(ABANDONED, Ordering::Relaxed), OPEN);
                self.release();
            }
        }
        Ok(outcome)
    }

    fn release(&self) {
        let released = self.state.release();
        wake(released.source);
        wake_all(released.leaving);
        if released.is_idle {
            self.idle.notify();
        }
    }

    /// Works until the pool is closed.
    fn work(&self, worker: usize) {
        let waker = Arc::new(Notify::new());
        loop {
            match self.state.next(worker, &waker) {
                Next::Run { job, room, .. } => {
                    wake(room);
                    self.run(&job);
                }
                Next::Wait => waker.wait(),
                Next::Leave => break,
            }
        }
        self.leave(worker, Vec::new());
    }

    fn run(&self, job: &Outcome) {
        let state = &self.state;
        let ended = state.finish(JobOutcome::Succeeded, Duration::ZERO, true, || {
            assert_eq!(job.swap(ENDED, Ordering::Relaxed), OPEN);
        });
        self.notify_ended(ended);
    }

    fn notify_ended(&self, ended: Ended<Arc<Notify>>) {
        wake(ended.room);
        wake(ended.source);
        if ended.is_idle {
            self.idle.notify();
        }
    }

    fn leave(&self, worker: usize, running: Vec<Outcome>) {
        let free = 1 - running.len();
        let left = self.state.leave(worker, running.len(), free);
        wake(left.worker);
        for job in left.jobs.into_iter().chain(running) {
            assert_eq!(job.swap(ABANDONED, Ordering::Relaxed), OPEN);
        }
        let is_idle = self.state.abandoned(left.abandoning);
        wake_all(left.waiting);
        if is_idle {
            self.idle.notify();
        }
    }

    fn cancel(&self, id: u64) -> bool {
        let Some(job) = self.state.remove(id) else {
            return false;
        };
        let ended = self.state.removed(JobOutcome::Cancelled, || {
            assert_eq!(job.swap(ENDED, Ordering::Relaxed), OPEN);
        });
        self.notify_ended(ended);
        true
    }

    fn begin_drain(&self) {
        wake_all(self.state.begin_drain());
    }

    fn drain(&self) {
        self.begin_drain();
        loop {
            let listening = self.idle.listen();
            if let Some(woken) = self.state.try_end_drain() {
                wake_all(woken);
                return;
            }
            self.idle.wait(listening);
        }
    }

    fn close(&self) {
        wake_all(self.state.close());
        if self.state.is_idle() {
            self.idle.notify();
        }
    }

    fn shutdown(&self) {
        self.close();
        loop {
            let listening = self.idle.listen();
            if self.state.is_idle() {
                return;
            }
            self.idle.wait(listening);
        }
    }

    /// Works until there is nothing left to do, or time is up: jobs never end.
    fn work_in_vain(&self, worker: usize) {
        let waker = Arc::new(Notify::new());
        let (mut is_known, mut running) = (false, Vec::new());
        while !self.aborted.load(Ordering::Acquire) {
            if running.is_empty() {
                if !std::mem::replace(&mut is_known, true) {
                    self.state.enter(worker, &waker);
                }
                match self.state.next(worker, &waker) {
                    Next::Run { job, .. } => running.push(job),
                    Next::Wait => {}
                    Next::Leave => break,
                }
            }
            waker.wait();
        }
        self.leave(worker, running);
    }

    fn abort(&self) {
        self.aborted.store(true, Ordering::Release);
        let aborted = self.state.abort();
        let count = aborted.jobs.len();
        for job in aborted.jobs {
            assert_eq!(job.swap(ABANDONED, Ordering::Relaxed), OPEN);
        }
        let is_idle = self.state.abandoned(count);
        wake_all(aborted.workers);
        if is_idle {
            self.idle.notify();
        }
    }

    fn add_up(&self) {
        let stats = self.state.stats();
        let ended = stats.total_succeeded + stats.total_cancelled;
        assert_eq!(stats.total_executed, ended);
        let present = (stats.queue_length + stats.active_workers) as u64;
        assert_eq!(
            stats.total_accepted,
            ended + stats.total_abandoned + present
        );
    }
}

fn wake(waker: Option<Arc<Notify>>) {
    wake_all(waker);
}

fn wake_all(wakers: impl IntoIterator<Item = Arc<Notify>>) {
    for waker in wakers {
        waker.notify();
    }
}

fn wake_accepted(accepted: Accepted<Arc<Notify>>) -> u64 {
    wake(accepted.worker);
    accepted.id
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

/// A job that is submitted beside a shutdown is run, or refused.
fn a_job_meets_a_shutdown(model: &Arc<Model>) {
    let worker = on_thread(model, |model| model.work(0));
    let submitter = on_thread(model, Model::execute);
    model.shutdown();
    let accepted = submitter.join().unwrap();
    worker.join().unwrap();
    match accepted {
        Ok((_, outcome)) => assert_eq!(read(&outcome), ENDED),
        Err(refusal) => assert_eq!(refusal, Refusal::Closed),
    }
    model.add_up();
    assert_eq!(model.execute().unwrap_err(), Refusal::Closed);
}

#[test]
fn accepted_beside_a_shutdown_still_runs() {
    model(|| a_job_meets_a_shutdown(&Model::new(1)));
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
fn a_drain_waits_for_earlier_jobs() {
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
fn a_dropped_drain_reopens_the_pool() {
    model(|| {
        let model = Model::new(1);
        let dropped = on_thread(&model, |model| {
            model.begin_drain();
            wake_all(model.state.end_drain());
        });
        let beside = model.execute();
        assert!(matches!(beside, Ok(_) | Err(Refusal::Draining)));
        dropped.join().unwrap();
        assert!(model.execute().is_ok());
    });
}

#[test]
fn accepted_beside_a_drop_is_abandoned() {
    model(|| {
        let model = Model::new(1);
        let (_, before) = model.execute().unwrap();
        model.begin_drain();
        wake_all(model.state.end_drain());
        let submitter = on_thread(&model, Model::execute);
        let drain = on_thread(&model, Model::drain);
        let running = match model.state.next(0, &Arc::new(Notify::new())) {
            Next::Run { job, .. } => vec![job],
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
fn two_workers_miss_no_job() {
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
fn a_leaving_worker_passes_wakes_on() {
    model(|| {
        let model = Model::new(2);
        let stays = on_thread(&model, |model| model.work(1));
        let leaves = on_thread(&model, |model| {
            let idle = model.state.next(0, &Arc::new(Notify::new()));
            let running = match idle {
                Next::Run { job, .. } => vec![job],
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
fn a_job_is_cancelled_or_run() {
    model(|| {
        let model = Model::new(1);
        let (id, outcome) = model.execute().unwrap();
        let worker = on_thread(&model, |model| model.work(0));
        let canceller = on_thread(&model, move |model| {
            let cancelled = model.cancel(id);
            assert!(!model.cancel(id));
            cancelled
        });
        model.drain();
        assert_eq!(read(&outcome), ENDED);
        let cancelled = canceller.join().unwrap();
        let stats = model.state.stats();
        assert_eq!(stats.total_cancelled, u64::from(cancelled));
        assert_eq!(stats.total_succeeded, u64::from(!cancelled));
        model.close();
        worker.join().unwrap();
    });
}

#[test]
fn a_cancellation_meets_a_driver_drop() {
    model(|| {
        let model = Model::new(1);
        let (id, outcome) = model.execute().unwrap();
        let canceller = on_thread(&model, move |model| model.cancel(id));
        let drain = on_thread(&model, Model::drain);
        model.leave(0, Vec::new());
        drain.join().unwrap();
        let cancelled = canceller.join().unwrap();
        assert_eq!(read(&outcome), if cancelled { ENDED } else { ABANDONED });
        model.add_up();
    });
}

#[test]
fn figures_are_never_behind_a_handle() {
    model(|| {
        let model = Model::new(1);
        let worker = on_thread(&model, |model| model.work(0));
        let (_, outcome) = model.execute().unwrap();
        let ended = read(&outcome) == ENDED;
        model.add_up();
        assert!(!ended || model.state.stats().total_succeeded == 1);
        model.close();
        worker.join().unwrap();
        model.add_up();
    });
}

#[test]
fn time_up_reaches_all_jobs() {
    model(|| {
        let model = Model::new(1);
        let (_, first) = model.execute().unwrap();
        let (_, second) = model.execute().unwrap();
        let worker = on_thread(&model, |model| model.work_in_vain(0));
        model.close();
        model.abort();
        model.shutdown();
        worker.join().unwrap();
        assert_eq!([first, second].map(|job| read(&job)), [ABANDONED; 2]);
        model.add_up();
    });
}

#[test]
fn time_up_meets_a_feed() {
    bounded_model(2, || {
        let model = Model::new(2);
        let workers =
            [0, 1].map(|worker| on_thread(&model, move |model| model.work_in_vain(worker)));
        let feed = on_thread(&model, Model::feed);
        model.close();
        model.abort();
        model.shutdown();
        match feed.join().unwrap() {
            Ok(outcome) => assert_eq!(read(&outcome), ABANDONED),
            Err(refusal) => assert_eq!(refusal, Refusal::Closed),
        }
        for worker in workers {
            worker.join().unwrap();
        }
        model.add_up();
    });
}

#[test]
fn a_feed_meets_a_shutdown() {
    bounded_model(2, || {
        let model = Model::new(2);
        let workers = [0, 1].map(|worker| on_thread(&model, move |model| model.work(worker)));
        let feed = on_thread(&model, Model::feed);
        model.shutdown();
        match feed.join().unwrap() {
            Ok(outcome) => assert_eq!(read(&outcome), ENDED),
            Err(refusal) => assert_eq!(refusal, Refusal::Closed),
        }
        for worker in workers {
            worker.join().unwrap();
        }
        model.add_up();
    });
}

#[test]
fn a_feed_meets_a_driver_drop() {
    model(|| {
        let model = Model::new(1);
        let feed = on_thread(&model, Model::feed);
        model.leave(0, Vec::new());
        model.drain();
        match feed.join().unwrap() {
            Ok(outcome) => assert_eq!(read(&outcome), ABANDONED),
            Err(refusal) => assert_eq!(refusal, Refusal::Abandoned),
        }
        model.drain();
        model.add_up();
    });
}

#[test]
fn a_free_worker_wakes_feeds() {
    model(|| {
        let model = Model::new(1);
        let worker = on_thread(&model, |model| model.work(0));
        let feed = on_thread(&model, Model::feed);
        let other = model.feed().unwrap();
        let one = feed.join().unwrap().unwrap();
        model.shutdown();
        assert_eq!((read(&one), read(&other)), (ENDED, ENDED));
        worker.join().unwrap();
        model.add_up();
    });
}

#[test]
fn a_feed_waits_for_a_drain() {
    model(|| {
        let model = Model::new(1);
        let worker = on_thread(&model, |model| model.work(0));
        model.begin_drain();
        let feed = on_thread(&model, Model::feed);
        wake_all(model.state.end_drain());
        assert!(feed.join().unwrap().is_ok());
        model.shutdown();
        worker.join().unwrap();
        model.add_up();
    });
}

#[test]
fn room_wakes_those_who_wait() {
    bounded_model(2, || {
        let model = Model::with_capacity(1, 1);
        let worker = on_thread(&model, |model| model.work(0));
        let (_, first) = model.execute().unwrap();
        let waiting = on_thread(&model, Model::execute_when_room);
        let second = model.execute_when_room().unwrap();
        let third = waiting.join().unwrap().unwrap();
        model.shutdown();
        worker.join().unwrap();
        assert_eq!([first, second, third].map(|job| read(&job)), [ENDED; 3]);
    });
}

#[test]
fn drains_refuse_those_awaiting_room() {
    model(|| {
        let model = Model::with_capacity(1, 1);
        let (_, first) = model.execute().unwrap();
        let waiting = on_thread(&model, Model::execute_when_room);
        let worker = on_thread(&model, |model| model.work(0));
        model.drain();
        assert_eq!(read(&first), ENDED);
        let beside = waiting.join().unwrap();
        assert!(matches!(beside, Ok(_) | Err(Refusal::Draining)));
        model.shutdown();
        worker.join().unwrap();
        model.add_up();
    });
}

#[test]
fn an_empty_feed_meets_a_shutdown() {
    model(|| {
        let model = Model::new(1);
        let worker = on_thread(&model, |model| model.work(0));
        let feed = on_thread(&model, Model::feed_nothing);
        model.shutdown();
        worker.join().unwrap();
        assert!(matches!(
            feed.join().unwrap(),
            Ok(()) | Err(Refusal::Closed)
        ));
        model.add_up();
    });
}

#[test]
fn a_drain_awaits_an_empty_feed() {
    model(|| {
        let model = Model::new(1);
        model.reserve().unwrap();
        let drain = on_thread(&model, Model::drain);
        model.release();
        drain.join().unwrap();
    });
}

#[test]
fn one_feed_counts_on_a_worker() {
    model(|| {
        let model = Model::new(1);
        model.reserve().unwrap();
        let (mut ticket, mut waker) = (None, Some(Arc::new(Notify::new())));
        let (other, _) = model.state.reserve(&mut ticket, &mut waker);
        assert_eq!(other, Reservation::Wait);
        model.state.leave_sources(&mut ticket);

        // It is the turn of whoever waits when the reservation is given up.
        let waiting = on_thread(&model, Model::feed_nothing);
        model.release();
        waiting.join().unwrap().unwrap();
        assert!(model.state.is_idle());
    });
}

#[test]
fn a_drain_waits_for_abandoned_handles() {
    model(|| {
        let model = Model::new(1);
        let (_, outcome) = model.execute().unwrap();
        let leaving = on_thread(&model, |model| model.leave(0, Vec::new()));
        model.drain();
        assert_eq!(read(&outcome), ABANDONED);
        leaving.join().unwrap();
    });
}

#[test]
fn the_last_worker_wakes_all() {
    model(|| {
        let model = Model::with_capacity(1, 1);
        let (_, queued) = model.execute().unwrap();
        let room = on_thread(&model, Model::execute_when_room);
        let feed = on_thread(&model, Model::feed);
        model.leave(0, Vec::new());
        assert_eq!(room.join().unwrap().unwrap_err(), Refusal::Abandoned);
        assert_eq!(feed.join().unwrap().unwrap_err(), Refusal::Abandoned);
        assert_eq!(read(&queued), ABANDONED);
    });
}

#[test]
fn a_shutdown_wakes_all() {
    model(|| {
        let model = Model::with_capacity(1, 1);
        model.execute().unwrap();
        let room = on_thread(&model, Model::execute_when_room);
        let feed = on_thread(&model, Model::feed);
        model.close();
        assert_eq!(room.join().unwrap().unwrap_err(), Refusal::Closed);
        assert_eq!(feed.join().unwrap().unwrap_err(), Refusal::Closed);
    });
}

#[test]
fn a_drain_wakes_those_awaiting_room() {
    model(|| {
        let model = Model::with_capacity(1, 1);
        model.execute().unwrap();
        let waiting = on_thread(&model, Model::execute_when_room);
        model.begin_drain();
        assert_eq!(waiting.join().unwrap().unwrap_err(), Refusal::Draining);
    });
}

#[test]
fn a_cancellation_makes_room() {
    model(|| {
        let model = Model::with_capacity(1, 1);
        let (id, _) = model.execute().unwrap();
        let waiting = on_thread(&model, Model::execute_when_room);
        assert!(model.cancel(id));
        assert!(waiting.join().unwrap().is_ok());
    });
}

#[test]
fn who_gives_up_passes_room_on() {
    model(|| {
        let model = Model::with_capacity(1, 1);
        let (id, outcome) = model.execute().unwrap();
        // The first in line is woken when there is room, and gives up instead.
        let (waker, mut ticket) = (Arc::new(Notify::new()), None);
        let state = &model.state;
        let (submission, _) = state.accept_in_turn(outcome, 0, &mut ticket, &mut Some(waker));
        assert!(submission.is_err());
        let waiting = on_thread(&model, Model::execute_when_room);
        assert!(model.cancel(id));
        wake(state.leave_room(&mut ticket).0);
        assert!(waiting.join().unwrap().is_ok());
    });
}

#[test]
fn a_cancelled_handle_is_counted() {
    model(|| {
        let model = Model::new(1);
        let (id, outcome) = model.execute().unwrap();
        let canceller = on_thread(&model, move |model| model.cancel(id));
        let ended = read(&outcome) == ENDED;
        assert!(!ended || model.state.stats().total_cancelled == 1);
        assert!(canceller.join().unwrap());
    });
}

#[test]
fn arrivals_meet_a_worker() {
    model(|| {
        let model = Model::with_open_entrance(1, usize::MAX);
        let worker = on_thread(&model, |model| model.work(0));
        let jobs = [0, 1, 2].map(|_| model.execute().unwrap());
        assert_eq!(jobs.each_ref().map(|(id, _)| *id), [1, 2, 3]);
        model.drain();
        assert_eq!(jobs.map(|(_, job)| read(&job)), [ENDED; 3]);
        model.close();
        worker.join().unwrap();
        model.add_up();
    });
}

#[test]
fn arrivals_meet_two_workers() {
    bounded_model(2, || {
        let model = Model::with_open_entrance(2, usize::MAX);
        let workers = [0, 1].map(|worker| on_thread(&model, move |model| model.work(worker)));
        let jobs = [0, 1].map(|_| model.execute().unwrap().1);
        model.drain();
        assert_eq!(jobs.map(|job| read(&job)), [ENDED; 2]);
        model.close();
        for worker in workers {
            worker.join().unwrap();
        }
        model.add_up();
    });
}

#[test]
fn an_arrival_beside_a_shutdown_still_runs() {
    model(|| a_job_meets_a_shutdown(&Model::with_open_entrance(1, usize::MAX)));
}

#[test]
fn an_arrival_beside_a_drop_is_abandoned() {
    model(|| {
        let model = Model::with_open_entrance(1, usize::MAX);
        let submitter = on_thread(&model, Model::execute);
        model.leave(0, Vec::new());
        match submitter.join().unwrap() {
            Ok((_, outcome)) => assert_eq!(read(&outcome), ABANDONED),
            Err(refusal) => assert_eq!(refusal, Refusal::Abandoned),
        }
        model.drain();
        model.add_up();
    });
}

#[test]
fn an_arrival_is_cancelled_or_run() {
    model(|| {
        let model = Model::with_open_entrance(1, usize::MAX);
        let (id, outcome) = model.execute().unwrap();
        let worker = on_thread(&model, |model| model.work(0));
        let cancelled = model.cancel(id);
        assert!(!model.cancel(id));
        model.drain();
        assert_eq!(read(&outcome), ENDED);
        assert_eq!(model.state.stats().total_cancelled, u64::from(cancelled));
        model.close();
        worker.join().unwrap();
        model.add_up();
    });
}

#[test]
fn figures_are_never_behind_an_arrival() {
    model(|| {
        let model = Model::with_open_entrance(1, usize::MAX);
        let submitter = on_thread(&model, |model| {
            let id = model.execute().unwrap().0;
            assert!(model.state.stats().total_accepted > id);
        });
        let id = model.execute().unwrap().0;
        let stats = model.state.stats();
        assert!(stats.total_accepted > id);
        assert_eq!(stats.total_accepted, 1 + stats.queue_length as u64);
        submitter.join().unwrap();
        model.add_up();
    });
}

#[test]
fn arrivals_fill_the_queue() {
    model(|| {
        let model = Model::with_open_entrance(1, 2);
        let submitter = on_thread(&model, |model| model.execute().is_ok());
        let accepted = [0, 1].map(|_| model.execute().is_ok());
        let beside = submitter.join().unwrap();
        // There is room for two of the three, whoever comes first.
        assert!(accepted[0]);
        assert_eq!(accepted[1], !beside);
        assert_eq!(model.state.stats().queue_length, 2);
        assert_eq!(model.execute().unwrap_err(), Refusal::Full);
    });
}

#[test]
fn a_feed_waits_for_arrivals() {
    model(|| {
        let model = Model::with_open_entrance(1, usize::MAX);
        let (_, first) = model.execute().unwrap();
        // The only worker is promised to what has arrived.
        let (mut ticket, mut waker) = (None, Some(Arc::new(Notify::new())));
        let (reservation, _) = model.state.reserve(&mut ticket, &mut waker);
        assert_eq!(reservation, Reservation::Wait);
        model.state.leave_sources(&mut ticket);
        let worker = on_thread(&model, |model| model.work(0));
        let fed = model.feed().unwrap();
        model.shutdown();
        assert_eq!((read(&first), read(&fed)), (ENDED, ENDED));
        worker.join().unwrap();
    });
}
