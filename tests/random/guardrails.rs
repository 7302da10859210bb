//! Guardrails over texts of what matters to them, cut anywhere.

use abreast::operation::{Guardrails, Operation, Violation};
use futures::stream;

use crate::support::Driver;

fn found(guardrails: &Guardrails, tokens: &[&str]) -> Vec<Violation> {
    let tokens: Vec<String> = tokens.iter().map(|&token| token.to_owned()).collect();
    let operation =
        Operation::new(|| stream::iter(tokens.clone().into_iter().map(Ok::<_, String>)))
            .guardrails(guardrails.clone());
    let mut violations = match Driver::new(operation).finish() {
        Ok(state) => state.violations,
        Err(failure) => failure.state.violations,
    };
    violations.sort_by(|a, b| (a.position, &a.message).cmp(&(b.position, &b.message)));
    violations
}

proptest::proptest! {
    #[test]
    fn cuts_of_texts_do_not_matter(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "{", "}", "[", "]", "'", "-", "true", "nul", ":", "x", "\\[", "\\]", "| a |", "\"", "\\", ",", "1", " ", "\n", ".", "```", "|", "$", "as an ai", " language model",
                "I cannot ", "help", " with", "’", "é", "\\begin{a}", "\\end{a}", "A sentence that is long enough.",
            ]),
            0..40,
        ),
        cuts in proptest::collection::vec(0_usize..400, 0..20),
        every in 1_usize..4,
    ) {
        let content = parts.concat();
        let mut cuts: Vec<_> = cuts.into_iter().filter(|&cut| content.is_char_boundary(cut)).collect();
        cuts.extend([0, content.len()]);
        cuts.sort_unstable();
        let tokens: Vec<_> = cuts.windows(2).map(|pair| &content[pair[0]..pair[1]]).collect();
        for guardrails in [Guardrails::strict(), Guardrails::json_only()] {
            let mut whole = guardrails.check(&content);
            whole.sort_by(|a, b| (a.position, &a.message).cmp(&(b.position, &b.message)));
            // Equal findings of one rule count once.
            whole.dedup();
            proptest::prop_assert_eq!(found(&guardrails.check_every(every), &tokens), whole);
        }
    }
}
