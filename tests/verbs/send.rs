//! What compiles: futures are `Send` when their parts are, borrow what they like, and take tasks that are not `Send`.
#![cfg(not(target_family = "wasm"))]

use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::time::Duration;

use crate::support::Driver;
use abreast::limit::Feedback;
use abreast::{
    Failures, Limit, Observer, Outcome, ParallelOptions, ParallelResult, Progress, RaceError,
    RaceResult, Rate, TaskError, batched, fall_through, gather, join_all, parallel, parallel_map,
    parallel_stream, race, sequential, timeout, try_gather,
};
use futures::future::{BoxFuture, FusedFuture, LocalBoxFuture};
use futures::stream::FusedStream;
use futures::{FutureExt, Stream, StreamExt, TryFutureExt};

type Error = Box<dyn std::error::Error + Send + Sync>;

async fn get(url: &str) -> Result<usize, Error> {
    crate::support::yield_now().await;
    Ok(url.len())
}

/// Asks for what `spawn` does.
fn spawned<F>(future: F) -> F::Output
where
    F: Future<Output: Send> + Send + 'static,
{
    let executor = smol::Executor::new();
    smol::block_on(executor.run(executor.spawn(future)))
}

fn urls() -> Vec<String> {
    ["a", "bc", "def"].map(String::from).to_vec()
}

fn is_send<T: Send>(value: T) -> T {
    value
}

fn is_sync<T: Sync>(value: T) -> T {
    value
}

fn is_unpin<T: Unpin>(value: T) -> T {
    value
}

fn is_static<T: 'static>(value: T) -> T {
    value
}

/// Named after rust#89976: "implementation of `FnOnce` is not general enough".
mod rust_89976_borrowed_items_under_spawn {
    use super::*;

    #[test]
    fn limits_and_rates_over_borrows() {
        let sizes = spawned(async move {
            let (urls, limit) = (urls(), Limit::new(2));
            let rate = Rate::per_second(1).burst(3);
            let tasks = urls.iter().map(|url| async { get(url).await });
            let run = is_unpin(parallel(tasks).limit(&limit));
            let run = is_unpin(run.rate(&rate, smol::Timer::after));
            run.await.into_result().unwrap()
        });
        assert_eq!(sizes, [1, 2, 3]);
        drop(is_sync(is_send((Limit::new(1), Rate::per_second(1)))));
        drop(is_send(is_unpin(Limit::new(1).acquire())));
        let acquire = Rate::per_second(1).acquire(1, smol::Timer::after);
        drop(is_send(is_unpin(acquire)));
    }

    #[test]
    fn adaptive_limits_over_borrows() {
        let sizes = spawned(async move {
            let (urls, limit) = (urls(), Limit::vegas());
            let tasks = urls.iter().map(|url| async { get(url).await });
            let run = parallel(tasks).adaptive(&limit, smol::Timer::after, |result| match result {
                Ok(_) => Feedback::Fine,
                Err(_) => Feedback::Ignored,
            });
            is_unpin(run).await.into_result().unwrap()
        });
        assert_eq!(sizes, [1, 2, 3]);
        drop(is_sync(is_send(Limit::gradient())));
        drop(is_send(is_unpin(Limit::aimd().acquire(smol::Timer::after))));
    }

    #[test]
    fn maps_over_borrows() {
        let sizes = spawned(async move {
            let (urls, limit) = (urls(), Limit::new(2));
            let rate = Rate::per_second(1).burst(9);
            let run = is_unpin(parallel_map(&urls, |url| async move { get(url).await }));
            let run = is_unpin(run.per_key(1, |url| url.chars().next()));
            let run = run.weigh(&limit, |url| url.len());
            let run = is_unpin(run.cost(&rate, smol::Timer::after, |url| url.len() as u32));
            run.await.into_result().unwrap()
        });
        assert_eq!(sizes, [1, 2, 3]);
    }

