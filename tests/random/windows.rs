//! Random programs against a simple model of what they do.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::task::Poll;

use crate::support::{Board, Driver};
use abreast::{Outcome, Progress, RaceError, TaskError, batched, parallel, parallel_stream, race};
use futures::StreamExt;
use proptest::collection::vec;
use proptest::prelude::*;

/// How a task goes: what it returns, and whether it does so on its first poll.
#[derive(Clone, Copy, Debug)]
struct Plan {
    ready: bool,
    fails: bool,
}

impl Plan {
    fn result(self, index: usize) -> Result<usize, &'static str> {
        if self.fails { Err("no") } else { Ok(index) }
    }
}

/// What happens to the tasks between two polls. Each picks one that runs, except for the last.
#[derive(Clone, Debug)]
enum Step {
    End(usize),
    Wake(usize),
    /// The run is polled for no reason.
    Poll,
    /// A task that has ended is woken, and with it whoever is in its slot now.
    WakeStale(usize),
}

fn plans(failing: u32) -> impl Strategy<Value = Vec<Plan>> {
    let plan = (prop::bool::weighted(0.3), 0_u32..100).prop_map(move |(ready, luck)| Plan {
        ready,
        fails: luck < failing,
    });
    prop_oneof![vec(plan.clone(), 0..12), vec(plan, 0..150)]
}

fn windows() -> impl Strategy<Value = usize> {
    prop_oneof![
        1_usize..8,
        prop::sample::select(vec![28, 29, 30, 31, 32, 64, 93, 94, 95, 1_000, usize::MAX]),
    ]
}

/// Groups of steps, each followed by a poll.
fn programs() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let step = prop_oneof![
        6 => any::<usize>().prop_map(Step::End),
        3 => any::<usize>().prop_map(Step::Wake),
        1 => Just(Step::Poll),
        1 => any::<usize>().prop_map(Step::WakeStale),
    ];
    vec(vec(step, 0..12), 0..60)
}

/// When the next task starts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    /// While fewer than so many run.
    Rolling(usize),
    /// While fewer than so many are started and not handed over.
    Ordered(usize),
    /// When all of so many have ended.
    Batches(usize),
}

/// A run as it should be, without anything that it is made of.
struct Model {
    rule: Rule,
    plans: Vec<Plan>,
    created: usize,
    running: BTreeSet<usize>,
    /// Those that run, and return when they are polled next.
    due: BTreeSet<usize>,
    woken: BTreeSet<usize>,
    polls: Vec<usize>,
    stale_wakes: usize,
}

impl Model {
    fn new(rule: Rule, plans: Vec<Plan>) -> Self {
        Self {
            rule,
            polls: vec![0; plans.len()],
            plans,
            created: 0,
            running: BTreeSet::new(),
            due: BTreeSet::new(),
            woken: BTreeSet::new(),
            stale_wakes: 0,
        }
    }

    fn has_capacity(&self) -> bool {
        let left = self.created < self.plans.len();
        left && match self.rule {
            Rule::Rolling(limit) => self.running.len() < limit,
            Rule::Ordered(limit) => {
                let delivered = self.running.first().map_or(self.created, |&head| head);
                self.created - delivered < limit
            }
            Rule::Batches(size) => self.running.is_empty() || self.created % size != 0,
        }
    }

    /// Drives the run until nothing moves.
    fn settle(&mut self) {
        for index in std::mem::take(&mut self.woken) {
            self.polls[index] += 1;
        }
        for index in std::mem::take(&mut self.due) {
            self.running.remove(&index);
        }
        while self.has_capacity() {
            let index = self.created;
            self.created += 1;
            self.polls[index] += 1;
            if !self.plans[index].ready {
                self.running.insert(index);
            }
        }
    }

    fn is_done(&self) -> bool {
        self.created == self.plans.len() && self.running.is_empty()
    }

    fn completed(&self) -> usize {
        self.created - self.running.len()
    }

