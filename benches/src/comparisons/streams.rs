//! Windows as streams whose consumer keeps nothing.

use super::{W1, W2, W3, W4};
use crate::session::{Comparison, Session};
use crate::table::Heading;

pub(super) fn measure_all(session: &mut Session) {
    for order in ["unordered", "ordered"] {
        for (title, workload) in [W1, W2, W3, W4] {
            let contenders = match order {
                "ordered" => vec![
                    peer_abreast::ordered_stream(),
                    peer_futures::ordered_stream(),
                    peer_futures_buffered::ordered_stream(),
                    peer_bare::stream(),
                ],
                _ => vec![
                    peer_abreast::stream(),
                    peer_futures::stream(),
                    peer_futures_buffered::stream(),
                    peer_bare::stream(),
                ],
            };
            session.compare(&Comparison {
                heading: Heading {
                    title: &format!("stream {order} {title}"),
                    measure: "ns per future",
                    axis: "K",
                    columns: &[5, 64, 256, 4096],
                },
                workload,
                tasks: 20_000,
                tasks_per_size: 8,
                contenders,
            });
        }
    }
}