    #[test]
    fn stopped_runs_over_borrows() {
        let sizes = spawned(async move {
            let urls = urls();
            let tasks = urls.iter().map(|url| async { get(url).await });
            let run = is_unpin(parallel(tasks).stop_on(std::future::pending::<()>()));
            let run = run.deadline(Duration::from_secs(600), smol::Timer::after);
            run.await.into_result().unwrap()
        });
        assert_eq!(sizes, [1, 2, 3]);
        let group = abreast::task_group(async |group| {
            group.spawn(std::future::pending::<Result<(), ()>>());
            Ok(())
        });
        drop(is_send(group.stop_on(std::future::pending::<()>())));
    }

    #[test]
    fn other_stopped_runs_over_borrows() {
        let never = std::future::pending::<()>;
        let sizes = spawned(async move {
            let urls = urls();
            let tasks = urls.iter().map(|url| async { get(url).await });
            let run = is_unpin(sequential(tasks).stop_on(never()));
            run.await.into_result().unwrap()
        });
        assert_eq!(sizes, [1, 2, 3]);
        let sizes = spawned(async move {
            let urls = urls();
            let run = batched(&urls, |url| async { get(url).await });
            let run = is_unpin(run.stop_on(never()));
            run.await.into_result().unwrap()
        });
        assert_eq!(sizes, [1, 2, 3]);
        let sizes = spawned(async move {
            let urls = urls();
            let futures = urls.iter().map(|url| async { get(url).await.unwrap() });
            let run = is_unpin(join_all(futures).stop_on(never()));
            run.await.into_values().unwrap()
        });
        assert_eq!(sizes, [1, 2, 3]);
    }

    #[test]
    fn parallel_over_a_borrowed_vec() {
        let sizes = spawned(async move {
            let urls = urls();
            let tasks = urls.iter().map(|url| async move { get(url).await });
            parallel(tasks).await.into_result().unwrap()
        });
        assert_eq!(sizes, [1, 2, 3]);
    }

    #[test]
    fn parallel_over_an_async_fn() {
        let sizes = spawned(async move {
            let urls = urls();
            parallel(urls.iter().map(|url| get(url)))
                .await
                .into_result()
                .unwrap()
        });
        assert_eq!(sizes, [1, 2, 3]);
    }

    #[test]
    fn parallel_with_options_and_hooks() {
        let sizes = spawned(async move {
            let urls = urls();
            let (mut ended, mut failed) = (0, 0);
            let result = parallel(urls.iter().map(|url| async move { get(url).await }))
                .concurrency(2)
                .fail_fast(true)
                .on_complete(|_, index| ended += index)
                .on_error(|_, index| failed += index)
                .on_progress(|progress| assert!(progress.completed <= 3))
                .await;
            assert_eq!((ended, failed), (3, 0));
            result.into_result().unwrap()
        });
        assert_eq!(sizes, [1, 2, 3]);
    }

    #[test]
    fn parallel_stream_over_borrowed_items() {
        let sizes = spawned(async move {
            let urls = urls();
            let tasks = futures::stream::iter(&urls).map(|url| async move { get(url).await });
            parallel_stream(tasks).await.into_result().unwrap()
        });
        assert_eq!(sizes, [1, 2, 3]);
    }

    #[test]
    fn both_streams_over_borrowed_items() {
        let sizes = spawned(async move {
            let urls = urls();
            let tasks = || urls.iter().map(|url| async move { get(url).await });
            let mut sum = 0;
            let mut as_finished = parallel(tasks()).on_progress(drop).into_stream();
            while let Some((_, size)) = as_finished.next().await {
                sum += size.unwrap();
            }
            let mut in_order = parallel(tasks()).into_ordered_stream();
            while let Some((_, size)) = in_order.next().await {
                sum += size.unwrap();
            }
            sum
        });
        assert_eq!(sizes, 12);
    }

    #[test]
    fn verbs_in_tuples() {
        let sizes = spawned(async move {
            let urls = urls();
            let tasks = || urls.iter().map(|url| get(url));
            let boxed: Vec<BoxFuture<'_, _>> = tasks().map(FutureExt::boxed).collect();
            let outer = gather((get(&urls[0]), gather((parallel(tasks()), join_all(boxed)))));
            let (first, (all, listed)) = outer.await;
            let each = sequential(tasks()).map_err(|error| error.into_error().unwrap());
            let (second, values) = try_gather((get(&urls[1]), each)).await.unwrap();
            let counts = [all.success_count(), listed.len(), values.len()];
            (first.unwrap(), second, counts)
        });
        assert_eq!(sizes, (1, 2, [3, 3, 3]));
    }