    /// Takes a step on the board, and notes it.
    fn step(&mut self, board: &Board, step: &Step) {
        let running: Vec<_> = self.running.iter().copied().collect();
        let pick = |of: &[usize], choice: usize| of.get(choice % of.len().max(1)).copied();
        match *step {
            Step::End(choice) => {
                if let Some(index) = pick(&running, choice) {
                    if self.due.insert(index) {
                        board.end(index, self.plans[index].result(index));
                        self.woken.insert(index);
                    }
                }
            }
            Step::Wake(choice) => {
                if let Some(index) = pick(&running, choice) {
                    board.wake(index);
                    self.woken.insert(index);
                }
            }
            Step::WakeStale(choice) => {
                let ended: Vec<_> = (0..self.created)
                    .filter(|index| !self.running.contains(index) && !self.plans[*index].ready)
                    .collect();
                if let Some(index) = pick(&ended, choice) {
                    board.wake(index);
                    self.stale_wakes += 1;
                }
            }
            Step::Poll => {}
        }
    }

    /// Asserts that the board looks as it should when the run sleeps.
    fn check(&self, board: &Board) {
        assert_eq!(board.created(), self.created, "tasks were pulled");
        assert_eq!(board.alive(), self.running.len(), "tasks exist");
        let extra = board.total_polls() - self.polls.iter().sum::<usize>();
        assert!(extra <= self.stale_wakes, "{extra} polls without a wake");
        for (index, &polls) in self.polls.iter().enumerate() {
            assert!(
                board.polls(index) >= polls,
                "a wake of task {index} was lost"
            );
        }
    }
}

/// Returns a board on which all that are ready at once have their result.
fn board_of(plans: &[Plan]) -> Board {
    let board = Board::new(plans.len());
    for (index, plan) in plans.iter().enumerate().filter(|(_, plan)| plan.ready) {
        board.end(index, plan.result(index));
    }
    board
}

/// Runs the program, and ends what is left after it. `drive` is called for each poll.
fn execute<R>(
    model: &mut Model,
    board: &Board,
    program: &[Vec<Step>],
    mut drive: impl FnMut(&Model) -> Option<R>,
) -> R {
    let rest = std::iter::repeat_with(|| vec![Step::End(0), Step::End(1)]);
    let start = std::iter::once(vec![]);
    let limit = model.plans.len() + program.len() + 2;
    for steps in start.chain(program.iter().cloned()).chain(rest).take(limit) {
        for step in &steps {
            model.step(board, step);
        }
        model.settle();
        if let Some(result) = drive(model) {
            return result;
        }
        model.check(board);
    }
    panic!("the run hangs");
}

fn drive<F: Future>(run: &mut Driver<F>, model: &Model) -> Option<F::Output> {
    match run.run() {
        Poll::Ready(output) => {
            assert!(model.is_done(), "it resolved before its tasks have ended");
            Some(output)
        }
        Poll::Pending => {
            assert!(!model.is_done(), "it does not resolve");
            None
        }
    }
}

