//! Errors in the hand of a caller: through `?` into any error type, in chains, and apart from the values.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::io;
#[cfg(panic = "unwind")]
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::support::{Board, Driver, returns};
use abreast::{
    BoxErrors, JobError, RaceError, TaskError, TaskGroupError, local_pool, parallel, race,
    sequential, task_group,
};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

type AnyError = Box<dyn Error + Send + Sync>;

fn block_on<F: Future>(future: F) -> F::Output {
    Driver::new(future).finish()
}

/// Returns a task that fails with what `error` returns, if it returns something.
async fn task<E>(error: impl Fn() -> Option<E>) -> Result<u8, E> {
    error().map_or(Ok(1), Err)
}

/// Passes each error of the crate through `?`, as `X`, and returns them all; or the number of runs that succeed.
fn question_marks<E, X>(error: impl Fn() -> Option<E> + Copy + 'static) -> (usize, Vec<X>)
where
    E: Into<AnyError> + 'static,
    X: From<TaskError<abreast::BoxError>>
        + From<RaceError<abreast::BoxError>>
        + From<TaskGroupError<abreast::BoxError>>
        + From<JobError<abreast::BoxError>>,
{
    let runs: [Result<(), X>; 5] = [
        block_on(async {
            let _ = sequential([task(error)]).await.boxed()?;
            Ok(())
        }),
        block_on(async {
            let _ = parallel([task(error)]).await.into_result().boxed()?;
            Ok(())
        }),
        block_on(async {
            let _ = race([task(error)]).await.boxed()?;
            Ok(())
        }),
        block_on(async {
            let _ = task_group(async |_| task(error).await).await.boxed()?;
            Ok(())
        }),
        block_on(async {
            let (pool, mut driver) = local_pool(1);
            let job = pool.execute(task(error)).expect("the pool is open");
            let _ = driver.run_until(job).await.boxed()?;
            Ok(())
        }),
    ];
    let total = runs.len();
    let errors: Vec<X> = runs.into_iter().filter_map(Result::err).collect();
    (total - errors.len(), errors)
}

/// An error with a source.
#[derive(Debug)]
struct Outer(io::Error);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("outer")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[cfg(feature = "operation")]
impl abreast::operation::Classify for Outer {}

fn outer() -> Option<Outer> {
    Some(Outer(io::Error::other("inner")))
}

/// Returns the messages of an error and of all behind it.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut chain = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        chain += &format!(": {error}");
        next = error.source();
    }
    chain
}

const WHAT: [&str; 5] = [
    "task 0 failed",
    "task 0 failed",
    "task 0 failed",
    "the body failed",
    "the job failed",
];

fn chains_of(cause: &str) -> Vec<String> {
    WHAT.map(|what| format!("{what}: {cause}")).to_vec()
}

#[test]
fn errors_have_sources() {
    use std::error::Error;
    let refused = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    let error = block_on(race([returns(Err::<(), _>(refused()))])).unwrap_err();
    assert!(error.source().unwrap().is::<std::io::Error>());
    let error = block_on(sequential([returns(Err::<(), _>(refused()))])).unwrap_err();
    assert!(error.source().unwrap().is::<std::io::Error>());
    assert_eq!(error.to_string(), "task 0 failed");
    assert!(RaceError::<std::io::Error>::NoTasks.source().is_none());
}

#[test]
fn boxed_errors_become_boxes() {
    let boxes = |errors: (usize, Vec<AnyError>)| -> Vec<String> {
        errors.1.iter().map(|error| chain(&**error)).collect()
    };
    assert_eq!(boxes(question_marks(outer)), chains_of("outer: inner"));
    assert_eq!(
        boxes(question_marks(|| Some("no".to_string()))),
        chains_of("no")
    );
    assert_eq!(boxes(question_marks(|| Some("no"))), chains_of("no"));
    let boxed = || outer().map(AnyError::from);
    assert_eq!(boxes(question_marks(boxed)), chains_of("outer: inner"));
    let any = || outer().map(anyhow::Error::from);
    assert_eq!(boxes(question_marks(any)), chains_of("outer: inner"));
}

#[test]
fn boxed_errors_become_anyhow() {
    let any = |errors: (usize, Vec<anyhow::Error>)| -> Vec<String> {
        // The alternate form of anyhow is the chain.
        errors.1.iter().map(|error| format!("{error:#}")).collect()
    };
    assert_eq!(any(question_marks(outer)), chains_of("outer: inner"));
    assert_eq!(any(question_marks(|| Some("no"))), chains_of("no"));
    let itself = || outer().map(anyhow::Error::from);
    assert_eq!(any(question_marks(itself)), chains_of("outer: inner"));
}

#[test]
fn infallible_tasks_box_nothing() {
    let (succeeded, errors) = question_marks::<Infallible, AnyError>(|| None);
    assert_eq!((succeeded, errors.len()), (5, 0));
}