    #[test]
    fn consumers_that_borrow() {
        struct Sum(std::sync::atomic::AtomicUsize);
        impl Sum {
            async fn add(&self, size: &usize) -> Result<(), Error> {
                crate::support::yield_now().await;
                self.0.fetch_add(*size, std::sync::atomic::Ordering::SeqCst);
                Ok(())
            }
        }
        let sum = spawned(async move {
            let (urls, sum) = (urls(), Sum(0.into()));
            let tasks = || {
                let sized = urls
                    .iter()
                    .map(|url| async move { Ok::<_, Error>((url, get(url).await?)) });
                parallel(sized).concurrency(2).on_progress(drop)
            };
            // A closure that borrows, one that writes, and the values of tasks that borrow.
            let mut longest = "";
            let consumed = tasks().for_each(async |index, result| {
                let (url, size) = result.unwrap();
                assert_eq!(url, &urls[index]);
                sum.add(&size).await.unwrap();
            });
            assert_eq!(consumed.await.count, 3);
            let consumed = tasks().for_each(|_, result| {
                let (url, size) = result.unwrap();
                longest = if size > longest.len() { url } else { longest };
                let sum = &sum;
                async move { sum.add(&size).await.unwrap() }
            });
            assert_eq!(consumed.ordered().await.count, 3);
            assert_eq!(longest, "def");
            let consumed = tasks().try_for_each(async |_, result| sum.add(&result?.1).await);
            assert_eq!(consumed.await.unwrap().count, 3);
            let sized = futures::stream::iter(&urls).map(|url| async move { get(url).await });
            let consumed =
                parallel_stream(sized).try_for_each(async |_, result| sum.add(&result?).await);
            assert_eq!(consumed.ordered().await.unwrap().count, 3);
            sum.0.into_inner()
        });
        assert_eq!(sum, 4 * 6);
    }

    #[test]
    fn race_over_borrowed_items() {
        let won = spawned(async move {
            let urls = urls();
            let mut errors = 0;
            let won = race(urls.iter().map(|url| async move { get(url).await }))
                .on_error(|_, _| errors += 1)
                .await;
            (won.unwrap().value, errors)
        });
        assert_eq!(won, (1, 0));
    }

    #[test]
    fn race_of_a_tuple_that_borrows() {
        let won = spawned(async move {
            let urls = urls();
            let other = async { get(&urls[1]).await };
            race((get(&urls[0]), other)).await.unwrap().winner_index
        });
        assert_eq!(won, 0);
    }

    #[test]
    fn staggered_race_over_borrowed_items() {
        let won = spawned(async move {
            let urls = urls();
            let tasks = urls.iter().map(|url| async move { get(url).await });
            race(tasks)
                .stagger(Duration::ZERO, smol::Timer::after)
                .await
                .unwrap()
                .value
        });
        assert_eq!(won, 1);
    }

    #[test]
    fn fall_through_over_borrowed_items() {
        let won = spawned(async move {
            let urls = urls();
            fall_through(urls.iter().map(|url| async move { get(url).await }))
                .await
                .unwrap()
                .winner_index
        });
        assert_eq!(won, 0);
    }

    #[test]
    fn sequential_over_borrowed_items() {
        let sizes = spawned(async move {
            let urls = urls();
            sequential(urls.iter().map(|url| async move { get(url).await }))
                .await
                .unwrap()
        });
        assert_eq!(sizes, [1, 2, 3]);
    }

