//! Guardrails over any text, however it is cut into tokens. A fuzzer draws both: `fuzz/`.

#[cfg(not(target_family = "wasm"))]
use abreast::operation::{GuardrailContext, Rule, rules};
use abreast::operation::{Guardrails, Operation, Violation};
use futures::stream;

use crate::support::Driver;

/// Returns what an operation finds whose stream yields these tokens.
pub(crate) fn found(guardrails: &Guardrails, tokens: &[&str]) -> Vec<Violation> {
    let tokens: Vec<String> = tokens.iter().map(|&token| token.to_owned()).collect();
    let source = || stream::iter(tokens.clone().into_iter().map(Ok::<_, &str>));
    let operation = Operation::new(source).guardrails(guardrails.clone());
    let violations = match Driver::new(operation).finish() {
        Ok(state) => state.violations,
        Err(failure) => failure.state.violations,
    };
    sorted(violations)
}

pub(crate) fn sorted(mut violations: Vec<Violation>) -> Vec<Violation> {
    violations.sort_by(|a, b| (a.position, &a.message).cmp(&(b.position, &b.message)));
    violations
}

/// Checks that the same is found in a text of the fuzzer as a whole and in pieces, and that each byte is looked at a
/// few times only. The first byte says how many cuts there are; as many bytes follow, each the length of a piece; the
/// rest is the text.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn check(input: &[u8]) {
    let Some((&count, input)) = input.split_first() else {
        return;
    };
    let (lengths, text) = input.split_at(input.len().min(usize::from(count % 32)));
    let text = String::from_utf8_lossy(text);
    let mut cuts = vec![0];
    for &length in lengths {
        let cut = cuts[cuts.len() - 1] + usize::from(length);
        if cut <= text.len() && text.is_char_boundary(cut) {
            cuts.push(cut);
        }
    }
    cuts.push(text.len());

    let tokens: Vec<_> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
    let every = 1 + usize::from(count / 32);
    for guardrails in [Guardrails::strict(), Guardrails::json_only()] {
        let mut whole = sorted(guardrails.check(&text));
        // Equal findings of one rule count once.
        whole.dedup();
        let in_pieces = found(&guardrails.check_every(every), &tokens);
        assert_eq!(in_pieces, whole, "{tokens:?}");
    }

    let streaming: [Box<dyn Rule>; 3] = [
        Box::new(rules::Json),
        Box::new(rules::Patterns::known()),
        Box::new(rules::Repetition),
    ];
    for rule in &streaming {
        let mut checker = rule.checker();
        for &end in &cuts {
            checker.check(&GuardrailContext::so_far(&text[..end]));
        }
        checker.check(&GuardrailContext::complete(&text));
        // A check without anything new may go back by a phrase.
        let most = 16 * (text.len() + cuts.len() + 1) as u64;
        let looked_at = checker.looked_at() as u64;
        assert!(looked_at <= most, "{}: {looked_at} bytes", rule.name());
    }
}

/// What the fuzzer has found to be worth keeping is checked here, too. It is not in the package, nor in a browser.
#[cfg(not(target_family = "wasm"))]
#[test]
fn cuts_of_the_corpus_change_nothing() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/guardrails");
    for file in std::fs::read_dir(folder).into_iter().flatten() {
        let path = file.expect("it can be listed").path();
        check(&std::fs::read(path).expect("it can be read"));
    }
}
