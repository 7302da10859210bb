//! Counts what does not depend on how fast or how busy a machine is, and compares it with what `benches/counts.tsv`
//! says.
//!
//! ```text
//! cargo run --profile single-unit -p abreast-counts                 fails if a count of abreast has changed
//! cargo run --profile single-unit -p abreast-counts -- --update     writes the counts down
//! cargo run --profile single-unit -p abreast-counts -- w3 pool      only programs with one of these words in their names
//! cargo run --profile single-unit -p abreast-counts -- --update w3  writes those down, and leaves the others as they are
//! ```
//!
//! - Instructions are counted by valgrind's callgrind, in a process of its own for each program, with N tasks and with
//!   2N. The difference, divided by N, is what a task costs; the start of the process is in both and drops out.
//! - Only instructions of this executable are compared. Those of the C library (the allocator, and copies of memory)
//!   are in a column of their own: they depend on its version and on the processor. The allocations are counted exactly
//!   instead.
//! - Polls, parent polls and allocations are those of N tasks, and have to be the same to the last one.
//!
//! Choices are random but the seed is not, and there is one thread, so the same build gives the same counts. Another
//! version of the compiler may give others: that is a reason to update them, in a commit that changes nothing else.

mod callgrind;
mod check;
mod programs;
mod table;

use std::process::ExitCode;

use harness::alloc::Counting;

use programs::Program;

#[global_allocator]
static COUNTING: Counting = Counting;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        // What runs under callgrind.
        ["--run", program, contender, tasks] => {
            let tasks = tasks.parse().expect("a number of tasks");
            programs::run(program, contender, tasks);
            ExitCode::SUCCESS
        }
        ["--update"] => {
            table::write(&check::count(&programs::all()));
            ExitCode::SUCCESS
        }
        ["--update", ref words @ ..] => {
            let counted = check::count(&named(words));
            let names: Vec<_> = programs::all().iter().map(|program| program.name).collect();
            table::write(&table::merge(table::read(), counted, &names));
            ExitCode::SUCCESS
        }
        ref words => check::compare(&check::count(&named(words)), &table::read()),
    }
}

/// Returns the programs with one of `words` in their names; all of them if there are no words.
fn named(words: &[&str]) -> Vec<Program> {
    let wanted = |program: &Program| {
        words.is_empty() || words.iter().any(|&word| program.name.contains(word))
    };
    programs::all().into_iter().filter(wanted).collect()
}
