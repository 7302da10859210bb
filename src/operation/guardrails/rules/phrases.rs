//! Phrases that give a model away.

/// Kinds of phrases, each with its phrases, in lower case and separated by semicolons. White space before one is left
/// out.
pub(super) const KNOWN: &[(&str, &str)] = &[
    (
        "meta commentary",
        "as an ai language model; as a large language model; as an ai assistant; as an ai model; as an ai, i; \
         i am an ai; i'm an ai; i'm just an ai; my training data; my knowledge cutoff; \
         my last knowledge update",
    ),
    (
        "hedging",
        "it's important to note that; it is important to note that; it's worth noting that; \
         it is worth noting that; please note that i; i may be wrong, but; i could be wrong, but",
    ),
    (
        "refusal",
        "i can't assist with; i cannot assist with; i can't help with; i cannot help with; i can't provide; \
         i cannot provide; i can't fulfill; i cannot fulfill; i can't comply; i cannot comply; \
         i'm not able to help; i am not able to help; i'm unable to; i am unable to; i won't be able to; \
         i must decline; i'm sorry, but i can't; i'm sorry, but i cannot; against my guidelines; \
         against my programming",
    ),
    (
        "prompt leak",
        "<|im_start|>; <|im_end|>; <|endoftext|>; <|system|>; <|user|>; <|assistant|>; [inst]; [/inst]; \
         <<sys>>; my system prompt; my instructions say; i was instructed to",
    ),
    (
        "placeholder",
        "[insert ; [your ; [todo; [placeholder; [name]; [date]; <insert ; <your ; {{insert; lorem ipsum",
    ),
    (
        "format collapse",
        "here is the json; here's the json; here is the code you; here's the code you; \
         here is your requested; here's your requested; sure, here is; sure, here's; sure! here is; \
         sure! here's; certainly! here",
    ),
];