    #[test]
    fn batched_over_borrowed_items() {
        let sizes = spawned(async move {
            let urls = urls();
            let (mut batches, by) = (0, 2);
            let sizes = batched(&urls, |url| async move { get(url).await })
                .batch_size(by)
                .pause(Duration::ZERO, smol::Timer::after)
                .on_progress(|_| batches += 1)
                .await
                .unwrap();
            assert_eq!(batches, 2);
            let settled = batched(&urls, |url| get(url)).settle().await;
            assert!(settled.all_succeeded());
            sizes
        });
        assert_eq!(sizes, [1, 2, 3]);
    }

    #[test]
    fn a_shared_client_is_borrowed() {
        struct Client;
        impl Client {
            async fn get(&self, url: &str) -> Result<usize, Error> {
                get(url).await
            }
        }
        let sizes = spawned(async move {
            let (client, urls) = (Client, urls());
            let tasks = urls.iter().map(|url| client.get(url));
            let sizes = parallel(tasks).await.into_result().unwrap();
            let again = batched(&urls, |url| client.get(url)).await.unwrap();
            assert_eq!(sizes, again);
            sizes
        });
        assert_eq!(sizes, [1, 2, 3]);
    }

    #[test]
    fn verbs_nest() {
        let sizes = spawned(async move {
            let urls = urls();
            let tasks = urls.iter().map(|url| {
                let mirrors = [url, url];
                race(mirrors.map(|url| async move { get(url).await })).map_ok(|won| won.value)
            });
            parallel(tasks).await.into_successful_results()
        });
        assert_eq!(sizes, [1, 2, 3]);
    }
}

#[test]
fn futures_are_send_when_parts_are() {
    let tasks = || (0..3_u8).map(|n| async move { Ok::<_, Error>(n) });
    drop(is_send(parallel(tasks())));
    drop(is_send(
        parallel(tasks()).on_progress(drop).on_error(|_, _| ()),
    ));
    drop(is_send(parallel(tasks()).into_stream()));
    drop(is_send(parallel(tasks()).into_ordered_stream()));
    drop(is_send(parallel(tasks()).for_each(async |_, _| ())));
    drop(is_send(
        parallel(tasks()).try_for_each(async |_, result| result.map(drop)),
    ));
    drop(is_send(parallel_stream(futures::stream::iter(tasks()))));
    drop(is_send(race(tasks()).on_error(|_, _| ())));
    drop(is_send(
        race(tasks()).stagger(Duration::ZERO, smol::Timer::after),
    ));
    drop(is_send(fall_through(tasks())));
    drop(is_send(sequential(tasks())));
    let handler = |n: u8| async move { Ok::<_, Error>(n) };
    drop(is_send(batched(0..3, handler).on_progress(drop)));
    drop(is_send(
        batched(0..3, handler).pause(Duration::ZERO, smol::Timer::after),
    ));
    drop(is_send(batched(0..3, handler).settle()));
}

#[test]
fn futures_are_sync_when_parts_are() {
    // The blocks here are, as they hold nothing that is not.
    let tasks = || (0..3_u8).map(|n| async move { Ok::<_, Error>(n) });
    drop(is_sync(parallel(tasks()).on_progress(drop)));
    drop(is_sync(parallel(tasks()).into_stream()));
    drop(is_sync(parallel(tasks()).into_ordered_stream()));
    drop(is_sync(parallel(tasks()).for_each(async |_, _| ())));
    drop(is_sync(race(tasks())));
    drop(is_sync(sequential(tasks())));
    drop(is_sync(batched(
        0..3_u8,
        |n| async move { Ok::<_, Error>(n) },
    )));
}

#[test]
fn results_are_send_and_sync() {
    fn all<T: Send + Sync + Unpin + 'static>() {}
    all::<ParallelResult<u8, Error>>();
    all::<Outcome<u8, Error>>();
    all::<ParallelOptions>();
    all::<Progress>();
    all::<RaceResult<u8>>();
    all::<RaceError<std::io::Error>>();
    all::<TaskError<std::io::Error>>();
    all::<Failures<std::io::Error>>();

    fn error<T: std::error::Error + Send + Sync + 'static>() {}
    error::<RaceError<std::io::Error>>();
    error::<TaskError<std::io::Error>>();
    error::<Failures<std::io::Error>>();
}

