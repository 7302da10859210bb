//! Spans as a tree of text.
//!
//! ```text
//! report                                  0.0 ms  432.6 ms
//! ├─ fetch pages                          0.1 ms   82.9 ms succeeded=7 failed=1 cancelled=0
//! │  ├─ task                              0.1 ms   11.2 ms index=0 outcome=ok
//! ```

use std::fmt::Write;
use std::time::SystemTime;

use crate::otlp::Span;

/// Draws the spans without a parent, each with all that is in it: when it began, how long it took, and its attributes.
pub(crate) fn draw(spans: &[Span]) -> String {
    let mut text = String::new();
    let Some(start) = spans.iter().map(|span| span.start).min() else {
        return text;
    };
    let tree = Tree { spans, start };
    for root in tree.children(None) {
        tree.draw(root, "", "", &mut text);
    }
    text
}

struct Tree<'a> {
    spans: &'a [Span],
    /// When the first one began.
    start: SystemTime,
}

impl<'a> Tree<'a> {
    /// Returns the spans in another one, in the order in which they began.
    fn children(&self, parent: Option<u64>) -> Vec<&'a Span> {
        let spans = self.spans.iter();
        let mut children: Vec<_> = spans.filter(|span| span.parent == parent).collect();
        children.sort_by_key(|span| span.start);
        children
    }

    /// Draws a span behind `first`, and what is in it behind `rest`.
    fn draw(&self, span: &Span, first: &str, rest: &str, text: &mut String) {
        let label = format!("{first}{}", span.fields.name);
        let duration = span.duration.as_secs_f64() * 1e3;
        self.write(&label, span.start, &format!(" {duration:6.1} ms"), text);
        for (name, value) in &span.fields.attributes {
            // An attribute is an object with one value, whose name is its type.
            let value = value.as_object().and_then(|value| value.values().next());
            let value = value.map(|value| value.as_str().map_or(value.to_string(), str::to_owned));
            _ = write!(text, " {name}={}", value.unwrap_or_default());
        }
        text.push_str(if span.fields.is_error {
            " ERROR\n"
        } else {
            "\n"
        });

        // Events are moments: they have no duration.
        for event in &span.events {
            let label = format!("{rest}· {}", event.fields.name);
            self.write(&label, event.time, "", text);
            text.push('\n');
        }
        let children = self.children(Some(span.id));
        for (at, child) in children.iter().enumerate() {
            let is_last = at + 1 == children.len();
            let (branch, under) = if is_last {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            self.draw(
                child,
                &format!("{rest}{branch}"),
                &format!("{rest}{under}"),
                text,
            );
        }
    }

    fn write(&self, label: &str, time: SystemTime, duration: &str, text: &mut String) {
        let since = time.duration_since(self.start).unwrap_or_default();
        let since = since.as_secs_f64() * 1e3;
        _ = write!(text, "{label:<36} {since:6.1} ms{duration}");
    }
}
