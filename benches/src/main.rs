//! Measures abreast against what people use today.
//!
//! ```text
//! cargo run --release -p abreast-benches                   everything, in a few minutes
//! cargo run --release -p abreast-benches -- parallel w3    the tables with all of these words in their titles
//! cargo run --release -p abreast-benches -- --quick        less of everything, in fewer rounds
//! cargo run --release -p abreast-benches -- --plot=FILE    draws the ratios to the fastest peers, too: docs/bench.svg
//! cargo run --release -p abreast-benches -- --only=abreast,bare  contenders with one of these in their names
//! cargo run --release -p abreast-benches -- --long         in several processes and two builds; writes benches/RESULTS.md
//!                                                          and the plots in docs/
//! cargo run --release -p abreast-benches -- --long=FILE    writes the page to FILE, without plots
//! ```
//!
//! All contenders of a table take turns, round by round, each on a heap and a stack that are shifted at random. A row
//! has the median time, the median of its ratios to abreast in the same round, and half the width of the middle half of
//! those.

mod comparisons;
mod long;
mod machine;
mod options;
mod padding;
mod plots;
mod ratios;
mod report;
mod session;
mod statistics;
mod table;
mod targets;

use harness::alloc::Counting;

use options::{Mode, Options};
use session::Session;

#[global_allocator]
static COUNTING: Counting = Counting;

fn main() {
    let options = Options::from_args(std::env::args().skip(1));
    if options.mode == Mode::Long {
        long::run(&options);
        return;
    }
    let mut session = Session::new(options);
    comparisons::measure_all(&mut session);
    session.finish();
}
