//! Counts, and compares with earlier counts.

use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;

use harness::{allocations, parent_polls, polls};

use crate::callgrind;
use crate::programs::{Program, SUBJECT};
use crate::table::Row;

/// How far instructions may be from what they were.
const TOLERANCE: f64 = 0.03;

/// Counts all programs.
pub(crate) fn count(programs: &[Program]) -> Vec<Row> {
    let all: Vec<(&Program, usize)> = programs
        .iter()
        .flat_map(|program| (0..program.contenders.len()).map(move |index| (program, index)))
        .collect();
    // What is counted in this process is counted before there are threads: the allocator counts for all of them.
    let mut rows: Vec<Row> = all
        .iter()
        .map(|&(program, index)| exact(program, index))
        .collect();

    // Instructions are those of other processes, which do not disturb each other.
    let work = Mutex::new(rows.iter_mut().zip(&all));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = work.lock().expect("no thread panics with it").next();
                    let Some((row, (program, index))) = next else {
                        return;
                    };
                    instructions(program, *index, row);
                }
            });
        }
    });
    rows
}

fn exact(program: &Program, index: usize) -> Row {
    let (contender, run) = &program.contenders[index];
    let count = |meter| run(program.tasks, meter) as u64;
    Row {
        program: program.name.to_owned(),
        contender: (*contender).to_owned(),
        instructions: 0.0,
        libraries: 0.0,
        polls: count(polls),
        parent_polls: count(parent_polls),
        allocations: count(allocations),
    }
}

fn instructions(program: &Program, index: usize, row: &mut Row) {
    let (contender, _) = &program.contenders[index];
    let count =
        |tasks: usize| callgrind::count(&["--run", program.name, contender, &tasks.to_string()]);
    let (once, twice) = (count(program.tasks), count(2 * program.tasks));
    // Signed, as start-up may cost the run with twice the tasks less than the other one.
    let per_task = |once: u64, twice: u64| (twice as f64 - once as f64) / program.tasks as f64;
    row.instructions = per_task(once.own, twice.own);
    row.libraries = per_task(once.libraries, twice.libraries);
}

/// Prints all counts, and says which of the subject's are not what they were. Those of others are shown only.
pub(crate) fn compare(rows: &[Row], earlier: &[Row]) -> ExitCode {
    println!(
        "{:18}{:18}{:>14}{:>9}{:>14}{:>10}{:>14}{:>13}",
        "", "", "instructions", "", "in libraries", "polls", "parent polls", "allocations"
    );
    let mut changes = Vec::new();
    for row in rows {
        let known = earlier
            .iter()
            .find(|known| (&known.program, &known.contender) == (&row.program, &row.contender));
        let change = known.map(|known| row.instructions / known.instructions - 1.0);
        println!(
            "{:18}{:18}{:>14.1}{:>9}{:>14.1}{:>10}{:>14}{:>13}",
            row.program,
            row.contender,
            row.instructions,
            change.map_or("new".to_owned(), |change| format!(
                "{:+.1}%",
                100.0 * change
            )),
            row.libraries,
            row.polls,
            row.parent_polls,
            row.allocations,
        );
        if row.contender == SUBJECT {
            changes.extend(differences(row, known));
        }
    }
    if changes.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\nnot what benches/counts.tsv says:");
    for change in changes {
        println!("  {change}");
    }
    println!(
        "\nMore than {:.0} % of instructions, or any other difference, wants a reason. If there is one, or the compiler is a new \
         one, write the counts down, and commit them with the change:\n\
         \n    cargo run --profile single-unit -p abreast-counts -- --update",
        100.0 * TOLERANCE
    );
    ExitCode::FAILURE
}

/// Says in which counts a row differs. Fewer instructions are a difference, too: what was gained is not to be lost
/// again.
fn differences(row: &Row, known: Option<&Row>) -> Vec<String> {
    let name = &row.program;
    let Some(known) = known else {
        return vec![format!("{name}: is new")];
    };
    let mut differences = Vec::new();
    let (before, now) = (known.instructions, row.instructions);
    if (now / before - 1.0).abs() > TOLERANCE {
        differences.push(format!(
            "{name}: {now:.1} instructions per task instead of {before:.1}"
        ));
    }
    for (what, before, now) in [
        ("polls", known.polls, row.polls),
        ("parent polls", known.parent_polls, row.parent_polls),
        ("allocations", known.allocations, row.allocations),
    ] {
        if before != now {
            differences.push(format!("{name}: {now} {what} instead of {before}"));
        }
    }
    differences
}
