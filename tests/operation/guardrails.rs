//! What content must be like.
#![cfg(all(feature = "operation", feature = "test-util"))]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::cuts::found;
use crate::guardrail_cases::{CASES, CODE, Cases, PROSE, TABLE};
use crate::script::*;
use crate::support::Driver;
use abreast::operation::{
    AttemptError, Category, EventKind, GuardrailContext, Guardrails, Operation, Retry, Rule,
    Severity, Violation, rules,
};
use futures::stream;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn rules_find_what_they_should() {
    for Cases {
        guardrails,
        good,
        bad,
    } in CASES
    {
        let guardrails = guardrails();
        for content in *good {
            assert_eq!(guardrails.check(content), [], "{guardrails:?}: {content:?}");
        }
        for (content, expected) in *bad {
            let found = guardrails.check(content);
            let messages: Vec<_> = found
                .iter()
                .map(|violation| violation.message.as_str())
                .collect();
            assert_eq!(
                found.len(),
                expected.len(),
                "{guardrails:?}: {content:?}: {messages:?}"
            );
            for (message, expected) in messages.iter().zip(*expected) {
                assert!(
                    message.contains(expected),
                    "{guardrails:?}: {content:?}: {messages:?}"
                );
            }
        }
    }
}

#[test]
fn cuts_do_not_matter() {
    for Cases {
        guardrails,
        good,
        bad,
    } in CASES
    {
        let contents = good.iter().chain(bad.iter().map(|(content, _)| content));
        for &content in contents {
            let mut whole = guardrails().check(content);
            whole.sort_by(|a, b| (a.position, &a.message).cmp(&(b.position, &b.message)));
            let every_token = guardrails().check_every(1);
            for (at, _) in content.char_indices() {
                let (head, tail) = content.split_at(at);
                assert_eq!(
                    found(&every_token, &[head, tail]),
                    whole,
                    "{head:?} {tail:?}"
                );
            }
            let chars: Vec<_> = content.split("").collect();
            for every in [1, 2, 3, 15] {
                let guardrails = guardrails().check_every(every);
                assert_eq!(found(&guardrails, &chars), whole, "{every}: {content:?}");
            }
        }
    }
}

#[test]
fn ordinary_prose_passes_presets() {
    for preset in [
        Guardrails::none(),
        Guardrails::minimal(),
        Guardrails::recommended(),
        Guardrails::strict(),
    ] {
        for content in [PROSE, TABLE, CODE, "OK", "No."] {
            assert_eq!(preset.check(content), [], "{preset:?}");
        }
    }
    assert_eq!(Guardrails::json_only().check(PROSE).len(), 1);
}