#[test]
fn errors_pass_through_a_question_mark() {
    async fn run() -> Result<usize, Error> {
        let fails = || async { Err::<usize, _>(std::io::Error::other("no")) };
        let values = sequential([async { Ok::<_, std::io::Error>(1) }]).await?;
        let won = race([async { Ok::<_, std::io::Error>(2) }]).await?;
        assert_eq!((values[0], won.value), (1, 2));
        let lost = race([fails()]).await?;
        Ok(lost.value)
    }
    let error = smol::block_on(run()).unwrap_err();
    assert_eq!(error.to_string(), "task 0 failed");
    assert_eq!(error.source().unwrap().to_string(), "no");
}

#[test]
fn tasks_need_not_be_send() {
    let shared = Rc::new(std::cell::Cell::new(0));
    let task = |n: usize| {
        let shared = shared.clone();
        async move {
            crate::support::yield_now().await;
            shared.set(shared.get() + n);
            Ok::<_, Rc<str>>(Rc::new(n))
        }
    };
    let seen = Rc::new(std::cell::Cell::new(0));
    let executor = smol::LocalExecutor::new();
    smol::block_on(executor.run(executor.spawn(async {
        let run = parallel((0..10).map(task)).on_complete(|_, _| seen.set(seen.get() + 1));
        assert_eq!(run.await.success_count(), 10);
        assert_eq!(parallel((0..10).map(task)).into_stream().count().await, 10);
        assert_eq!(
            parallel((0..10).map(task))
                .into_ordered_stream()
                .count()
                .await,
            10
        );
        assert_eq!(sequential((0..10).map(task)).await.unwrap().len(), 10);
        assert_eq!(batched(0..10, task).await.unwrap().len(), 10);
        assert_eq!(*race((0..10).map(task)).await.unwrap().value, 0);
    })));
    assert_eq!((seen.get(), shared.get()), (10, 5 * 45));
}

#[test]
fn tasks_may_borrow_from_the_stack() {
    let words = ["a", "bc"].map(String::from);
    let result = smol::block_on(parallel(words.iter().map(|word| get(word))));
    assert!(result.into_result().unwrap().into_iter().eq([1, 2]));
    let mut counts = [0; 4];
    let each = |count: &mut i32| {
        *count += 1;
        let value = &*count;
        std::future::ready(Ok::<i32, ()>(*value))
    };
    assert_eq!(
        smol::block_on(sequential(counts.iter_mut().map(each))),
        Ok(vec![1; 4])
    );
    assert_eq!(counts, [1; 4]);
}

#[test]
fn tasks_may_outlive_their_iterator() {
    let text = String::from("one two three");
    let words = text
        .split(' ')
        .map(|word| async move { Ok::<&str, &str>(word) });
    let result = smol::block_on(parallel(words));
    assert!(result.successful_results().eq(&["one", "two", "three"]));
}

#[test]
fn boxed_tasks_of_unlike_types() {
    let tasks: Vec<BoxFuture<'_, Result<u8, Error>>> = vec![
        async { Ok(1) }.boxed(),
        std::future::ready(Ok(2)).boxed(),
        Box::pin(async {
            crate::support::yield_now().await;
            Ok(3)
        }),
    ];
    let values = spawned(async move { parallel(tasks).await.into_result() }).unwrap();
    assert_eq!(values, [1, 2, 3]);

    let local: Vec<LocalBoxFuture<'_, Result<u8, ()>>> = vec![async { Ok(1) }.boxed_local()];
    assert_eq!(smol::block_on(race(local)).unwrap().value, 1);
    type Dynamic = Pin<Box<dyn Future<Output = Result<u8, ()>>>>;
    let dynamic: [Dynamic; 1] = [Box::pin(async { Ok(1) })];
    assert_eq!(smol::block_on(sequential(dynamic)).unwrap(), [1]);
}

