//! Outputs as models send them: what each rule passes, and what it finds in others.
#![cfg(all(feature = "operation", feature = "test-util"))]

use abreast::operation::{Guardrails, rules};

pub(crate) const PROSE: &str = "The ferry leaves at 7:30, and it costs $5 (or $8 with a bike). \"Why so early?\", she asked; \
    nobody knew. We went anyway — it was a fine day, 20 °C, and there were dolphins!\n\nIn the evening we came back.";

pub(crate) const TABLE: &str = "| a | b |\n|---|:-:|\n| 1 | 2 \\| 3 |\n| 4 | 5 |\n";

pub(crate) const CODE: &str = "Look:\n\n```sh\necho $HOME $$ \"\\[\" | wc -c\n```\n\n- ```rust\n  fn main() {}\n  ```\n\nDone with `$x`.";

/// A rule, content that it passes, and content with what it finds.
pub(crate) struct Cases {
    pub(crate) guardrails: fn() -> Guardrails,
    pub(crate) good: &'static [&'static str],
    pub(crate) bad: &'static [(&'static str, &'static [&'static str])],
}

pub(crate) const CASES: &[Cases] = &[
    JSON,
    STRICT_JSON,
    MARKDOWN,
    LATEX,
    PATTERN,
    ZERO_OUTPUT,
    REPETITION,
];