#[test]
fn presets_have_their_rules() {
    let names = |guardrails: Guardrails| format!("{guardrails:?}");
    assert!(names(Guardrails::none()).contains("rules: []"));
    assert!(names(Guardrails::minimal()).contains(r#"["json", "zero_output"]"#));
    assert!(
        names(Guardrails::recommended())
            .contains(r#"["json", "zero_output", "markdown", "pattern"]"#)
    );
    let strict = r#"["json", "zero_output", "markdown", "pattern", "latex", "repetition"]"#;
    assert!(names(Guardrails::strict()).contains(strict));
    assert!(names(Guardrails::json_only()).contains(r#"["strict_json", "zero_output"]"#));
}

#[test]
fn streaming_rules_cost_linear_time() {
    let streaming: [Box<dyn Rule>; 3] = [
        Box::new(rules::Json),
        Box::new(rules::Patterns::known()),
        Box::new(rules::Repetition),
    ];
    let contents = [
        format!("[{}]", r#"{"a": "text"}, "#.repeat(5_000)),
        PROSE.repeat(300),
        "as an ai ".repeat(7_000),
        format!("as{}", " ".repeat(60_000)),
        "i".repeat(60_000),
        "i ".repeat(30_000),
        "é".repeat(30_000),
    ];
    for rule in &streaming {
        for content in &contents {
            let mut checker = rule.checker();
            let ends = content.char_indices().map(|(end, _)| end).step_by(7);
            for end in ends.chain([content.len()]) {
                checker.check(&GuardrailContext::so_far(&content[..end]));
            }
            checker.check(&GuardrailContext::complete(content));
            let each = checker.looked_at() as f64 / content.len() as f64;
            assert!(
                each <= 16.0,
                "{}: each byte of {:?} is looked at {each} times",
                rule.name(),
                &content[..20]
            );
        }
    }
}

#[test]
fn own_rules_see_what_is_unchecked() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = seen.clone();
    let rule = rules::from_fn("log", move |context| {
        let check = (
            context.unchecked().to_owned(),
            context.token_count,
            context.completed,
        );
        log.lock().unwrap().push(check);
        vec![]
    });
    let guardrails = Guardrails::none()
        .rule(rule.while_streaming())
        .check_every(2);
    assert_eq!(found(&guardrails, &["a", "", "b", "c", "d", "e"]), []);
    let check = |text: &str, tokens, completed| (text.to_owned(), tokens, completed);
    let checks = seen.lock().unwrap().clone();
    assert_eq!(
        checks,
        [
            check("ab", 2, false),
            check("cd", 4, false),
            check("e", 5, true)
        ]
    );
}

#[test]
fn rules_know_which_fallback_runs() {
    let rule = rules::from_fn("primary", |context| match context.fallback_index {
        0 => vec![Violation::fatal("not this one")],
        _ => vec![],
    });
    let stage = Stage::new();
    let operation = Operation::new(stage.source([&[Token("a")]]))
        .fallback(stage.source([&[Token("b")]]))
        .guardrails(Guardrails::none().rule(rule));
    assert_eq!(stage.clock.run(operation).unwrap().content, "b");
}

#[test]
fn streaming_rules_look_every_15_tokens() {
    let log = Log::new();
    let operation = Operation::new(|| stream::iter(["token "; 47].map(Ok::<_, Fault>)))
        .guardrails(Guardrails::recommended())
        .on_event(log.handler());
    Driver::new(operation).finish().unwrap();
    let mut at = Vec::new();
    for kind in log.kinds() {
        if let EventKind::GuardrailPhaseStart { token_count, .. } = kind {
            at.push(token_count);
        }
    }
    assert_eq!(at, [15, 30, 45, 47]);
}

fn on_word(word: &'static str, violation: fn() -> Violation) -> Guardrails {
    let check = move |context: &GuardrailContext<'_>| {
        if context.content.contains(word) {
            vec![violation()]
        } else {
            vec![]
        }
    };
    Guardrails::none()
        .rule(rules::from_fn("word", check).while_streaming())
        .check_every(1)
}

#[test]
fn fatal_violations_halt_or_fall_back() {
    let stage = Stage::new();
    let operation = Operation::new(stage.source([&[Token("a"), Token("bad"), Hang]]))
        .fallback(stage.source([&[Token("good")]]))
        .guardrails(on_word("bad", || Violation::fatal("bad")))
        .retry_at_once(Retry::recommended());
    let state = stage.clock.run(operation).unwrap();
    assert_eq!((state.content.as_str(), stage.opened()), ("good", 2));
    assert!(state.violations.is_empty());

    let operation = Operation::new(stage.source([&[Token("a"), Token("bad"), Hang]]))
        .guardrails(on_word("bad", || Violation::fatal("bad")))
        .retry_at_once(Retry::recommended());
    let failure = stage.clock.run(operation).unwrap_err();
    assert_eq!(failure.state.content, "abad");
    assert_eq!(failure.state.violations.len(), 1);
    assert!(matches!(failure.error, AttemptError::Violated(violation) if violation.rule == "word"));
}

#[test]
fn errors_count_at_the_end() {
    let stage = Stage::new();
    let operation =
        Operation::new(stage.source([&[Token("bad"), Token("b"), Token("c")], &[Token("good")]]))
            .guardrails(on_word("bad", || Violation::error("bad")))
            .retry_at_once(Retry::recommended().should_retry(|failed| {
                assert_eq!(failed.state.content, "badbc");
                assert_eq!(
                    failed.state.violations.len(),
                    1,
                    "found again, it counts once"
                );
                assert_eq!(failed.category, Category::Content);
                true
            }));
    assert_eq!(stage.clock.run(operation).unwrap().content, "good");
}

#[test]
fn unrecoverable_errors_are_not_retried() {
    let stage = Stage::new();
    let operation = Operation::new(stage.source([&[Token("bad"), Token("b")], &[Token("good")]]))
        .guardrails(on_word("bad", || Violation::error("bad").unrecoverable()))
        .retry_at_once(Retry::recommended());
    let failure = stage.clock.run(operation).unwrap_err();
    assert_eq!(
        (failure.state.content.as_str(), stage.opened()),
        ("badb", 1)
    );
}

#[test]
fn warnings_are_recorded() {
    let guardrails = on_word("odd", || Violation::warning("odd").suggest("even"));
    let operation = Operation::new(|| stream::iter(["an odd", " one"].map(Ok::<_, Fault>)))
        .guardrails(guardrails);
    let state = Driver::new(operation).finish().unwrap();
    assert!(state.completed);
    assert_eq!(state.violations.len(), 1);
    assert_eq!(state.violations[0].severity, Severity::Warning);
    assert_eq!(state.violations[0].suggestion.as_deref(), Some("even"));
}

#[test]
fn rules_keep_nothing_between_attempts() {
    /// Finds something in the second look of a checker.
    struct Second(Arc<AtomicUsize>);

    impl Rule for Second {
        fn name(&self) -> std::borrow::Cow<'static, str> {
            "second".into()
        }

        fn checker(&self) -> Box<dyn abreast::operation::Checker> {
            self.0.fetch_add(1, SeqCst);
            let mut checks = 0;
            Box::new(move |_: &GuardrailContext<'_>| {
                checks += 1;
                (checks > 1)
                    .then(|| Violation::fatal("second"))
                    .into_iter()
                    .collect()
            })
        }
    }

    let checkers = Arc::new(AtomicUsize::new(0));
    let stage = Stage::new();
    let guardrails = Guardrails::recommended().rule(Second(checkers.clone()));
    for _ in 0..2 {
        let operation = Operation::new(stage.source([
            &[Token("[1")],
            &[Token("2]")],
            &[Token("]"), Token("x")],
        ]))
        .guardrails(guardrails.clone())
        .retry_at_once(Retry::recommended());
        assert_eq!(stage.clock.run(operation).unwrap().content, "2]");
    }
    assert_eq!(checkers.load(SeqCst), 4);
}

#[cfg(panic = "unwind")]
#[test]
fn a_panicking_rule_fails_its_operation() {
    let guardrails = Guardrails::none().rule(rules::from_fn("picky", |context| {
        assert!(!context.content.contains("bad"), "no {}", "way");
        vec![]
    }));
    let stage = Stage::new();
    let log = Log::new();
    let operation = Operation::new(stage.source([&[Token("bad")]]))
        .fallback(stage.source([&[Token("good")]]))
        .retry_at_once(Retry::recommended())
        .guardrails(guardrails.clone())
        .on_event(log.handler());
    let failure = stage.clock.run(operation).unwrap_err();
    let (rule, message) = ("picky".into(), "no way".into());
    assert_eq!(failure.error, AttemptError::RulePanicked { rule, message });
    assert_eq!(
        (failure.state.content.as_str(), stage.opened(), stage.open()),
        ("bad", 1, 0)
    );
    assert_eq!(
        log.names(),
        [
            "SessionStart",
            "GuardrailPhaseStart",
            "GuardrailPhaseEnd",
            "Error"
        ]
    );

    let operation = Operation::new(stage.source([&[Token("good")]])).guardrails(guardrails);
    assert!(
        stage.clock.run(operation).is_ok(),
        "others are not affected"
    );
}

#[cfg(panic = "unwind")]
#[test]
fn a_rule_may_panic_making_checkers() {
    struct Broken;

    impl Rule for Broken {
        fn name(&self) -> std::borrow::Cow<'static, str> {
            "broken".into()
        }

        fn checker(&self) -> Box<dyn abreast::operation::Checker> {
            panic!("no checker")
        }
    }

    let stage = Stage::new();
    let operation =
        Operation::new(stage.source([&[Token("a")]])).guardrails(Guardrails::none().rule(Broken));
    let failure = stage.clock.run(operation).unwrap_err();
    assert!(
        matches!(failure.error, AttemptError::RulePanicked { message, .. } if message == "no checker")
    );
}
