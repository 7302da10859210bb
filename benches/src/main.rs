//! Measures abreast against what people use today.
//!
//! ```text
//! cargo run --release -p abreast-benches                   everything
//! cargo run --release -p abreast-benches -- parallel w3    the tables with these words in their titles
//! cargo run --release -p abreast-benches -- --quick        less of everything, in fewer rounds
//! cargo run --release -p abreast-benches -- --only=abreast one contender, for a profiler
//! ```

mod alloc;
mod batched;
mod board;
mod chunked;
mod counts;
mod host;
mod operation;
mod parallel;
mod pool;
mod race;
mod session;
mod sets;
mod stream;
mod targets;
mod task_group;
mod workload;

use session::Session;

fn main() {
    let mut session = Session::from_args(std::env::args().skip(1));
    parallel::measure_all(&mut session);
    stream::measure_all(&mut session);
    race::measure_all(&mut session);
    batched::measure_all(&mut session);
    batched::measure_sets(&mut session);
    task_group::measure_all(&mut session);
    pool::measure_all(&mut session);
    operation::measure_all(&mut session);
    counts::measure_all(&mut session);
    targets::print(&session);
}