#[test]
fn verbs_are_boxed_and_returned() {
    fn all<'a>(urls: &'a [String]) -> BoxFuture<'a, ParallelResult<usize, Error>> {
        parallel(urls.iter().map(|url| get(url)))
            .concurrency(2)
            .boxed()
    }
    fn first(urls: &[String]) -> impl Future<Output = Result<RaceResult<usize>, RaceError<Error>>> {
        race(urls.iter().map(|url| get(url)))
    }
    fn sizes(urls: Vec<String>) -> impl Stream<Item = (usize, Result<usize, Error>)> + Send {
        let tasks = urls.into_iter().map(|url| async move { get(&url).await });
        parallel(tasks).into_ordered_stream()
    }
    let urls = urls();
    assert!(smol::block_on(all(&urls)).all_succeeded());
    assert_eq!(smol::block_on(first(&urls)).unwrap().value, 1);
    assert_eq!(smol::block_on(sizes(urls).count()), 3);
}

#[test]
fn verbs_run_in_async_trait_methods() {
    trait Fetch {
        fn fetch(&self, url: &str) -> impl Future<Output = Result<usize, Error>> + Send;

        fn fetch_all(&self, urls: &[String]) -> impl Future<Output = Vec<usize>> + Send
        where
            Self: Sync,
        {
            async move {
                let tasks = urls.iter().map(|url| self.fetch(url));
                parallel(tasks).await.into_successful_results()
            }
        }
    }
    struct Web;
    impl Fetch for Web {
        async fn fetch(&self, url: &str) -> Result<usize, Error> {
            get(url).await
        }
    }
    async fn generic<F: Fetch + Sync>(client: F, urls: Vec<String>) -> Vec<usize> {
        client.fetch_all(&urls).await
    }
    assert_eq!(spawned(generic(Web, urls())), [1, 2, 3]);
}

#[test]
fn verbs_are_unpin_with_unpin_sources() {
    // The tasks are not: they are pinned in boxes.
    let tasks = || (0..3).map(|n| async move { Ok::<_, ()>(n) });
    smol::block_on(async {
        let mut run = is_unpin(parallel(tasks()).on_progress(drop));
        assert_eq!((&mut run).await.len(), 3);
        let mut run = is_unpin(race(tasks()));
        assert!((&mut run).await.is_ok());
        let mut run = is_unpin(race(tasks()).stagger(Duration::ZERO, smol::Timer::after));
        assert!((&mut run).await.is_ok());
        let mut run = is_unpin(fall_through(tasks()));
        assert!((&mut run).await.is_ok());
        let mut run = is_unpin(sequential(tasks()));
        assert!((&mut run).await.is_ok());
        let mut run = is_unpin(batched(0..3, |n| async move { Ok::<_, ()>(n) }));
        assert!((&mut run).await.is_ok());
        let mut run = is_unpin(batched(0..3, |n| async move { Ok::<_, ()>(n) }).settle());
        assert_eq!((&mut run).await.len(), 3);
        assert_eq!(
            is_unpin(parallel(tasks()).into_stream()).next().await,
            Some((0, Ok(0)))
        );
        let mut ordered = is_unpin(parallel(tasks()).into_ordered_stream());
        assert_eq!(ordered.next().await, Some((0, Ok(0))));
        // A stream that is not `Unpin` is pinned where it is.
        let pages = pin!(futures::stream::unfold(0, |page| async move {
            (page < 3).then(|| (async move { Ok::<_, ()>(page) }, page + 1))
        }));
        assert_eq!(parallel_stream(pages).await.len(), 3);
    });
}

#[test]
fn runs_are_selected_on() {
    let tasks = (0..3_usize).map(|n| async move {
        crate::support::yield_times(5 * n).await;
        Ok::<_, ()>(n)
    });
    smol::block_on(async {
        let mut ticks = futures::stream::repeat(()).fuse();
        let mut run = parallel(tasks.clone()).concurrency(2);
        let mut ticked = 0;
        let result = loop {
            futures::select_biased! {
                result = run => break result,
                _ = ticks.next() => {
                    ticked += 1;
                    crate::support::yield_now().await;
                }
            }
        };
        assert!(result.all_succeeded() && ticked > 0);
        assert!(run.is_terminated());

        let mut stream = parallel(tasks.clone()).into_stream();
        let mut racing = race(tasks);
        let (mut values, mut winner) = (0, None);
        loop {
            futures::select! {
                item = stream.select_next_some() => values += item.1.unwrap(),
                won = racing => winner = Some(won.unwrap().winner_index),
                complete => break,
            }
        }
        assert_eq!((values, winner), (3, Some(0)));
        assert!(stream.is_terminated() && racing.is_terminated());
    });
}

