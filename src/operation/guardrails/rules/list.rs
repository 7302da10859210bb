//! Many phrases, found at once.

use alloc::string::String;
use alloc::vec::Vec;

/// Phrases, in a tree of their characters: the first node is the root.
#[derive(Clone, Default)]
pub(super) struct List {
    phrases: Vec<Phrase>,
    nodes: Vec<Node>,
    /// Which characters of ASCII phrases begin with, in whatever case, a bit each.
    begin: u128,
}

#[derive(Clone)]
pub(super) struct Phrase {
    pub(super) kind: &'static str,
    pub(super) text: String,
}

#[derive(Clone, Default)]
struct Node {
    children: Vec<(char, usize)>,
    /// The phrase that ends here.
    phrase: Option<usize>,
}

/// The beginning of a text.
pub(super) enum Found {
    /// This phrase, the longest of several.
    Phrase(usize),
    Nothing,
    /// The text ends before that is clear.
    TooEarly,
}

/// The number of characters of white space that are as good as one.
const GAP: usize = 8;

impl List {
    pub(super) fn phrases(&self) -> &[Phrase] {
        &self.phrases
    }

    /// Adds a phrase whose characters are [folded](fold).
    pub(super) fn add(&mut self, kind: &'static str, text: &str) {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        // The bits spare most characters of a text the way into the tree.
        if let Some(first) = text.chars().next().filter(char::is_ascii) {
            self.begin |= 1 << u32::from(first) | 1 << u32::from(first.to_ascii_uppercase());
        }
        // Down the tree, which grows where it ends.
        let mut node = 0;
        for c in text.chars() {
            node = self.child(node, c).unwrap_or_else(|| {
                let child = self.nodes.len();
                self.nodes.push(Node::default());
                self.nodes[node].children.push((c, child));
                child
            });
        }
        let text = text.into();
        self.nodes[node].phrase = Some(self.phrases.len());
        self.phrases.push(Phrase { kind, text });
    }

    fn child(&self, node: usize, c: char) -> Option<usize> {
        let mut children = self.nodes[node].children.iter();
        children.find(|(of, _)| *of == c).map(|(_, child)| *child)
    }

    /// Returns whether a phrase may begin with this character.
    #[inline]
    pub(super) fn begins(&self, c: char) -> bool {
        if c.is_ascii() {
            self.begin >> u32::from(c) & 1 != 0
        } else {
            !self.nodes.is_empty() && self.child(0, fold(c)).is_some()
        }
    }

    /// Returns which phrase a text begins with, if the phrase ends where a word does.
    pub(super) fn find(&self, text: &str, ended: bool, looked_at: &mut usize) -> Found {
        let mut rest = text.chars();
        let mut found = Found::Nothing;
        let (mut node, mut last) = (0, ' ');
        loop {
            // A phrase that ends here counts if a word ends here, too. A longer one may follow.
            let next = rest.clone().next();
            if let Some(phrase) = self.nodes[node].phrase {
                match next {
                    Some(c) if c.is_alphanumeric() && last.is_alphanumeric() => {}
                    // It may go on with a letter, and be another word.
                    None if last.is_alphanumeric() && !ended => return Found::TooEarly,
                    _ => found = Found::Phrase(phrase),
                }
            }
            // Nothing longer, or no more text to tell.
            if self.nodes[node].children.is_empty() {
                return found;
            }
            let Some(c) = next else {
                return if ended { found } else { Found::TooEarly };
            };
            // Down by one character, and past the white space behind white space.
            *looked_at += c.len_utf8();
            last = fold(c);
            match self.child(node, last) {
                Some(child) => node = child,
                None => return found,
            }
            rest.next();
            for _ in 1..GAP {
                match rest.clone().next() {
                    Some(c) if last == ' ' && c.is_whitespace() => {
                        *looked_at += c.len_utf8();
                        rest.next();
                    }
                    _ => break,
                }
            }
        }
    }
}

/// Returns the same for characters that differ by case or by typography only, and for all white space.
pub(super) fn fold(c: char) -> char {
    match c {
        '’' => '\'',
        _ if c.is_whitespace() => ' ',
        _ if c.is_ascii() => c.to_ascii_lowercase(),
        _ => c.to_lowercase().next().unwrap_or(c),
    }
}
