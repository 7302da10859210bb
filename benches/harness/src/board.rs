//! The outside world of a benchmark: a switchboard of stored wakers, and the tasks that wait at it.
//!
//! It is thread-local, so that the tasks are `Send + 'static` and even runtimes that spawn can take them, at the cost
//! of no lock.
//!
//! ```text
//!  Free --- first poll of a task: its waker is stored, the place listed in `waiting` ---> Waiting
//!  Waiting --- `wake` picks it at random and wakes the waker ---> Woken --- next poll: Ready, then dropped ---> Free
//! ```

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

thread_local! {
    static BOARD: RefCell<Board> = const { RefCell::new(Board::new()) };
    static POLLS: Cell<usize> = const { Cell::new(0) };
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

enum Place {
    Free,
    Waiting { waker: Waker, position: usize },
    Woken,
}

struct Board {
    places: Vec<Place>,
    free: Vec<usize>,
    /// The places that a task waits at, in no particular order.
    waiting: Vec<usize>,
    /// Tasks that have begun to wait since the last [`hold_back`].
    registered: usize,
    /// Nobody is woken before so many have.
    audience: usize,
    seed: u64,
}

impl Board {
    const fn new() -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
            waiting: Vec::new(),
            registered: 0,
            audience: 0,
            seed: SEED,
        }
    }

    fn random(&mut self, below: usize) -> usize {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (((self.seed >> 32) * below as u64) >> 32) as usize
    }

    fn register(&mut self, waker: Waker) -> usize {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::Free);
            self.places.len() - 1
        });
        self.places[place] = Place::Waiting {
            waker,
            position: self.waiting.len(),
        };
        self.waiting.push(place);
        self.registered += 1;
        place
    }

    /// Takes the place at `position` of the list.
    fn unlist(&mut self, position: usize) -> usize {
        let place = self.waiting.swap_remove(position);
        if let Some(&moved) = self.waiting.get(position) {
            if let Place::Waiting {
                position: former, ..
            } = &mut self.places[moved]
            {
                *former = position;
            }
        }
        place
    }

    fn pick(&mut self) -> Option<Waker> {
        if self.waiting.is_empty() {
            return None;
        }
        let position = self.random(self.waiting.len());
        let place = self.unlist(position);
        match std::mem::replace(&mut self.places[place], Place::Woken) {
            Place::Waiting { waker, .. } => Some(waker),
            Place::Free | Place::Woken => unreachable!("a listed place is a waiting one"),
        }
    }

    fn leave(&mut self, place: usize) -> Option<Waker> {
        self.free.push(place);
        match std::mem::replace(&mut self.places[place], Place::Free) {
            Place::Waiting { waker, position } => {
                self.unlist(position);
                Some(waker)
            }
            Place::Free | Place::Woken => None,
        }
    }
}

fn with_board<R>(f: impl FnOnce(&mut Board) -> R) -> R {
    BOARD.with_borrow_mut(f)
}

/// Counts a poll of a task.
#[inline]
pub(crate) fn count_poll() {
    POLLS.set(POLLS.get() + 1);
}

/// Returns how often tasks were polled on this thread so far.
pub(crate) fn polls() -> usize {
    POLLS.get()
}

/// Starts the sequence of random choices anew, and holds nobody back.
pub(crate) fn reset() {
    with_board(|board| {
        board.seed = SEED;
        board.audience = 0;
    });
}

/// Wakes nobody until `audience` more tasks have begun to wait.
pub(crate) fn hold_back(audience: usize) {
    with_board(|board| {
        board.registered = 0;
        board.audience = audience;
    });
}

/// Wakes up to `burst` waiting tasks, chosen at random.
pub(crate) fn wake(burst: usize) {
    if with_board(|board| board.registered < board.audience) {
        return;
    }
    for _ in 0..burst {
        // The waker is foreign code, so it runs after the board is let go.
        let Some(waker) = with_board(Board::pick) else {
            return;
        };
        waker.wake();
    }
}

/// Returns how many tasks wait.
pub(crate) fn waiting() -> usize {
    with_board(|board| board.waiting.len())
}

/// Waits until the board wakes it. Resolves on no other poll, however often it is polled.
pub(crate) fn wait() -> Wait {
    Wait { place: None }
}

#[derive(Debug)]
pub(crate) struct Wait {
    place: Option<usize>,
}

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        count_poll();
        let Some(place) = self.place else {
            let waker = cx.waker().clone();
            self.place = Some(with_board(|board| board.register(waker)));
            return Poll::Pending;
        };
        with_board(|board| match &mut board.places[place] {
            Place::Waiting { waker, .. } => {
                waker.clone_from(cx.waker());
                Poll::Pending
            }
            Place::Woken | Place::Free => Poll::Ready(()),
        })
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            drop(with_board(|board| board.leave(place)));
        }
    }
}

/// Wakes itself once.
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        count_poll();
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