#[test]
fn boxes_hide_no_type() {
    let (_, errors) = question_marks::<_, anyhow::Error>(outer);
    for error in errors {
        assert!(error.chain().any(<dyn Error>::is::<Outer>), "{error:?}");
        assert!(error.root_cause().is::<io::Error>(), "{error:?}");
    }
    let boxed = sequential([task(outer)]);
    let error = block_on(boxed).boxed().unwrap_err().into_error().unwrap();
    assert!(error.get_ref().is::<Outer>());
    assert!(error.into_inner().downcast::<Outer>().is_ok());
}

#[test]
fn chains_print_each_cause_once() {
    let failed = TaskError::Failed {
        index: 2,
        error: Outer(io::Error::other("inner")),
    };
    assert_eq!(chain(&failed), "task 2 failed: outer: inner");
    assert_eq!(format!("{failed:#}"), "task 2 failed: outer");
    let lost = block_on(race([task(outer), task(outer)])).unwrap_err();
    assert_eq!(
        chain(&lost),
        "all 2 tasks failed, task 1 last: outer: inner"
    );
    assert_eq!(
        format!("{lost:#}"),
        "all 2 tasks failed, task 1 last: outer"
    );
    let job = JobError::Failed(Outer(io::Error::other("inner")));
    assert_eq!(chain(&job), "the job failed: outer: inner");
    assert_eq!(format!("{job:#}"), "the job failed: outer");
    // Anyhow has no source of its own to print.
    let any = TaskError::Failed {
        index: 2,
        error: anyhow::Error::from(outer().unwrap()),
    };
    assert_eq!(format!("{any}"), "task 2 failed");
    assert_eq!(format!("{any:#}"), "task 2 failed: outer: inner");
}

#[cfg(feature = "operation")]
#[test]
fn operations_have_boxed_failures() {
    use abreast::operation::Operation;
    use futures::stream;

    let failing = || stream::iter(vec![Ok("token"), Err(outer().unwrap())]);
    let run = Operation::new(failing).fallback(failing).run();
    let failure = block_on(run).boxed().unwrap_err();
    assert_eq!(chain(&failure), "outer: inner");
    assert_eq!(
        (failure.state.content.as_str(), failure.earlier.len()),
        ("token", 1)
    );

    async fn ask() -> anyhow::Result<String> {
        let tokens = || stream::iter([Ok("token"), Err("no")]);
        Ok(Operation::new(tokens).run().await.boxed()?.content)
    }
    assert_eq!(block_on(ask()).unwrap_err().to_string(), "no");
}

#[test]
fn values_come_without_indices() {
    async fn read(n: u8) -> io::Result<u8> {
        if n > 1 {
            return Err(io::Error::other(format!("no {n}")));
        }
        Ok(n)
    }
    async fn read_all(numbers: &[u8]) -> io::Result<Vec<u8>> {
        parallel(numbers.iter().map(|n| read(*n)))
            .await
            .into_values()
    }
    assert_eq!(block_on(read_all(&[1, 0, 1])).unwrap(), [1, 0, 1]);
    let error = block_on(read_all(&[1, 3, 2])).unwrap_err();
    assert_eq!(error.to_string(), "no 3");
}

#[cfg(panic = "unwind")]
#[test]
fn panicked_tasks_have_no_value() {
    let mut run = Driver::new(parallel((0..3).map(|n| async move {
        assert!(n != 1, "a task panics");
        Ok::<_, ()>(n)
    })));
    assert!(catch_unwind(AssertUnwindSafe(|| run.poll())).is_err());
    let result = run.finish();
    let panic = catch_unwind(AssertUnwindSafe(|| result.into_values())).unwrap_err();
    assert_eq!(
        panic.downcast_ref::<String>().unwrap(),
        "task 1 has panicked, so it has no value"
    );
}

#[test]
fn both_sides_are_owned_lists() {
    let result = || {
        let board = Board::new(4);
        for (index, end) in [(0, Ok(10)), (1, Err("no")), (2, Ok(30)), (3, Err("never"))] {
            board.end(index, end);
        }
        block_on(parallel(board.tasks()))
    };
    let values: Vec<_> = result().into_results().collect();
    assert_eq!(values, [Some(10), None, Some(30), None]);
    let errors: Vec<_> = result().into_errors().collect();
    assert_eq!(errors, [None, Some("no"), None, Some("never")]);
    let (values, errors) = result().partition();
    assert_eq!(values, [(0, 10), (2, 30)]);
    assert_eq!(errors, [(1, "no"), (3, "never")]);
}

#[test]
fn lists_know_the_never_started() {
    let tasks = (0..usize::MAX).map(|n| async move { if n == 1 { Err("no") } else { Ok(n) } });
    let result = || block_on(parallel(tasks.clone()).concurrency(1).fail_fast(true));
    assert_eq!(result().into_results().len(), usize::MAX);
    assert_eq!(result().into_results().next_back(), Some(None));
    let (values, errors) = result().partition();
    assert_eq!((values, errors), (vec![(0, 0)], vec![(1, "no")]));
}
