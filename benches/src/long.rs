//! The long form: several processes of each of two builds, so that neither where things are in memory nor how the
//! compiler has split a crate decides.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use harness::Role;

use crate::options::Options;
use crate::report;
use crate::table::{Heading, Row, Table};

/// How many processes there are for each build.
pub(crate) const PROCESSES: usize = 3;

/// How the compiler was told to build, and what was measured.
#[derive(Debug)]
pub(crate) struct Build {
    pub(crate) profile: &'static str,
    pub(crate) description: &'static str,
    pub(crate) tables: Vec<Table>,
}

/// Measures both builds, and writes the results down.
///
/// # Panics
/// If one of the processes fails, or a file cannot be written.
pub(crate) fn run(options: &Options) {
    let mut builds = [
        ("release", "the default release profile"),
        ("single-unit", "`codegen-units = 1`"),
    ]
    .map(|(profile, description)| Build {
        profile,
        description,
        tables: Vec::new(),
    });
    for process in 0..PROCESSES {
        // The builds take turns as well.
        for build in &mut builds {
            println!(
                "\n== {}, process {} of {PROCESSES}",
                build.profile,
                process + 1
            );
            let samples = measure(build.profile, options);
            merge(&mut build.tables, samples);
        }
    }
    report::write(&builds, options.page.as_deref());
}

/// Runs one process, and returns what it measured.
fn measure(profile: &str, options: &Options) -> Vec<Table> {
    let path = std::env::temp_dir().join(format!("abreast-benches-{}.tsv", std::process::id()));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args([
            "run",
            "--quiet",
            "--profile",
            profile,
            "-p",
            "abreast-benches",
            "--",
        ])
        .arg(format!("--samples={}", path.display()))
        .arg(format!("--only={}", options.only))
        .args(&options.words)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .status()
        .expect("cargo starts");
    assert!(status.success(), "the build of profile {profile} fails");
    let samples = std::fs::read_to_string(&path).expect("the process has written its samples");
    std::fs::remove_file(&path).expect("the samples can be removed");
    parse(&samples)
}

/// Adds the samples of another process.
fn merge(tables: &mut Vec<Table>, others: Vec<Table>) {
    if tables.is_empty() {
        *tables = others;
        return;
    }
    // The same program measures the same tables in the same order.
    for (table, other) in tables.iter_mut().zip(others) {
        for (row, other) in table.rows.iter_mut().zip(other.rows) {
            for (samples, others) in row.samples.iter_mut().zip(other.samples) {
                samples.extend(others);
            }
        }
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Subject => "subject",
        Role::Peer => "peer",
        Role::Variant => "variant",
        Role::Floor => "floor",
    }
}

fn role(name: &str) -> Option<Role> {
    let roles = [Role::Subject, Role::Peer, Role::Variant, Role::Floor];
    roles.into_iter().find(|&role| role_name(role) == name)
}

/// Writes all samples for the process that has started this one:
///
/// ```text
/// table <tab> title <tab> measure <tab> axis <tab> column,column
/// row <tab> name <tab> role <tab> note <tab> sample,sample;sample,sample      samples by column
/// ```
pub(crate) fn write_samples(path: &Path, tables: &[Table]) {
    let mut text = String::new();
    for table in tables {
        let columns = join(&table.columns, ",");
        writeln!(
            text,
            "table\t{}\t{}\t{}\t{columns}",
            table.title, table.measure, table.axis
        )
        .expect("a string can be written to");
        for row in &table.rows {
            let samples: Vec<String> = row.samples.iter().map(|all| join(all, ",")).collect();
            let note = row.note.as_deref().unwrap_or_default();
            let (role, samples) = (role_name(row.role), join(&samples, ";"));
            writeln!(text, "row\t{}\t{role}\t{note}\t{samples}", row.name)
                .expect("a string can be written to");
        }
    }
    std::fs::write(path, text).expect("the samples can be written");
}

fn join<T: ToString>(items: &[T], separator: &str) -> String {
    let items: Vec<String> = items.iter().map(T::to_string).collect();
    items.join(separator)
}

fn parse(text: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        match (cells[..].as_ref(), tables.last_mut()) {
            (["table", title, measure, axis, columns], _) => {
                let columns: Vec<usize> = columns.split(',').map(number).collect();
                let heading = Heading {
                    title,
                    measure,
                    axis,
                    columns: &columns,
                };
                tables.push(Table::new(&heading, Vec::new()));
            }
            (["row", name, kind, note, samples], Some(table)) => table.rows.push(Row {
                name: (*name).to_owned(),
                role: role(kind).expect("a role"),
                note: (!note.is_empty()).then(|| (*note).to_owned()),
                samples: samples.split(';').map(numbers).collect(),
            }),
            _ => panic!("not a line of samples: {line}"),
        }
    }
    tables
}

/// Returns the samples of a column. A contender that was left out has none.
fn numbers(samples: &str) -> Vec<f64> {
    let samples = samples.split(',').filter(|sample| !sample.is_empty());
    samples.map(number).collect()
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    match text.parse() {
        Ok(number) => number,
        Err(_) => panic!("not a number: {text}"),
    }
}
