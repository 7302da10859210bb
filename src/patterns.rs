//! The patterns of concurrent tasks, and which verb each of them is. There is nothing in here but this page.
//!
//! # When to use which
//! | pattern | use it for | here |
//! |---|---|---|
//! | [Gather](#gather) | independent tasks, partial success is fine | [`gather`], [`join_all`] |
//! | Gather, all or nothing | tasks that are of no use without each other | [`try_gather`] |
//! | [Task group](#task-group) | tasks that depend on or start others, all or nothing | [`task_group`] |
//! | [Limit](#fan-out-with-a-limit) | many tasks, concurrency under control | [`parallel()`], [`parallel_stream`] with [`paginate`] |
//! | Items with keys | a few at a time of each host, by size or by cost | [`parallel_map`](crate::parallel_map) |
//! | [Chunks](#chunks) | rate-limited services, work in bursts | [`batched()`], with a [pause](crate::Batched::pause) |
//! | [First completed](#first-completed) | redundant services, the fastest wins | [`race()`], [staggered](crate::Race::stagger), by a [learned](crate::Hedge) delay |
//! | [Fall through](#from-the-cheapest-to-the-fastest) | redundant services, the cheapest that works | [`fall_through`] |
//! | [Timeouts](#a-timeout-for-each-task) | whatever may hang | [`timeout`] |
//! | Retry | whatever fails for a while | [`retry()`](crate::retry()), with a [`Budget`](crate::Budget) |
//! | Pool | jobs that come one by one, from many places | [`pool()`](crate::pool()) |
//! | One after another | steps that need each other | [`sequential()`] |
//!
//! What each of them does with an error, and in which order results come, is in the [table of all verbs](crate).
//!
//! # Gather
//! A fixed set of tasks, of any types. All of them run, and what failed is told apart from what did not.
//!
//! ```
//! use abreast::gather;
//! # async fn health() -> Result<&'static str, String> { Ok("healthy") }
//! # async fn classes(limit: usize) -> Result<Vec<usize>, String> { Ok(vec![0; limit]) }
//! # async fn deployments(_: usize) -> Result<Vec<usize>, String> { Err("503".into()) }
//!
//! # smol::block_on(async {
//! let mut errors = Vec::new();
//! let (health, classes, deployments) = gather((health(), classes(100), deployments(5))).await;
//!
//! let status = health.unwrap_or("unknown");
//! let class_count = classes.map_or(0, |classes| classes.len());
//! if let Err(error) = deployments {
//!     errors.push(format!("failed to fetch deployments: {error}"));
//! }
//! # assert_eq!((status, class_count), ("healthy", 100));
//! # assert_eq!(errors, ["failed to fetch deployments: 503"]);
//! # });
//! ```
//!
//! A race takes a tuple, too. For verbs that take a list, tasks of different types go into one by `boxed`:
//!
//! ```
//! use abreast::{race, sequential};
//! use futures::FutureExt;
//! # async fn cache() -> Result<u32, String> { Err("not there".into()) }
//! # async fn database() -> Result<u32, String> { Ok(7) }
//!
//! # smol::block_on(async {
//! let found = race((cache(), database())).await.unwrap();
//! assert_eq!((found.value, found.winner_index), (7, 1));
//!
//! let values = sequential([database().boxed(), async { Ok(8) }.boxed()]).await.unwrap();
//! assert_eq!(values, [7, 8]);
//! # });
//! ```
//!
//! # Task group
//! A scope whose tasks end with it. They may borrow from outside and write to it; the first failure drops the others.
//!
//! ```
//! use abreast::task_group;
//! # async fn health() -> Result<&'static str, String> { Ok("healthy") }
//! # async fn deployments(_: usize) -> Result<Vec<usize>, String> { Err("503".into()) }
//!
//! #[derive(Default)]
//! struct Dashboard {
//!     status: &'static str,
//!     deployments: Vec<usize>,
//! }
//!
//! # smol::block_on(async {
//! let mut data = Dashboard::default();
//! let result = task_group(async |group| {
//!     group.spawn(async {
//!         data.status = health().await?;
//!         Ok::<_, String>(())
//!     });
//!     group.spawn(async {
//!         data.deployments = deployments(5).await?;
//!         Ok::<_, String>(())
//!     });
//!     Ok(())
//! })
//! .await;
//!
//! if let Err(failed) = result {
//!     for (origin, error) in failed {
//!         println!("{origin}: {error}"); // task 1: 503
//!     }
//! }
//! # assert_eq!(data.status, "healthy");
//! # });
//! ```
//!
//! # Fan out with a limit
//! A list of any length, of which a limited number are worked on at a time. There is no semaphore to be acquired: what
//! cannot run yet has not been created.
//!
//! ```
//! use abreast::parallel;
//! # async fn fetch(n: usize) -> Result<usize, String> { Ok(n) }
//!
//! # smol::block_on(async {
//! let result = parallel((0..100).map(fetch)).concurrency(20).await;
//! assert_eq!(result.success_count(), 100);
//! # });
//! ```
//!
//! When the list itself comes by pages, items are processed while the next page loads, and a page that cannot be
//! fetched is one more task that fails:
//!
//! ```
//! use abreast::{paginate, parallel_stream};
//! use futures::StreamExt;
//! # async fn list(limit: usize, offset: usize) -> Result<Vec<usize>, String> {
//! #     Ok((0..250).skip(offset).take(limit).collect())
//! # }
//! # async fn process(item: usize) -> Result<usize, String> { Ok(item) }
//!
//! # smol::block_on(async {
//! let items = paginate(|limit, offset| list(limit, offset));
//! let result = parallel_stream(items.map(|item| async move { process(item?).await }))
//!     .concurrency(20)
//!     .await;
//! assert_eq!(result.success_count(), 250);
//! # });
//! ```
//!
//! # Chunks
//! Bursts of a fixed size, with a pause between them, but not after the last.
//!
//! ```
//! use std::time::Duration;
//! use abreast::batched;
//! # async fn get(id: usize) -> Result<usize, String> { if id == 4 { Err("404".into()) } else { Ok(id) } }
//!
//! # smol::block_on(async {
//! let result = batched([1, 2, 3, 4, 5], get)
//!     .batch_size(2)
//!     .pause(Duration::from_millis(1), smol::Timer::after)
//!     .settle()
//!     .await;
//! assert_eq!((result.success_count(), result.failure_count()), (4, 1));
//! # });
//! ```
//!
//! # First completed
//! Redundant services are asked at once, the first success is the result, and the others are dropped, which cancels
//! them. One that fails does not end the race.
//!
//! ```
//! use abreast::race;
//! # async fn health(replica: &str) -> Result<String, String> {
//! #     if replica == "dead" { Err("refused".into()) } else { Ok(format!("{replica} is healthy")) }
//! # }
//!
//! # smol::block_on(async {
//! let winner = race(["dead", "quick", "slow"].map(health)).await.unwrap();
//! assert_eq!((winner.value.as_str(), winner.winner_index), ("quick is healthy", 1));
//! # });
//! ```
//!
//! # From the cheapest to the fastest
//! What differs is the delay before the next is asked although the last one has not failed: infinite in a fall-through,
//! some in a staggered race, none in a race. See [`race()`] for a comparison.
//!
//! Three models that answer after 500, 200 and 300 ms. A request that is dropped is drawn as `---`:
//!
//! ```text
//!                        0     100   200   300   400   500 ms
//! fall_through     large |=============================|   wins
//! stagger, 200 ms  large |-----------------------|
//!                  small             |===========|         wins
//! race             large |-----------|
//!                  small |===========|                     wins
//!                  tiny  |-----------|
//! ```
//!
//! The same, when the first fails after 100 ms: nothing waits for the delay then.
//!
//! ```text
//!                        0     100   200   300   400   500 ms
//! fall_through     large |=====x
//!                  small       |===========|               wins
//! stagger, 200 ms  large |=====x
//!                  small       |===========|               wins
//! race             large |=====x
//!                  small |===========|                     wins
//!                  tiny  |-----------|
//! ```
//!
//! ```
//! use std::time::Duration;
//! use abreast::{fall_through, race};
//! # async fn ask(model: &str) -> Result<String, String> {
//! #     if model == "large" { Err("overloaded".into()) } else { Ok(model.into()) }
//! # }
//!
//! # smol::block_on(async {
//! let models = ["large", "small", "tiny"];
//! let delay = Duration::from_millis(200);
//! let cheapest = fall_through(models.into_iter().map(ask)).await.unwrap();
//! let between = race(models.into_iter().map(ask)).stagger(delay, smol::Timer::after).await.unwrap();
//! let fastest = race(models.into_iter().map(ask)).await.unwrap();
//! # assert_eq!([cheapest.value, between.value, fastest.value], ["small", "small", "small"]);
//! # });
//! ```
//!
//! # A timeout for each task
//! Each task has a time of its own, and a default where one will do.
//!
//! ```
//! use std::time::Duration;
//! use abreast::{gather, timeout};
//! # async fn health() -> &'static str { std::future::pending().await }
//! # async fn classes() -> Vec<usize> { vec![0; 100] }
//!
//! # smol::block_on(async {
//! let limit = Duration::from_millis(10);
//! let (health, classes) = gather((
//!     timeout(limit, smol::Timer::after, health()).or("unknown"),
//!     timeout(limit, smol::Timer::after, classes()).or(vec![]),
//! ))
//! .await;
//! assert_eq!((health, classes.len()), ("unknown", 100));
//! # });
//! ```
//!
//! # What looks on, and what stops
//! Hooks are closures: `.on_start(..)`, `.on_complete(..)`, `.on_error(..)` and `.on_progress(..)`. With
//! [`.observe(&mut times)`](crate::Parallel::observe), [`TaskTimes`](crate::TaskTimes) has the time that each task has
//! waited and run. `.stop_on(signal)` and `.deadline(duration, timer)` end a run, keep what is done by then, and say
//! [why](crate::EndReason) it ended.
//!
//! | verb | hooks | times | `.stop_on`, `.deadline` | what else to use |
//! |---|---|---|---|---|
//! | [`parallel()`], [`parallel_stream`], [`parallel_map`](crate::parallel_map) | all | yes | yes | |
//! | `.into_stream()`, `.for_each()` of these | all, set before | yes, set before | no: the outcomes are handed over already | `take_until` around the stream; an error of the consumer of [`try_for_each`](crate::Parallel::try_for_each) |
//! | [`sequential()`], [`batched()`] | all | yes | yes; they then resolve to a [`ParallelResult`](crate::ParallelResult) | |
//! | [`batched().settle()`](crate::Batched::settle) | all | yes | yes | |
//! | [`join_all`] | all but `.on_error(..)` | yes | yes; it then resolves to a [`ParallelResult`](crate::ParallelResult) | |
//! | [`race()`], [staggered](crate::Race::stagger) and [quorums](crate::Race::quorum), [`fall_through`] | all but `.on_progress(..)` | yes; none of losers that are dropped | no: there is one value, or none | a [`timeout`] around it |
//! | [`gather`], [`try_gather`] | none: each future is written where it is gathered | no | no: all outputs are there, or none | a [`timeout`] around each future; [`join_all`] |
//! | [`task_group`] | none: each task is spawned by code that can note it | no | yes; it then resolves to a [`TaskGroupResult`](crate::TaskGroupResult) | a span for each task, by `Trace` |
//! | [`retry()`](crate::retry()) | [`on_retry`](crate::RetryFuture::on_retry) | no: each attempt is a call of a closure | [`total_time`](crate::RetryFuture::total_time) | |
//! | [`paginate`] | none: each page is a call of a closure | no | no: the items are handed over already | `take_until` around the stream |
//! | [`pool()`](crate::pool()) | [`on_event`](crate::PoolBuilder::on_event) | [`measure_times`](crate::PoolBuilder::measure_times) | yes, on [drains](crate::pool::Drain::stop_on) and [shutdowns](crate::pool::Shutdown::stop_on); [`within`](crate::pool::Shutdown::within) is a deadline | |
//!
//! ```
//! use std::time::Duration;
//! use abreast::{EndReason, TaskTimes, sequential};
//! # async fn apply(step: &str) -> Result<&str, String> {
//! #     if step == "index" { std::future::pending().await } else { Ok(step) }
//! # }
//!
//! # smol::block_on(async {
//! let mut times = TaskTimes::new(smol::Timer::after);
//! let result = sequential(["create", "fill", "index", "check"].map(apply))
//!     .observe(&mut times)
//!     .deadline(Duration::from_millis(5), smol::Timer::after)
//!     .await;
//! assert_eq!(result.end_reason(), EndReason::DeadlineElapsed);
//! assert_eq!(result.success_count(), 2);
//! assert!(times.get(1).unwrap().run_time.is_some());
//! assert_eq!(times.get(2).unwrap().run_time, None); // dropped while it ran
//! # });
//! ```
//!
//! # Best practices
//! 1. **Return errors where partial success is acceptable.** [`gather`], [`join_all`], [`parallel()`] and
//!    [`batched().settle()`](crate::Batched::settle) do nothing else; ask for [`try_gather`] or
//!    [`fail_fast`](crate::Parallel::fail_fast) where it is not.
//! 2. **Limit concurrency**, so as not to overwhelm services: [`parallel()`] runs 5 at a time until told otherwise, and
//!    [`batched()`] 10. Only [`gather`], [`join_all`], [`race()`] and [`task_group`] run all at once, and all but a
//!    race and a fixed set take a [limit](crate::TaskGroup::concurrency).
//! 3. **Set timeouts on individual tasks**, as [above](#a-timeout-for-each-task): one that hangs must not hold up
//!    the others. A [`timeout`] around all of them is a last resort, for it throws away what was done.
//! 4. **Cancel what is pending when the first has completed.** A [`race()`] has dropped its losers when it resolves. To
//!    cancel anything else, drop it.
//! 5. **Consider a task group** where tasks start others, so that none outlives its scope: [`task_group`].
//!
//! And one more, for tests: **do not wait.** With the feature `test-util`, a `VirtualClock` in [`time`](crate::time) is
//! the timer, and hours pass at once:
//!
#![cfg_attr(feature = "test-util", doc = "```")]
#![cfg_attr(not(feature = "test-util"), doc = "```ignore")]
//! use std::{future::pending, time::Duration};
//! use abreast::{time::VirtualClock, timeout};
//!
//! let clock = VirtualClock::new();
//! let hour = Duration::from_secs(3600);
//! assert!(clock.run(timeout(hour, clock.timer(), pending::<()>())).is_err());
//! assert_eq!(clock.now(), hour);
//! ```

#[expect(unused_imports, reason = "the links of the page name them")]
use crate::{
    batched, fall_through, gather, join_all, paginate, parallel, parallel_stream, race, sequential,
    task_group, timeout, try_gather,
};
