//! Paging, and fanning out from pages. The test of overlap needs the feature `test-util`.

use std::cell::{Cell, RefCell};
use std::future::{Ready, pending, ready};
#[cfg(panic = "unwind")]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use crate::support::{Board, Driver, yield_now};
use abreast::{Outcome, paginate, parallel_stream};
use futures::FutureExt;
use futures::stream::{FusedStream, Stream, StreamExt};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

type Page = Result<Vec<usize>, &'static str>;

/// Fetches from a list of `total` items, and keeps account of each call.
struct Server {
    total: usize,
    calls: RefCell<Vec<(usize, usize)>>,
}

impl Server {
    fn new(total: usize) -> Self {
        Self {
            total,
            calls: RefCell::default(),
        }
    }

    fn list(&self, limit: usize, offset: usize) -> Ready<Page> {
        self.calls.borrow_mut().push((limit, offset));
        ready(Ok((0..self.total).skip(offset).take(limit).collect()))
    }

    fn offsets(&self) -> Vec<usize> {
        self.calls
            .borrow()
            .iter()
            .map(|(_, offset)| *offset)
            .collect()
    }
}

#[track_caller]
fn collect<S: Stream>(stream: S) -> Vec<S::Item> {
    Driver::new(stream.collect()).finish()
}

#[test]
fn each_page_is_fetched_once() {
    for (total, offsets) in [
        (0, vec![0]),
        (1, vec![0]),
        (9, vec![0]),
        (10, vec![0, 10]), // a full page may be the last: only an empty one tells
        (11, vec![0, 10]),
        (30, vec![0, 10, 20, 30]),
        (35, vec![0, 10, 20, 30]),
    ] {
        let server = Server::new(total);
        let items = collect(paginate(|limit, offset| server.list(limit, offset)).limit(10));
        assert_eq!(items, (0..total).map(Ok).collect::<Vec<_>>());
        assert_eq!(server.offsets(), offsets, "of {total} items");
        assert!(server.calls.borrow().iter().all(|(limit, _)| *limit == 10));
    }
}

#[test]
fn the_offset_counts_received_items() {
    let offsets = RefCell::new(Vec::new());
    let items = collect(
        paginate(|_, offset| {
            offsets.borrow_mut().push(offset);
            ready(Ok::<_, ()>((0..40).skip(offset).take(15)))
        })
        .limit(10),
    );
    assert_eq!(items, (0..40).map(Ok).collect::<Vec<_>>());
    // 15, 15, and 10: as many as the limit, so there may be more.
    assert_eq!(*offsets.borrow(), [0, 15, 30, 40]);
}

#[test]
fn a_short_page_is_the_last() {
    let offsets = RefCell::new(Vec::new());
    let items = collect(
        paginate(|_, offset| {
            offsets.borrow_mut().push(offset);
            ready(Ok::<_, ()>(vec![(); if offset == 10 { 9 } else { 10 }]))
        })
        .limit(10),
    );
    assert_eq!(items.len(), 19);
    assert_eq!(*offsets.borrow(), [0, 10]);
}

#[test]
fn an_error_is_the_last_item() {
    let calls = Cell::new(0);
    let mut pages = paginate(|limit, offset| {
        calls.set(calls.get() + 1);
        ready(match offset {
            20 => Err("503"),
            _ => Ok(vec![0; limit]),
        })
    })
    .limit(10);
    let items = collect(pages.by_ref());
    assert_eq!(items.len(), 21);
    assert!(items[..20].iter().all(Result::is_ok));
    assert_eq!(items[20], Err("503"));
    assert!(pages.is_terminated());
    assert_eq!(pages.size_hint(), (0, Some(0)));
    assert_eq!(collect(pages), []);
    assert_eq!(calls.get(), 3);
}

#[test]
fn pages_are_fetched_on_demand() {
    let server = Server::new(100);
    let mut pages = paginate(|limit, offset| server.list(limit, offset)).limit(10);
    assert!(server.offsets().is_empty());
    let first = Driver::new(pages.by_ref().take(10).collect::<Vec<_>>()).finish();
    assert_eq!(first.len(), 10);
    assert_eq!(server.offsets(), [0]);
    assert_eq!(pages.size_hint(), (0, None));
    assert_eq!(Driver::new(pages.next()).finish(), Some(Ok(10)));
    assert_eq!(server.offsets(), [0, 10]);
    assert_eq!(pages.size_hint(), (9, None));
}

#[test]
fn each_poll_polls_the_fetch_once() {
    let board = Board::new(1);
    let fetch = |_, _| board.task(0).map(|result| result.map(|_| [1, 2]));
    let mut pages = Driver::new(paginate(fetch).collect::<Vec<_>>());
    for polls in 1..=3 {
        assert!(pages.poll().is_pending());
        assert_eq!(board.polls(0), polls);
    }
    // There are no more polls of it for the items of its page.
    board.end(0, Ok(0));
    assert_eq!(pages.poll(), Poll::Ready(vec![Ok(1), Ok(2)]));
    assert_eq!((board.polls(0), board.created()), (4, 1));
}

