//! The programs whose counts are kept.

use harness::{Contender, Job, Meter, Workload};
use peer_abreast::{RunOperation, Tokens};

/// Runs so many tasks, and returns what the meter measured.
type Run = Box<dyn Fn(usize, Meter) -> f64 + Send + Sync>;

/// The name of the subject in the table.
pub(crate) const SUBJECT: &str = "abreast";

/// One kind of work, and those that do it.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// How many tasks there are. Instructions are counted with as many and with twice as many.
    pub(crate) tasks: usize,
    pub(crate) contenders: Vec<(&'static str, Run)>,
}

impl Program {
    fn new(
        name: &'static str,
        (workload, size, tasks): (Workload, usize, usize),
        contenders: impl IntoIterator<Item = (&'static str, Contender)>,
    ) -> Self {
        let run = |contender: Contender| -> Run {
            Box::new(move |tasks, meter| {
                let job = Job {
                    workload,
                    size,
                    tasks,
                };
                (contender.run)(job, meter)
            })
        };
        let contenders = contenders.into_iter();
        Self {
            name,
            tasks,
            contenders: contenders.map(|(name, of)| (name, run(of))).collect(),
        }
    }
}

fn window(name: &'static str, work: (Workload, usize, usize)) -> Program {
    let [buffered, _] = peer_futures_buffered::windows();
    let contenders = [
        (SUBJECT, peer_abreast::window()),
        ("futures-buffered", buffered),
        ("bare", peer_bare::one_by_one()),
    ];
    Program::new(name, work, contenders)
}

/// A window of which hardly anything is in a cache, beside what else is made for many futures.
///
/// There are as many tasks as slots. So making the slots and draining the window is in the count of N tasks as it is in
/// that of 2N, and the difference is N tasks that each come into the slot of another one.
fn huge_window(name: &'static str, workload: Workload, size: usize) -> Program {
    let [buffered, _] = peer_futures_buffered::windows();
    let contenders = [
        (SUBJECT, peer_abreast::window()),
        ("futures-buffered", buffered),
        ("buffer_unordered", peer_futures::window()),
        ("bare", peer_bare::one_by_one()),
    ];
    Program::new(name, (workload, size, size), contenders)
}

fn stream(name: &'static str, work: (Workload, usize, usize)) -> Program {
    let contenders = [
        (SUBJECT, peer_abreast::stream()),
        ("futures-buffered", peer_futures_buffered::stream()),
        ("bare", peer_bare::stream()),
    ];
    Program::new(name, work, contenders)
}

/// A window whose outcomes are consumed, beside the future that keeps them, and a loop that consumes.
fn for_each(name: &'static str, work: (Workload, usize, usize)) -> Program {
    let [for_each, ordered] = peer_abreast::for_each();
    let contenders = [
        (SUBJECT, for_each),
        ("abreast ordered", ordered),
        ("abreast parallel", peer_abreast::window()),
        ("bare", peer_bare::for_each()),
    ];
    Program::new(name, work, contenders)
}

fn race(name: &'static str, work: (Workload, usize, usize)) -> Program {
    let [select_ok, _] = peer_futures::races(work.0);
    let contenders = [
        (SUBJECT, peer_abreast::race()),
        ("futures-buffered", peer_futures_buffered::race()),
        ("concurrency", peer_futures_concurrency::race(work.0)),
        ("select_ok", select_ok),
    ];
    Program::new(name, work, contenders)
}

fn gather(name: &'static str, work: (Workload, usize, usize)) -> Program {
    let [gather, _] = peer_abreast::gathers();
    let [buffered, _] = peer_futures_buffered::joins();
    let [concurrency, _] = peer_futures_concurrency::joins(work.0);
    let [join_all, _] = peer_futures::joins();
    let contenders = [
        (SUBJECT, gather),
        ("futures-buffered", buffered),
        ("concurrency", concurrency),
        ("join_all", join_all),
        ("bare", peer_bare::one_by_one()),
    ];
    Program::new(name, work, contenders)
}

fn group(name: &'static str, work: (Workload, usize, usize)) -> Program {
    Program::new(name, work, [(SUBJECT, peer_abreast::group())])
}

fn pool(name: &'static str, work: (Workload, usize, usize)) -> Program {
    let [pool, _] = peer_abreast::pools();
    let contenders = [(SUBJECT, pool), ("bare", peer_bare::one_by_one())];
    Program::new(name, work, contenders)
}

/// One stream of tokens, each of which counts as a task.
fn operation(name: &'static str, tokens: Tokens, count: usize) -> Program {
    let [plain, .., bare] = peer_abreast::operations();
    let run = |operation: RunOperation| -> Run {
        Box::new(move |count, meter| {
            meter(&mut || {
                operation(tokens, count);
            })
        })
    };
    Program {
        name,
        tasks: count,
        contenders: vec![(SUBJECT, run(plain.run)), ("bare", run(bare.run))],
    }
}

/// Returns all programs. Names are at most a table's column wide.
pub(crate) fn all() -> Vec<Program> {
    use Workload::{Ready, ReadyLast, Wake, Yield};
    let (single, bursts) = (Wake { burst: 1 }, Wake { burst: 32 });
    vec![
        window("w1-ready-k256", (Ready, 256, 4096)),
        window("w2-yield-k5", (Yield, 5, 4096)),
        window("w2-yield-k256", (Yield, 256, 4096)),
        window("w3-wake-k5", (single, 5, 4096)),
        window("w3-wake-k256", (single, 256, 4096)),
        window("w4-bursts-k256", (bursts, 256, 4096)),
        window("w4-bursts-k4096", (bursts, 4096, 8192)),
        huge_window("w3-wake-k100000", single, 100_000),
        stream("stream-w2-k64", (Yield, 64, 4096)),
        stream("stream-w3-k256", (single, 256, 4096)),
        stream("stream-w4-k64", (bursts, 64, 4096)),
        for_each("each-w1-k256", (Ready, 256, 4096)),
        for_each("each-w2-k64", (Yield, 64, 4096)),
        for_each("each-w4-k64", (bursts, 64, 4096)),
        race("race-3-ready", (ReadyLast, 3, 3000)),
        race("race-3-woken", (single, 3, 3000)),
        race("race-30-yield", (Yield, 30, 3000)),
        race("race-1000-woken", (single, 1000, 3000)),
        gather("gather-3-ready", (Ready, 3, 3000)),
        gather("gather-3-woken", (single, 3, 3000)),
        gather("gather-30-yield", (Yield, 30, 3000)),
        gather("gather-1000-woken", (single, 1000, 3000)),
        group("group-30-yield", (Yield, 30, 3000)),
        pool("pool-5-ready", (Ready, 5, 4096)),
        pool("pool-5-yield", (Yield, 5, 4096)),
        operation("operation-ready", Tokens::Ready, 4096),
    ]
}

/// Runs one program once.
///
/// # Panics
/// If there is none of that name.
pub(crate) fn run(program: &str, contender: &str, tasks: usize) {
    let programs = all();
    let program = programs.iter().find(|known| known.name == program);
    let contenders = &program.expect("the program is one of all").contenders;
    let (_, run) = contenders
        .iter()
        .find(|(known, _)| *known == contender)
        .expect("the contender is one of the program's");
    run(tasks, |work| {
        work();
        0.0
    });
}
