//! What the tests share: tasks that are driven by hand, wakers that count, and a bare poll loop.
#![allow(dead_code, unreachable_pub)]

pub mod verbs;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};

// Where there is a browser, all tests run in one.
#[cfg(target_family = "wasm")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// A waker that counts how often it is woken.
#[derive(Default)]
pub struct Count(AtomicUsize);

impl Count {
    pub fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        (count.clone(), Waker::from(count))
    }

    pub fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Returns the wakes since the last call.
    pub fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A future under a bare poll loop, with the wakes that it asked for.
pub struct Driver<F> {
    pub future: Pin<Box<F>>,
    wakes: Arc<Count>,
    waker: Waker,
    pub polls: usize,
}

impl<F> Driver<F> {
    pub fn new(future: F) -> Self {
        let (wakes, waker) = Count::new();
        Self {
            future: Box::pin(future),
            wakes,
            waker,
            polls: 0,
        }
    }

    /// Returns the wakes since the last call, or the last poll.
    pub fn wakes(&self) -> usize {
        self.wakes.take()
    }

    pub fn waker(&self) -> &Waker {
        &self.waker
    }
}

impl<F: Future> Driver<F> {
    /// Polls once, woken or not.
    pub fn poll(&mut self) -> Poll<F::Output> {
        self.polls += 1;
        self.wakes.take();
        self.future
            .as_mut()
            .poll(&mut Context::from_waker(&self.waker))
    }

    /// Polls once, and then for as long as each poll is followed by a wake.
    pub fn run(&mut self) -> Poll<F::Output> {
        loop {
            if let Poll::Ready(output) = self.poll() {
                return Poll::Ready(output);
            }
            if self.wakes.get() == 0 {
                return Poll::Pending;
            }
        }
    }

    /// Returns the output of a future that must end now.
    #[track_caller]
    pub fn finish(&mut self) -> F::Output {
        match self.run() {
            Poll::Ready(output) => output,
            Poll::Pending => {
                panic!("the future hangs: it is pending, and nobody is going to wake it")
            }
        }
    }
}

/// The tasks of a test: each waits until it is told what to return, and all is counted.
pub struct Board<T = usize, E = &'static str>(Arc<Mutex<Cells<T, E>>>);

/// All tasks, and the sums of what was counted: tests ask for those all the time.
struct Cells<T, E> {
    each: Vec<Cell<T, E>>,
    created: usize,
    polls: usize,
    dropped: usize,
}

impl<T, E> Clone for Board<T, E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

pub struct Cell<T, E> {
    pub created: usize,
    pub polls: usize,
    pub dropped: usize,
    result: Option<Result<T, E>>,
    waker: Option<Waker>,
}

impl Board {
    pub fn new(tasks: usize) -> Self {
        Self::of(tasks)
    }
}

impl<T, E> Board<T, E> {
    /// Creates a board of tasks that return what they like.
    pub fn of(tasks: usize) -> Self {
        let cells = (0..tasks).map(|_| Cell {
            created: 0,
            polls: 0,
            dropped: 0,
            result: None,
            waker: None,
        });
        Self(Arc::new(Mutex::new(Cells {
            each: cells.collect(),
            created: 0,
            polls: 0,
            dropped: 0,
        })))
    }

    fn cells(&self) -> MutexGuard<'_, Cells<T, E>> {
        self.0.lock().unwrap()
    }

    /// Returns the task with this index.
    pub fn task(&self, index: usize) -> Task<T, E> {
        let mut cells = self.cells();
        cells.each[index].created += 1;
        cells.created += 1;
        drop(cells);
        Task {
            board: self.clone(),
            index,
        }
    }

    /// Returns all tasks, created lazily.
    pub fn tasks(&self) -> impl ExactSizeIterator<Item = Task<T, E>> + use<T, E> {
        let board = self.clone();
        let len = self.cells().each.len();
        (0..len).map(move |index| board.task(index))
    }

    /// Ends the task with `result`, now or at its first poll.
    pub fn end(&self, index: usize, result: Result<T, E>) {
        self.cells().each[index].result = Some(result);
        self.wake(index);
    }

    /// Wakes the task, for no reason.
    pub fn wake(&self, index: usize) {
        let waker = self.cells().each[index].waker.clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Returns the waker that the task was last polled with.
    pub fn waker(&self, index: usize) -> Waker {
        self.cells().each[index]
            .waker
            .clone()
            .expect("the task was polled")
    }

    pub fn polls(&self, index: usize) -> usize {
        self.cells().each[index].polls
    }

    pub fn total_polls(&self) -> usize {
        self.cells().polls
    }

    pub fn created(&self) -> usize {
        self.cells().created
    }

    pub fn dropped(&self) -> usize {
        self.cells().dropped
    }

    /// Returns how many tasks exist.
    pub fn alive(&self) -> usize {
        self.created() - self.dropped()
    }

    pub fn is_dropped(&self, index: usize) -> bool {
        let cell = &self.cells().each[index];
        cell.created > 0 && cell.created == cell.dropped
    }
}

/// A task of a [`Board`].
pub struct Task<T = usize, E = &'static str> {
    board: Board<T, E>,
    index: usize,
}

impl<T, E> Future for Task<T, E> {
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut cells = self.board.cells();
        cells.polls += 1;
        let cell = &mut cells.each[self.index];
        cell.polls += 1;
        match cell.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                cell.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<T, E> Drop for Task<T, E> {
    fn drop(&mut self) {
        let mut cells = self.board.cells();
        cells.each[self.index].dropped += 1;
        cells.dropped += 1;
    }
}

/// Returns `result` on the second poll.
pub async fn returns<T, E>(result: Result<T, E>) -> Result<T, E> {
    yield_now().await;
    result
}

/// Yields once: pending, woken at once, and ready at the next poll.
pub fn yield_now() -> impl Future<Output = ()> {
    yield_times(1)
}

/// Yields so many times: pending, and woken at once each time.
pub fn yield_times(mut times: usize) -> impl Future<Output = ()> {
    std::future::poll_fn(move |cx| {
        if times == 0 {
            return Poll::Ready(());
        }
        times -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

/// Counts the values of a kind that are made and dropped.
#[derive(Clone, Default)]
pub struct Tally(Arc<[AtomicUsize; 2]>);

impl Tally {
    pub fn make(&self) -> Counted {
        self.0[0].fetch_add(1, Ordering::SeqCst);
        Counted(self.clone())
    }

    pub fn made(&self) -> usize {
        self.0[0].load(Ordering::SeqCst)
    }

    pub fn dropped(&self) -> usize {
        self.0[1].load(Ordering::SeqCst)
    }
}

/// A value of a [`Tally`].
pub struct Counted(Tally);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0[1].fetch_add(1, Ordering::SeqCst);
    }
}

/// A generator of pseudo-random numbers (xorshift64*), the same ones for the same seed.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let product = u128::from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)) * bound as u128;
        (product >> 64) as usize
    }
}