#[test]
fn a_dropped_next_loses_nothing() {
    let fetches = Cell::new(0);
    let mut pages = paginate(|_, _| {
        fetches.set(fetches.get() + 1);
        async {
            yield_now().await;
            Ok::<_, ()>([1])
        }
    })
    .limit(2);
    let mut next = Driver::new(pages.next());
    assert!(next.poll().is_pending());
    drop(next);
    assert_eq!(Driver::new(pages.next()).finish(), Some(Ok(1)));
    assert_eq!(Driver::new(pages.next()).finish(), None);
    assert_eq!(fetches.get(), 1);
}

#[cfg(panic = "unwind")]
#[test]
fn a_panicking_fetch_ends_the_stream() {
    let mut pages = paginate(|_, offset| async move {
        assert_eq!(offset, 0, "the second fetch panics");
        Ok::<_, ()>([1, 2])
    })
    .limit(2);
    assert_eq!(Driver::new(pages.next()).finish(), Some(Ok(1)));
    assert_eq!(Driver::new(pages.next()).finish(), Some(Ok(2)));
    let mut next = Driver::new(pages.next());
    assert!(catch_unwind(AssertUnwindSafe(|| next.poll())).is_err());
    drop(next);
    assert!(pages.is_terminated());
    assert_eq!(Driver::new(pages.next()).finish(), None);
}

#[test]
fn a_page_error_is_one_failure() {
    let pages = paginate(|limit, offset| {
        ready(match offset {
            20 => Err("page 3: 503"),
            _ => Ok((offset..offset + limit).collect::<Vec<_>>()),
        })
    })
    .limit(10);
    let tasks = pages.map(|item| async move {
        let item = item?;
        yield_now().await;
        if item == 7 { Err("item 7") } else { Ok(item) }
    });
    let result = Driver::new(parallel_stream(tasks).concurrency(4)).finish();
    assert_eq!(result.len(), 21);
    assert_eq!(result.success_count(), 19);
    let failures: Vec<_> = result.failures().collect();
    assert_eq!(failures, [(7, &"item 7"), (20, &"page 3: 503")]);
}

#[test]
fn page_errors_can_fail_fast() {
    let pages =
        paginate(|_, offset| ready(if offset == 2 { Err("503") } else { Ok([0, 1]) })).limit(2);
    let tasks = pages.map(|item| async move {
        match item? {
            1 => pending().await,
            item => Ok(item),
        }
    });
    let result = Driver::new(parallel_stream(tasks).fail_fast(true)).finish();
    let outcomes = [
        Outcome::Succeeded(0),
        Outcome::Cancelled,
        Outcome::Failed("503"),
    ];
    assert_eq!(result.into_iter().collect::<Vec<_>>(), outcomes);
}

#[cfg(feature = "test-util")]
#[test]
fn tasks_run_while_pages_load() {
    use std::time::Duration;

    let clock = abreast::time::VirtualClock::new();
    let seconds = |seconds| clock.sleep(Duration::from_secs(seconds));
    let loads = RefCell::new(Vec::new());
    let pages = paginate(|limit, offset| {
        loads.borrow_mut().push((offset, clock.now().as_secs()));
        let load = seconds(10);
        async move {
            load.await;
            Ok::<_, ()>((0..10).skip(offset).take(limit))
        }
    })
    .limit(4);
    let tasks = pages.map(|item| {
        let work = seconds(10);
        async move {
            work.await;
            item
        }
    });
    let result = clock.run(parallel_stream(tasks).concurrency(5));
    assert_eq!(result.success_count(), 10);
    // Each page loads while the four items of the one before are worked on: 10, 10, 10, and 10 for the last two.
    assert_eq!(*loads.borrow(), [(0, 0), (4, 10), (8, 20)]);
    assert_eq!(clock.now(), Duration::from_secs(40));
}

#[test]
fn a_full_window_fetches_nothing() {
    let server = Server::new(100);
    let tasks = paginate(|limit, offset| server.list(limit, offset))
        .limit(2)
        .map(|_| pending::<Result<(), ()>>());
    let mut run = Driver::new(parallel_stream(tasks).concurrency(4));
    assert!(matches!(run.run(), Poll::Pending));
    assert_eq!(server.offsets(), [0, 2]);
}

#[test]
fn pages_have_a_hundred_items() {
    let server = Server::new(250);
    let items = collect(paginate(|limit, offset| server.list(limit, offset)));
    assert_eq!(items.len(), 250);
    let calls = server.calls.into_inner();
    assert_eq!(calls, [(100, 0), (100, 100), (100, 200)]);
}

#[test]
#[should_panic(expected = "pass how many items a page has, at least 1")]
fn a_limit_of_zero_panics() {
    let server = Server::new(1);
    drop(paginate(|limit, offset| server.list(limit, offset)).limit(0));
}

#[test]
fn paginate_is_send_when_parts_are() {
    fn check<T: Send + Unpin>(_: &T) {}
    check(&paginate(|_, _| async { Ok::<_, ()>([1]) }).limit(1));
}
