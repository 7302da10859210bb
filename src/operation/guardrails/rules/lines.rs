//! Text without the code in it.

/// The lines of a text, and whether each belongs to a fenced block of code.
pub(super) struct Lines<'a> {
    rest: &'a str,
    at: usize,
    fences: Fences,
}

/// A line, without its end.
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    /// Where it begins, in bytes.
    pub(super) at: usize,
    /// Whether it is code, or the fence of code.
    pub(super) is_code: bool,
}

impl<'a> Lines<'a> {
    pub(super) const fn new(content: &'a str) -> Self {
        Self {
            rest: content,
            at: 0,
            fences: Fences::new(),
        }
    }

    /// Returns where the fence is that is not closed yet.
    pub(super) fn open_fence(&self) -> Option<usize> {
        self.fences.open.map(|fence| fence.at)
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        // The last line has no end of its own.
        let length = self.rest.find('\n').map_or(self.rest.len(), |end| end + 1);
        let (line, rest) = self.rest.split_at(length);
        let (at, text) = (self.at, line.trim_end_matches(['\n', '\r']));
        self.rest = rest;
        self.at += length;
        let is_code = self.fences.is_code(text, at);
        Some(Line { text, at, is_code })
    }
}

/// Follows the fences of code from line to line.
#[derive(Debug, Default)]
pub(super) struct Fences {
    open: Option<Fence>,
}

#[derive(Clone, Copy, Debug)]
struct Fence {
    /// The mark that it is made of; its number is `length`, and it is closed by as many.
    marker: u8,
    length: usize,
    /// Where its line begins, in bytes.
    at: usize,
}

impl Fences {
    pub(super) const fn new() -> Self {
        Self { open: None }
    }

    /// Returns whether the next line, which begins at `at`, is code or the fence of code.
    pub(super) fn is_code(&mut self, line: &str, at: usize) -> bool {
        // Within a block, the line that closes it belongs to it, and so does everything before that.
        if let Some(fence) = self.open {
            if closes(line, fence) {
                self.open = None;
            }
            return true;
        }
        self.open = opens(line, at);
        self.open.is_some()
    }
}

/// Returns the fence that a line opens. It may be indented, quoted, or the first thing in an item of a list.
fn opens(line: &str, at: usize) -> Option<Fence> {
    // What may stand before it: spaces, marks of a quotation, and the bullet or the number of an item.
    let mut text = line.trim_start_matches(|c: char| c.is_whitespace() || c == '>');
    if let Some(item) = text.strip_prefix(['-', '*', '+']) {
        if item.starts_with(' ') {
            text = item.trim_start();
        }
    } else {
        let item = text.trim_start_matches(|c: char| c.is_ascii_digit());
        if let Some(item) = item.strip_prefix(". ").filter(|_| item.len() < text.len()) {
            text = item.trim_start();
        }
    }
    // A fence is three marks at least. Backticks that come again in the line are code within the text.
    let marker = text.bytes().next().filter(|byte| b"`~".contains(byte))?;
    let length = run(text, marker);
    let is_inline = marker == b'`' && text[length..].contains('`');
    (length >= 3 && !is_inline).then_some(Fence { marker, length, at })
}

fn closes(line: &str, fence: Fence) -> bool {
    let text = line.trim_start_matches(|c: char| c.is_whitespace() || c == '>');
    let length = run(text, fence.marker);
    length >= fence.length && text[length..].trim().is_empty()
}

/// Returns the number of these bytes, which are ASCII, that a text begins with.
fn run(text: &str, marker: u8) -> usize {
    text.bytes().take_while(|&byte| byte == marker).count()
}

/// Returns the parts of a line that are not between backticks, and where they begin.
pub(super) fn without_code_spans(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    core::iter::from_fn(move || {
        let rest = line.get(at..).filter(|rest| !rest.is_empty())?;
        // A span begins with as many backticks as it ends with. What is not closed is text.
        let begin = at;
        let mut tick = 0;
        while let Some(found) = rest[tick..].find('`') {
            let open = tick + found;
            let length = run(&rest[open..], b'`');
            let inside = open + length;
            if let Some(end) = closing_ticks(&rest[inside..], length) {
                at = begin + inside + end;
                return Some((begin, &rest[..open]));
            }
            tick = inside;
        }
        at = line.len();
        Some((begin, rest))
    })
}

/// Returns where the text behind the next run of exactly this many backticks begins.
fn closing_ticks(text: &str, length: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        // A run of another length is text of the span.
        let begin = at + found;
        let ticks = run(&text[begin..], b'`');
        at = begin + ticks;
        if ticks == length {
            return Some(at);
        }
    }
    None
}