#[test]
fn futures_report_termination() {
    fn resolves<F: FusedFuture + Unpin>(future: F) {
        assert!(!future.is_terminated());
        let mut run = Driver::new(future);
        let _ = run.finish();
        assert!(run.future.is_terminated());
    }
    let tasks = || (0..3).map(|n| async move { Ok::<_, ()>(n) });
    resolves(parallel(tasks()));
    resolves(race(tasks()));
    resolves(fall_through(tasks()));
    resolves(sequential(tasks()));
    resolves(batched(0..3, |n| async move { Ok::<_, ()>(n) }));
    resolves(batched(0..3, |n| async move { Ok::<_, ()>(n) }).settle());
}

#[test]
fn any_list_of_tasks_is_accepted() {
    async fn task(n: usize) -> Result<usize, ()> {
        Ok(n)
    }
    let sum = |result: ParallelResult<usize, ()>| result.into_successful_results().iter().sum();
    let sums: [usize; 6] = smol::block_on(async {
        [
            sum(parallel([task(1), task(2)]).await),
            sum(parallel(vec![task(1), task(2)]).await),
            sum(parallel(Some(task(3))).await),
            sum(parallel((1..=2).map(task)).await),
            sum(parallel(std::iter::once(task(1)).chain([task(2)])).await),
            sum(parallel(std::collections::VecDeque::from([task(1), task(2)])).await),
        ]
    });
    assert_eq!(sums, [3; 6]);
    // By reference, for those that are to be used afterwards.
    let mut iterator = (1..).map(task);
    let first = smol::block_on(parallel(iterator.by_ref().take(2)));
    assert_eq!(first.len(), 2);
    assert_eq!(smol::block_on(iterator.next().unwrap()), Ok(3));
}

#[test]
fn observers_need_not_be_send() {
    struct Log(Rc<std::cell::Cell<usize>>);
    impl<T, E> Observer<T, E> for Log {
        fn on_progress(&mut self, progress: Progress) {
            self.0.set(progress.completed);
        }
    }
    let seen = Rc::new(std::cell::Cell::new(0));
    let tasks = (0..3).map(|n| async move { Ok::<_, ()>(n) });
    smol::block_on(parallel(tasks).observe(Log(seen.clone())));
    assert_eq!(seen.get(), 3);
}

#[test]
fn debug_needs_no_bounds() {
    struct Plain;
    let tasks = || (0..2).map(|_| async { Ok::<_, Plain>(Plain) });
    let shown = [
        format!("{:?}", parallel(tasks()).on_progress(drop)),
        format!("{:?}", parallel(tasks()).into_stream()),
        format!("{:?}", parallel(tasks()).for_each(async |_, _| ())),
        format!("{:?}", race(tasks()).on_error(|_, _| ())),
        format!("{:?}", sequential(tasks()).on_progress(drop)),
        format!(
            "{:?}",
            is_static(batched(0..2, |_| async { Ok::<_, Plain>(Plain) }))
        ),
    ];
    let names = [
        "Parallel",
        "ParallelStream",
        "ForEach",
        "Race",
        "Sequential",
        "Batched",
    ];
    for (shown, name) in shown.iter().zip(names) {
        assert!(shown.starts_with(name), "{shown}");
    }
}

#[test]
fn timeouts_of_borrows_are_send() {
    // Whatever is spawned may have a verb over borrowing tasks in it, and that a timeout around it.
    let result = spawned(async {
        let urls = urls();
        let all = parallel(urls.iter().map(|url| get(url)));
        let never = |_| std::future::pending::<()>();
        timeout(Duration::from_secs(1), never, all).await.is_ok()
    });
    assert!(result);
}
