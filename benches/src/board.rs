//! The outside world of a benchmark: a switchboard of stored wakers, and the tasks that wait at it.
//!
//! It is thread-local, so that the tasks are `Send + 'static` and even runtimes that spawn can take them, at the cost of no
//! lock.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

thread_local! {
    static BOARD: RefCell<Board> = const { RefCell::new(Board::new()) };
}

enum Cell {
    Free,
    Waiting { waker: Waker, position: usize },
    Woken,
}

struct Board {
    cells: Vec<Cell>,
    free: Vec<usize>,
    /// The cells that a task waits at, in no particular order.
    waiting: Vec<usize>,
    registered: usize,
    polled: usize,
    seed: u64,
}

impl Board {
    const fn new() -> Self {
        Self {
            cells: Vec::new(),
            free: Vec::new(),
            waiting: Vec::new(),
            registered: 0,
            polled: 0,
            seed: 0x9e37_79b9_7f4a_7c15,
        }
    }

    fn random(&mut self, below: usize) -> usize {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (((self.seed >> 32) * below as u64) >> 32) as usize
    }

    fn register(&mut self, waker: Waker) -> usize {
        let cell = self.free.pop().unwrap_or_else(|| {
            self.cells.push(Cell::Free);
            self.cells.len() - 1
        });
        self.cells[cell] = Cell::Waiting {
            waker,
            position: self.waiting.len(),
        };
        self.waiting.push(cell);
        self.registered += 1;
        self.polled += 1;
        cell
    }

    /// Takes the cell at `position` of the waiting ones out of them.
    fn unlist(&mut self, position: usize) -> usize {
        let cell = self.waiting.swap_remove(position);
        if let Some(&moved) = self.waiting.get(position) {
            if let Cell::Waiting {
                position: former, ..
            } = &mut self.cells[moved]
            {
                *former = position;
            }
        }
        cell
    }

    fn pick(&mut self) -> Option<Waker> {
        if self.waiting.is_empty() {
            return None;
        }
        let position = self.random(self.waiting.len());
        let cell = self.unlist(position);
        match std::mem::replace(&mut self.cells[cell], Cell::Woken) {
            Cell::Waiting { waker, .. } => Some(waker),
            Cell::Free | Cell::Woken => unreachable!("a listed cell is a waiting one"),
        }
    }

    fn leave(&mut self, cell: usize) -> Option<Waker> {
        self.free.push(cell);
        match std::mem::replace(&mut self.cells[cell], Cell::Free) {
            Cell::Waiting { waker, position } => {
                self.unlist(position);
                Some(waker)
            }
            Cell::Free | Cell::Woken => None,
        }
    }
}

fn with_board<R>(f: impl FnOnce(&mut Board) -> R) -> R {
    BOARD.with_borrow_mut(f)
}

/// Wakes one waiting task, chosen at random. False if none waits.
fn wake_one() -> bool {
    // The waker is foreign code, so it runs after the board is let go.
    let waker = with_board(Board::pick);
    waker.map(Waker::wake).is_some()
}

/// How many tasks wait.
pub(crate) fn waiting() -> usize {
    with_board(|board| board.waiting.len())
}

/// How often tasks that wait were polled so far.
pub(crate) fn polled() -> usize {
    with_board(|board| board.polled)
}

/// Waits until the board wakes it. Resolves on no other poll, however often it is polled.
pub(crate) fn wait() -> Wait {
    Wait { cell: None }
}

pub(crate) struct Wait {
    cell: Option<usize>,
}

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(cell) = self.cell else {
            let waker = cx.waker().clone();
            self.cell = Some(with_board(|board| board.register(waker)));
            return Poll::Pending;
        };
        with_board(|board| {
            board.polled += 1;
            match &mut board.cells[cell] {
                Cell::Waiting { waker, .. } => {
                    waker.clone_from(cx.waker());
                    Poll::Pending
                }
                Cell::Woken | Cell::Free => Poll::Ready(()),
            }
        })
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some(cell) = self.cell {
            drop(with_board(|board| board.leave(cell)));
        }
    }
}

/// Wakes itself once.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Drives `work` from outside: each time that it is pending, wakes `burst` random waiting tasks and polls it again.
///
/// The first wake is held back until `audience` tasks have begun to wait.
pub(crate) async fn drive<F: Future>(work: F, audience: usize, burst: usize) -> F::Output {
    with_board(|board| board.registered = 0);
    let mut work = pin!(work);
    poll_fn(|cx| {
        let polled = work.as_mut().poll(cx);
        if polled.is_pending() && with_board(|board| board.registered) >= audience {
            for _ in 0..burst {
                if !wake_one() {
                    break;
                }
            }
        }
        if polled.is_pending() {
            cx.waker().wake_by_ref();
        }
        polled
    })
    .await
}
