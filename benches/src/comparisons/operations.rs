//! Operations on streams of tokens, against a bare loop over the same stream.

use std::hint::black_box;

use harness::nanoseconds;
use peer_abreast::Tokens;

use crate::session::Session;
use crate::table::Heading;

pub(super) fn measure_all(session: &mut Session) {
    for (tokens, title) in [
        (Tokens::Ready, "operation, tokens ready"),
        (Tokens::Woken, "operation, a wake per token"),
    ] {
        let total = session.scale(40_000);
        let heading = Heading {
            title,
            measure: "ns per token",
            axis: "tokens",
            columns: &[1, 10, 100, 1000, 10_000],
        };
        session.time(&heading, &peer_abreast::operations(), |run, count| {
            let operations = (total / count).max(1);
            let taken = nanoseconds(&mut || {
                for _ in 0..operations {
                    black_box(run(tokens, count));
                }
            });
            taken / (operations * count) as f64
        });
    }
}
