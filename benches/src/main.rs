//! Measures abreast against what people use today.
//!
//! ```text
//! cargo run --release -p abreast-benches                   everything
//! cargo run --release -p abreast-benches -- parallel w3    the tables with these words in their titles
//! cargo run --release -p abreast-benches -- --quick        less of everything, in fewer rounds
//! ```

mod board;
mod host;
mod parallel;
mod session;
mod sets;
mod workload;

use session::Session;

fn main() {
    let mut session = Session::from_args(std::env::args().skip(1));
    parallel::measure_all(&mut session);
}
