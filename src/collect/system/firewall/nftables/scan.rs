//! Cuts nft's language into statements: lines, and the braces of blocks.

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Statement {
    /// Up to a `;` or the end of the line; the braces of sets are part of it.
    Line {
        /// The text, comments left out.
        text: String,
        /// Where it begins.
        line: usize,
    },
    /// What stands before the `{` of a block.
    Open {
        /// The text.
        text: String,
        /// Where it begins.
        line: usize,
    },
    /// The `}` of a block.
    Close,
}

/// Reads statements one after the other; never goes back, so its time is that of the text.
pub(super) struct Scanner<'t> {
    rest: std::iter::Peekable<std::str::Chars<'t>>,
    line: usize,
    closing: bool,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { rest: text.chars().peekable(), line: 1, closing: false }
    }

    /// The next statement where a `{` opens a block.
    pub(super) fn next(&mut self) -> Option<Statement> {
        self.statement(false)
    }

    /// The next statement in a chain, where a `{` opens a set.
    pub(super) fn next_rule(&mut self) -> Option<Statement> {
        self.statement(true)
    }

    /// Passes over the rest of a block.
    pub(super) fn skip(&mut self) {
        let mut depth = 1usize;
        while let Some(statement) = self.next() {
            match statement {
                Statement::Open { .. } => depth += 1,
                Statement::Close => depth -= 1,
                Statement::Line { .. } => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn statement(&mut self, sets: bool) -> Option<Statement> {
        if std::mem::take(&mut self.closing) {
            return Some(Statement::Close);
        }
        let mut text = String::new();
        let mut depth = 0usize;
        let mut start = self.line;
        loop {
            let Some(c) = self.rest.next() else {
                let text = text.trim().to_owned();
                return (!text.is_empty()).then_some(Statement::Line { text, line: start });
            };
            // White space before a statement is never kept, so that this stays cheap.
            let blank = text.is_empty();
            if blank {
                start = self.line;
            }
            match c {
                '\n' | ';' => {
                    self.line += usize::from(c == '\n');
                    if depth > 0 {
                        text.push(if c == ';' { ';' } else { ' ' });
                    } else if !blank {
                        return Some(Statement::Line { text: text.trim().into(), line: start });
                    }
                }
                '#' => while self.rest.next_if(|c| *c != '\n').is_some() {},
                '\\' if self.rest.next_if_eq(&'\n').is_some() => {
                    self.line += 1;
                    if !blank {
                        text.push(' ');
                    }
                }
                c if blank && c.is_whitespace() => {}
                '"' => self.quoted(&mut text),
                '{' if depth > 0 || sets || opens_set(&text) => {
                    depth += 1;
                    text.push(c);
                }
                '{' => return Some(Statement::Open { text: text.trim().into(), line: start }),
                '}' if depth > 0 => {
                    depth -= 1;
                    text.push(c);
                }
                '}' if blank => return Some(Statement::Close),
                '}' => {
                    self.closing = true;
                    return Some(Statement::Line { text: text.trim().into(), line: start });
                }
                c => text.push(c),
            }
        }
    }

    fn quoted(&mut self, text: &mut String) {
        text.push('"');
        for c in self.rest.by_ref() {
            self.line += usize::from(c == '\n');
            text.push(c);
            if c == '"' {
                return;
            }
        }
    }
}

/// Whether a `{` after this text is part of a statement: a rule in a line of its own, a variable.
fn opens_set(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    matches!(words.as_slice(), ["add" | "insert" | "replace", "rule"])
        || matches!(words.first(), Some(&("define" | "redefine" | "elements")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        let mut scanner = Scanner::new(text);
        std::iter::from_fn(|| scanner.next())
            .map(|statement| match statement {
                Statement::Line { text, line } => format!("{line} {text}"),
                Statement::Open { text, line } => format!("{line} {text} {{"),
                Statement::Close => "}".to_owned(),
            })
            .collect()
    }

    #[test]
    fn statements_and_blocks() {
        assert_eq!(
            all("# c\nflush ruleset\ntable ip f { # x\n chain i { a; b }\n}\n"),
            ["2 flush ruleset", "3 table ip f {", "4 chain i {", "4 a", "4 b", "}", "}"]
        );
        assert_eq!(
            all("define p = { 1,\n 2 }\nadd rule f i tcp dport {\n1 } \\\n accept\n"),
            ["1 define p = { 1,  2 }", "3 add rule f i tcp dport { 1 }   accept"]
        );
        assert_eq!(all("a \"x { # ;\" b\n"), ["1 a \"x { # ;\" b"]);
    }

    #[test]
    fn rules_keep_their_sets() {
        let mut scanner = Scanner::new("tcp dport { 22,\n 80 } accept\n}");
        let Some(Statement::Line { text, line: 1 }) = scanner.next_rule() else { panic!() };
        assert_eq!(text, "tcp dport { 22,  80 } accept");
        assert_eq!(scanner.next_rule(), Some(Statement::Close));
        assert_eq!(scanner.next_rule(), None);
    }

    #[test]
    fn damage_ends() {
        for text in ["{", "}", "}}}}", "\"", "\\", "a {", "#", ";;;", "add rule {{{{"] {
            assert!(all(text).len() < 6, "{text}");
        }
        let mut scanner = Scanner::new("a { b { c");
        scanner.next();
        scanner.skip();
        assert_eq!(scanner.next(), None);
    }
}