const JSON: Cases = Cases {
    guardrails: || Guardrails::none().rule(rules::Json),
    good: &[
        PROSE,
        TABLE,
        CODE,
        "",
        "{}",
        " [1, 2, {\"a\": [true, null]}]\n",
        r#"{"text": "} ] \" } \\", "nested": {"more": [{"é": "ü"}]}}"#,
        "} is not how JSON begins",
        "[-1.5e3, 0, true]",
        // Prose that begins with a bracket.
        "[1] Smith, J. (2019). The quiet harbour. Tide Press.\n[2] Jones, K. (2021). Ebb.",
        "[1, 2] show that the effect is small.",
        "[1][2] agree, [3] does not.",
        "[1], [2] and [3] agree.",
        "[Note: the table below is in thousands of euros.]",
        "[x] done\n[ ] open",
        "[ ] Buy milk\n[x] Call the plumber",
        "[2024-05-01 10:00] INFO started",
        "[10:30] Ann: are you there?",
        "[true story] It rained frogs.",
        "[the docs](https://example.org) explain it.",
        "[[Home]] links to the first page.",
        "[^1]: See the appendix.",
        "{name} is the variable that holds your name.",
        "{{ user.name }} is how the template says it.",
        "{} is an empty object in JavaScript.",
        "[] is an empty list.",
        "[1st place] goes to the blue side.",
        // A value on each line.
        "{\"id\": 1}\n{\"id\": 2}\n{\"id\": 3}\n",
        "[1, 2]\n\n[3, 4]",
        "{\n  \"id\": 1\n}\n{\n  \"id\": 2\n}",
    ],
    bad: &[
        ("[1, 2", &["not JSON"]),
        ("[1", &["not JSON"]),
        ("[", &["not JSON"]),
        ("{", &["not JSON"]),
        ("[tru", &["not JSON"]),
        (r#"{"a": 1}}"#, &["more brackets", "not JSON"]),
        (r#"{"a": "]"]}"#, &["more brackets", "not JSON"]),
        ("[1, 2]] [", &["more brackets", "not JSON"]),
        ("{'a': 1}", &["not JSON"]),
        ("[1, 2,]", &["not JSON"]),
        (r#"{"a": 1} I hope this helps!"#, &["not JSON"]),
        ("[{\"id\": 1}, {\"id\": 2}", &["not JSON"]),
        ("{\"id\": 1}\n{\"id\": 2", &["not JSON"]),
        ("{\"id\": 1} {\"id\": 2}", &["not JSON"]),
        ("{\"id\": 1}\nThat is all.", &["not JSON"]),
        ("{\"text\": \"a\nb\"}", &["not JSON"]),
        ("[\"a\", \"b\" \"c\"]", &["not JSON"]),
    ],
};

const STRICT_JSON: Cases = Cases {
    guardrails: || Guardrails::none().rule(rules::StrictJson),
    good: &[
        "{}",
        "[]",
        "\n[1, 2]\n",
        r#"{"a": {"b": [1e999]}}"#,
        "{\n  \"name\": \"Ann\",\n  \"tags\": []\n}",
        "[[1, 2], [3, 4]]",
        r#"{"emoji": "🚢", "escape": "é"}"#,
    ],
    bad: &[
        (PROSE, &["not JSON"]),
        ("", &["not JSON"]),
        ("42", &["the root is"]),
        ("\"text\"", &["the root is"]),
        ("null", &["the root is"]),
        ("```json\n{}\n```", &["not JSON"]),
        ("Here you are:\n{\"a\": 1}", &["not JSON"]),
        ("{\"a\": 1}\n{\"a\": 2}", &["not JSON"]),
        ("{\"a\": 1, // the first\n\"b\": 2}", &["not JSON"]),
        ("{\"a\": NaN}", &["not JSON"]),
        ("{\"a\": True}", &["not JSON"]),
    ],
};

const MARKDOWN: Cases = Cases {
    guardrails: || Guardrails::none().rule(rules::Markdown),
    good: &[
        PROSE,
        TABLE,
        CODE,
        "",
        "~~~\n```\n~~~",
        "````\n```\n````",
        "> ```\n> quoted\n> ```",
        "One line: ```inline``` code.",
        "a | b\nis not a table | at | all",
        "1. ```\n   x\n   ```",
        "# Title\n\n- one\n- two\n\n1. first\n2. second",
        "```rust\nlet a = b | c | d;\n```",
        "Either `a | b` or `a || b` will do.",
    ],
    bad: &[
        ("```rust\nfn main() {", &["a block of code"]),
        ("````\n```", &["a block of code"]),
        ("```\n~~~", &["a block of code"]),
        ("text\n\n  ```\n  code", &["a block of code"]),
        (
            "| a | b |\n|---|---|\n| 1 |\n| 2 |\n",
            &["1 columns instead of 2"],
        ),
        (
            "a | b\n--- | ---\n1 | 2 | 3\n\na|b\n-|-\n1|2|3",
            &["3 columns instead of 2", "3 columns instead of 2"],
        ),
        ("| a | b |\n|---|\n", &["1 columns instead of 2"]),
        (
            "```python\nprint(1)\n```\n\n```python\nprint(2)\n",
            &["a block of code"],
        ),
        ("- item\n  ```sh\n  ls\n- next", &["a block of code"]),
        (
            "| Name | Age | City |\n|:--|--:|---|\n| Ann | 31 | Oslo |\n| Ben | 29 |\n",
            &["2 columns instead of 3"],
        ),
    ],
};

const LATEX: Cases = Cases {
    guardrails: || Guardrails::none().rule(rules::Latex),
    good: &[
        PROSE,
        TABLE,
        CODE,
        "",
        r"\begin{align} a &= b \\[2pt] \end{align}",
        r"\[ x \] and $$ y $$ and $z$ and \frac{1}{2}",
        r"\begin{a}\begin{b}\end{b}\end{a}",
        r"It costs \$5: \textbf{cheap}",
        "$HOME",
        // Formulas side by side.
        r"$a$$b$ and \frac{1}{2}",
        r"So $\alpha$, $\beta$$\gamma$, and $ x + y $ with \text{spaces}.",
        "The first is $x\n+ y$ over two lines, \\textit{as allowed}.",
        r"$$ f(x) = \text{for $x$ alone} $$",
        // Dollars of money, shells and code.
        r"The rate \frac{1}{12} makes $5 a month, or $60 a year.",
        r"Between $5 and $10, so $x$ is 7.50 \text{USD}.",
        r"US$ 5 is \frac{5}{1} dollars.",
        r"Set `$PATH` first; then \textbf{run} it with $HOME set.",
        "```latex\n\\begin{align}\n```\n\nThe `\\begin{align}` above is cut on purpose.",
        // Brackets that are escaped, not displayed.
        r"Escape the bracket as \[ in a pattern.",
        r"Write a\] for a literal one, and it matches.",
        r"\[draft\] is escaped Markdown.",
    ],
    bad: &[
        (r"\begin{align} a", &[r"\begin{align} without"]),
        (r"a \end{align}", &[r"\end{align} without"]),
        (r"\begin{a} \end{b}", &[r"\begin{a} ends with \end{b}"]),
        (r"\[ x", &[r"\[ without"]),
        (r"x \]", &[r"\] without"]),
        (r"\[ \[ x \]", &[r"\[ in \["]),
        ("$$ x", &["an odd number of $$"]),
        (r"$x$ and $y and \frac{1}{2}", &["an odd number of $"]),
        ("\\[\nE = mc^2\n\nThat is all.", &[r"\[ without"]),
        (
            r"\begin{cases} 1 & $x$ \\ 2 & $y \end{cases}",
            &["an odd number of $"],
        ),
        (
            "The $\\alpha is \\frac{1}{2}.\n\nThen $y$ follows.",
            &["an odd number of $"],
        ),
        (r"$a$$b and \frac{1}{2}", &["an odd number of $"]),
    ],
};

const PATTERN: Cases = Cases {
    guardrails: || Guardrails::none().rule(rules::Patterns::known().phrase("Übergröße am Stück")),
    good: &[
        PROSE,
        TABLE,
        CODE,
        "",
        "alas, an ai language modelling",
        "todo: water the plants",
        "She said: I can.",
        "The model's training data is from 2021.",
        "Insert [tab A] into slot B.",
    ],
    bad: &[
        ("As an AI language model, I like it.", &["meta commentary"]),
        ("Well, AS AN\n  ai Language Model I", &["meta commentary"]),
        (
            "“I’m sorry, but I can’t do that.”",
            &["refusal: \"i'm sorry, but i can't\""],
        ),
        ("It is important to note that it rains.", &["hedging"]),
        ("I cannot help with that", &["refusal"]),
        ("text<|im_end|>", &["prompt leak"]),
        (
            "Dear [insert name], Lorem ipsum dolor",
            &["placeholder", "placeholder"],
        ),
        ("Sure! Here's the thing", &["format collapse"]),
        ("Lorem ipsum, lorem ipsum", &["placeholder"]),
        ("ÜBERGRÖßE AM STÜCK", &["phrase"]),
        ("My knowledge cutoff is in spring.", &["meta commentary"]),
        ("Kind regards,\n[Your Name]", &["placeholder"]),
        (
            "[INST] Translate this [/INST]",
            &["prompt leak", "prompt leak"],
        ),
    ],
};

const ZERO_OUTPUT: Cases = Cases {
    guardrails: || Guardrails::none().rule(rules::ZeroOutput),
    good: &[
        PROSE,
        TABLE,
        CODE,
        "{}",
        "[]",
        "OK",
        "No.",
        " 7\n",
        "aaaaaaaaaa",
        "ha ha ha ha ha",
        "👍",
        "[[],{}]",
        "是",
        "1000000000000",
        "101010101010",
        "=>",
        "`=>`",
        "<=>",
        "!=",
        "-5",
        "C++",
    ],
    bad: &[
        ("", &["no content"]),
        (" \n\t ", &["no content"]),
        ("...", &["punctuation"]),
        ("-- — …", &["punctuation"]),
        ("。、", &["punctuation"]),
        ("{", &["punctuation"]),
        ("aaaaaaaaaaa", &["two different"]),
        ("abababababab", &["two different"]),
        ("------------", &["punctuation"]),
        ("!!!", &["punctuation"]),
        ("``````", &["punctuation"]),
        ("00000000000000", &["two different"]),
        ("\" \"", &["punctuation"]),
    ],
};

const REPETITION: Cases = Cases {
    guardrails: || Guardrails::none().rule(rules::Repetition),
    good: &[
        PROSE,
        TABLE,
        CODE,
        "",
        "No. No. No. No.",
        "A sentence that is long. A sentence that is long.",
        "A sentence that is long. Another. A sentence that is long!\nA sentence that is long",
        // The same lines again and again, but in code, and in a table.
        "```c\nputs(\"a line that is long enough\");\nputs(\"a line that is long enough\");\nputs(\"a line that is long enough\");\n\
         puts(\"a line that is long enough\");\nputs(\"a line that is long enough\");\nputs(\"a line that is long enough\");\n```\nDone.",
        "| City of departure | City of arrival |\n|---|---|\n| Oslo, by the harbour | Bergen, by the harbour |\n\
         | Oslo, by the harbour | Bergen, by the harbour |\n| Oslo, by the harbour | Bergen, by the harbour |\n\
         | Oslo, by the harbour | Bergen, by the harbour |\n",
        "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30",
    ],
    bad: &[
        (
            "A sentence that is long. Another. A sentence that is long.\nA sentence that is long.",
            &["three times"],
        ),
        (
            "The wheels on the bus go round and round and round and round and round and round and round and round and \
             round and round and round and round and round and round and round and round and round and round and round \
             and round and round and round and round and round and round and round",
            &["the end repeats"],
        ),
        // A period of 7, of 13, and of 1.
        (
            "It goes and on and on and on and on and on and on and on and on and on and on and on and on and on and on and \
             on and on and on and on and on and on and on and on and on and on and on and on and on and on and on and on \
             and on and on and",
            &["the end repeats"],
        ),
        (
            "So: The cat sat. The cat sat. The cat sat. The cat sat. The cat sat. The cat sat. The cat sat. The cat sat. \
             The cat sat. The cat sat. The cat sat. The cat sat. The cat sat. The cat sat. The cat sat. The cat sat. The \
             cat sat.",
            &["the end repeats"],
        ),
        (
            "Ooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo\
             ooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo",
            &["the end repeats"],
        ),
        // Behind a block of code, the text counts again.
        (
            "```\ncode\n```\nHere is one more line. Here is one more line. Here is one more line.",
            &["three times"],
        ),
    ],
};