fn outcome(plan: Plan, index: usize) -> Outcome<usize, &'static str> {
    Outcome::from(plan.result(index))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn parallel_does_as_the_model(
        plans in plans(25),
        window in windows(),
        program in programs(),
        as_stream: bool,
    ) {
        let board = board_of(&plans);
        let mut model = Model::new(Rule::Rolling(window), plans.clone());
        let progress = RefCell::new(Vec::new());
        let note = |seen: Progress| progress.borrow_mut().push(seen);
        let result = if as_stream {
            let tasks = futures::stream::iter(board.tasks());
            let run = parallel_stream(tasks).concurrency(window).on_progress(note);
            let mut run = Driver::new(run);
            execute(&mut model, &board, &program, |model| {
                let result = drive(&mut run, model);
                assert_eq!(progress.borrow().len(), model.completed());
                result
            })
        } else {
            let mut run = Driver::new(parallel(board.tasks()).concurrency(window).on_progress(note));
            execute(&mut model, &board, &program, |model| {
                let result = drive(&mut run, model);
                assert_eq!(progress.borrow().len(), model.completed());
                result
            })
        };
        let expected = plans.iter().enumerate().map(|(index, &plan)| outcome(plan, index));
        prop_assert!(result.into_iter().eq(expected));
        let total = Some(plans.len());
        let all = (1..=plans.len()).map(|completed| Progress::new(completed, total));
        prop_assert!(progress.into_inner().into_iter().eq(all));
        prop_assert_eq!((board.created(), board.dropped()), (plans.len(), plans.len()));
        prop_assert!(model.stale_wakes > 0 || board.total_polls() == model.polls.iter().sum::<usize>());
    }

    #[test]
    fn fail_fast_ends_at_first_failure(
        plans in plans(5),
        window in windows(),
        program in programs(),
    ) {
        let board = board_of(&plans);
        let mut model = Model::new(Rule::Rolling(window), plans.clone());
        let mut run = Driver::new(parallel(board.tasks()).concurrency(window).fail_fast(true));
        let mut before = 0;
        let result = execute(&mut model, &board, &program, |model| {
            let failed = (0..model.created)
                .any(|index| plans[index].fails && !model.running.contains(&index));
            match run.run() {
                Poll::Ready(result) => {
                    assert!(failed || model.is_done(), "it resolved without a reason");
                    Some(result)
                }
                Poll::Pending => {
                    assert!(!failed, "a failure did not end it");
                    before = board.dropped();
                    None
                }
            }
        });
        prop_assert_eq!(board.alive(), 0);
        prop_assert_eq!(result.len(), plans.len());
        prop_assert!(result.failure_count() <= 1);
        prop_assert!(result.success_count() >= before, "a success before the failure is lost");
        prop_assert_eq!(result.all_succeeded(), plans.iter().all(|plan| !plan.fails));
        for (index, seen) in result.into_iter().enumerate() {
            prop_assert!(seen.is_cancelled() || seen == outcome(plans[index], index));
        }
    }

    #[test]
    fn streams_follow_the_order_of_ending(
        plans in plans(25),
        window in windows(),
        program in programs(),
    ) {
        let board = board_of(&plans);
        let mut model = Model::new(Rule::Rolling(window), plans.clone());
        let ended = RefCell::new(Vec::new());
        let mut stream = parallel(board.tasks())
            .concurrency(window)
            .on_complete(|_, index| ended.borrow_mut().push(index))
            .on_error(|_, index| ended.borrow_mut().push(index))
            .into_stream();
        let mut next = Driver::new(poll_fn(|cx| stream.poll_next_unpin(cx)));
        let mut handed_over = Vec::new();
        execute(&mut model, &board, &program, |model| loop {
            match next.run() {
                Poll::Ready(Some((index, result))) => {
                    assert_eq!(result, plans[index].result(index));
                    handed_over.push(index);
                }
                Poll::Ready(None) => {
                    assert!(model.is_done());
                    return Some(());
                }
                Poll::Pending => {
                    assert_eq!(handed_over.len(), model.completed());
                    return None;
                }
            }
        });
        drop(next);
        prop_assert_eq!(&handed_over, &*ended.borrow());
        prop_assert_eq!(handed_over.into_iter().collect::<BTreeSet<_>>().len(), plans.len());
    }

    #[test]
    fn ordered_streams_hold_back_a_window(
        plans in plans(25),
        window in windows(),
        program in programs(),
    ) {
        let board = board_of(&plans);
        let mut model = Model::new(Rule::Ordered(window), plans.clone());
        let mut stream = parallel(board.tasks()).concurrency(window).into_ordered_stream();
        let mut next = Driver::new(poll_fn(|cx| stream.poll_next_unpin(cx)));
        let mut handed_over = 0;
        execute(&mut model, &board, &program, |model| loop {
            match next.run() {
                Poll::Ready(Some(item)) => {
                    assert_eq!(item, (handed_over, plans[handed_over].result(handed_over)));
                    handed_over += 1;
                    assert!(board.created() - handed_over <= window);
                }
                Poll::Ready(None) => {
                    assert!(model.is_done());
                    return Some(());
                }
                Poll::Pending => {
                    let head = model.running.first().copied().unwrap_or(model.created);
                    assert_eq!(handed_over, head);
                    return None;
                }
            }
        });
        prop_assert_eq!(handed_over, plans.len());
    }

    #[test]
    fn ties_go_to_the_lowest_index(
        plans in plans(92),
        program in programs(),
    ) {
        let board = board_of(&plans);
        let mut model = Model::new(Rule::Rolling(usize::MAX), plans.clone());
        let mut run = Driver::new(race(board.tasks()));
        let mut errors = Vec::new();
        let mut ended_before = BTreeSet::new();
        let (result, winner) = execute(&mut model, &board, &program, |model| {
            let ended = (0..model.created).filter(|index| !model.running.contains(index));
            let ended: BTreeSet<_> = ended.collect();
            let now: Vec<_> = ended.difference(&ended_before).copied().collect();
            let winner = now.iter().copied().find(|&index| !plans[index].fails);
            errors.extend(now.into_iter().map(|index| (index, "no")));
            ended_before = ended;
            match run.run() {
                Poll::Ready(result) => {
                    assert!(winner.is_some() || model.is_done());
                    Some((result, winner))
                }
                Poll::Pending => {
                    assert!(winner.is_none() && !model.is_done());
                    None
                }
            }
        });
        prop_assert_eq!(board.alive(), 0);
        match result {
            Ok(won) => prop_assert_eq!((Some(won.winner_index), won.value), (winner, won.winner_index)),
            Err(RaceError::NoTasks) => prop_assert!(plans.is_empty()),
            Err(RaceError::AllFailed(failures)) => {
                prop_assert!(winner.is_none());
                prop_assert_eq!(failures.into_iter().collect::<Vec<_>>(), errors);
            }
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn batches_follow_each_other(
        plans in plans(25),
        size in windows(),
        program in programs(),
    ) {
        let board = board_of(&plans);
        let mut model = Model::new(Rule::Batches(size), plans.clone());
        let progress = RefCell::new(Vec::new());
        let (handled, items) = (board.clone(), plans.len());
        let run = batched(0..items, move |index| handled.task(index))
            .batch_size(size)
            .on_progress(|seen| progress.borrow_mut().push(seen.completed))
            .settle();
        let mut run = Driver::new(run);
        let result = execute(&mut model, &board, &program, |model| drive(&mut run, model));
        drop(run);
        let expected = plans.iter().enumerate().map(|(index, &plan)| outcome(plan, index));
        prop_assert!(result.into_iter().eq(expected));
        let full = (1..=items / size).map(|batch| batch * size);
        let rest = (items % size > 0).then_some(items);
        prop_assert!(progress.into_inner().into_iter().eq(full.chain(rest)));
    }

    #[test]
    fn batches_end_at_the_first_failure(
        plans in plans(5),
        size in windows(),
        program in programs(),
    ) {
        let board = board_of(&plans);
        let mut model = Model::new(Rule::Batches(size), plans.clone());
        let handled = board.clone();
        let run = batched(0..plans.len(), move |index| handled.task(index)).batch_size(size);
        let mut run = Driver::new(run);
        let result = execute(&mut model, &board, &program, |_| match run.run() {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        });
        prop_assert_eq!(board.alive(), 0);
        match result {
            Ok(values) => {
                prop_assert!(plans.iter().all(|plan| !plan.fails));
                prop_assert!(values.into_iter().eq(0..plans.len()));
            }
            Err(TaskError::Failed { index, .. }) => {
                prop_assert!(plans[index].fails);
                // Nothing of a later batch was made.
                prop_assert!(board.created() <= (index / size + 1).saturating_mul(size));
            }
            Err(error) => panic!("{error}"),
        }
    }
}
