//! Shell text as simple commands, as far as startup files need it: sh(1p). Nothing is expanded.
//! Pure and total.

/// One simple command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The line it begins on, counted from 1.
    pub line: i64,
    /// Its words, quotes removed; assignments before the command are words too.
    pub words: Vec<String>,
    /// Whether it may not run: it stands in a compound command, a function or a subshell, or after
    /// `&&`, `||` or `|`.
    pub conditional: bool,
}

/// Reads shell text.
pub fn commands(text: &str) -> Vec<Command> {
    let mut reader = Reader { rest: text, line: 1, start: 1, ..Reader::default() };
    while let Some(next) = reader.take() {
        reader.step(next);
    }
    reader.end_command(false);
    reader.out
}

/// A compound command that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// `(`
    Subshell,
    /// `case`, whose patterns end with `)`.
    Case,
    /// What a word ends.
    Other,
}

#[derive(Default)]
struct Reader<'a> {
    rest: &'a str,
    line: i64,
    /// Where the command that is being read begins.
    start: i64,
    words: Vec<String>,
    word: Option<String>,
    open: Vec<Open>,
    /// Whether the command stands after `&&`, `||` or `|`.
    chained: bool,
    /// The ends of here-documents that begin on the next line.
    documents: Vec<String>,
    out: Vec<Command>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.rest = self.rest.get(next.len_utf8()..).unwrap_or_default();
        self.line += i64::from(next == '\n');
        Some(next)
    }

    fn accept(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.take();
        }
        there
    }

    /// The word that is being read, begun where there is none.
    fn word(&mut self) -> &mut String {
        if self.word.is_none() && self.words.is_empty() {
            self.start = self.line;
        }
        self.word.get_or_insert_default()
    }

    fn step(&mut self, next: char) {
        match next {
            ' ' | '\t' | '\r' => self.end_word(),
            '\n' => {
                self.end_command(false);
                self.skip_documents();
            }
            '#' if self.word.is_none() => self.skip_to_line_end(),
            '\\' => match self.take() {
                Some('\n') | None => {}
                Some(other) => self.word().push(other),
            },
            '\'' => {
                self.word();
                self.quoted('\'');
            }
            '"' => {
                self.word();
                self.quoted('"');
            }
            '`' => {
                self.word().push('`');
                self.quoted('`');
            }
            '$' => {
                self.word().push('$');
                match self.peek() {
                    Some('(') => self.nested('(', ')'),
                    Some('{') => self.nested('{', '}'),
                    _ => {}
                }
            }
            ';' => self.end_command(false),
            '&' | '|' => {
                let twice = self.accept(next);
                self.end_command(twice || next == '|');
            }
            '(' => self.open_parenthesis(),
            ')' => {
                self.end_word();
                if self.open.last() == Some(&Open::Case) || is_case(&self.words) {
                    // The pattern is no command.
                    let case = is_case(&self.words);
                    self.words.clear();
                    self.open.extend(case.then_some(Open::Case));
                } else {
                    self.end_command(false);
                    self.open.pop();
                }
            }
            '<' if self.accept('<') && !self.accept('<') => self.document(),
            '<' | '>' => {
                // A redirection is no word, nor is the number before it.
                if self.word.as_ref().is_some_and(|w| w.bytes().all(|b| b.is_ascii_digit())) {
                    self.word = None;
                }
                self.end_word();
                while matches!(self.peek(), Some('>' | '&' | '|' | ' ' | '\t')) {
                    self.take();
                }
                while self.peek().is_some_and(|c| !c.is_whitespace() && !";&|()<>".contains(c)) {
                    self.take();
                }
            }
            other => self.word().push(other),
        }
    }

    /// `name()` begins a function, whose body is conditional by its braces; otherwise a subshell.
    fn open_parenthesis(&mut self) {
        self.end_word();
        if self.words.is_empty() || self.open.last() == Some(&Open::Case) {
            if self.open.last() != Some(&Open::Case) {
                self.open.push(Open::Subshell);
            }
        } else if self.accept(')') {
            self.words.clear();
        } else {
            self.end_command(false);
            self.open.push(Open::Subshell);
        }
    }

    fn skip_to_line_end(&mut self) {
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        self.rest = self.rest.get(end..).unwrap_or_default();
    }

    /// Adds what stands up to a closing quote.
    fn quoted(&mut self, quote: char) {
        while let Some(next) = self.take() {
            match next {
                close if close == quote => return,
                '\\' if quote == '"' => match self.take() {
                    Some('\n') | None => {}
                    Some(kept @ ('"' | '\\' | '$' | '`')) => self.word().push(kept),
                    Some(other) => self.word().extend(['\\', other]),
                },
                other => self.word().push(other),
            }
        }
    }

    /// Adds a substitution as it is written.
    fn nested(&mut self, open: char, close: char) {
        let mut depth = 0usize;
        while let Some(next) = self.take() {
            self.word().push(next);
            if next == open {
                depth += 1;
            } else if next == close {
                depth -= 1;
                if depth == 0 {
                    return;
                }
            } else if next == '\\' {
                let escaped = self.take();
                self.word().extend(escaped);
            }
        }
    }

    /// Notes where a here-document ends.
    fn document(&mut self) {
        self.end_word();
        self.accept('-');
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.take();
        }
        let mut end = String::new();
        while let Some(next) = self.peek().filter(|c| !c.is_whitespace() && !";&|<>".contains(*c)) {
            self.take();
            if !matches!(next, '\'' | '"' | '\\') {
                end.push(next);
            }
        }
        self.documents.push(end);
    }

    fn skip_documents(&mut self) {
        for end in std::mem::take(&mut self.documents) {
            while !self.rest.is_empty() {
                let length = self.rest.find('\n').map_or(self.rest.len(), |at| at + 1);
                let (line, rest) = self.rest.split_at(length);
                self.rest = rest;
                self.line += i64::from(line.ends_with('\n'));
                if line.trim_matches(['\t', '\n', '\r']) == end {
                    break;
                }
            }
        }
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
    }

    /// Ends a command; `chains` is whether the next one depends on it.
    fn end_command(&mut self, chains: bool) {
        self.end_word();
        let mut words = std::mem::take(&mut self.words);
        let conditional = self.chained;
        self.chained = chains;
        let mut leading = 0;
        for word in &words {
            match word.as_str() {
                "if" | "while" | "until" | "{" => self.open.push(Open::Other),
                "case" => {
                    self.open.push(Open::Case);
                    return;
                }
                "for" | "select" => {
                    self.open.push(Open::Other);
                    return;
                }
                "fi" | "done" | "esac" | "}" => {
                    self.open.pop();
                    return;
                }
                "function" => return,
                "then" | "else" | "elif" | "do" | "!" | "time" => {}
                _ => break,
            }
            leading += 1;
        }
        words.drain(..leading);
        if !words.is_empty() {
            let conditional = conditional || !self.open.is_empty();
            self.out.push(Command { line: self.start, words, conditional });
        }
    }
}

/// Whether the words are the beginning of `case` up to its first pattern.
fn is_case(words: &[String]) -> bool {
    matches!(words, [case, _, inside, ..] if case == "case" && inside == "in")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Vec<String> {
        commands(text)
            .into_iter()
            .map(|c| {
                format!("{}{} {}", c.line, if c.conditional { "?" } else { "" }, c.words.join("|"))
            })
            .collect()
    }

    #[test]
    fn words_and_lists() {
        assert_eq!(
            shown(
                "A=1; B='x y' C=\"$D\" # no\nreadonly A && export A\n  umask \\\n 027 >/dev/null 2>&1\n"
            ),
            ["1 A=1", "1 B=x y|C=$D", "2 readonly|A", "2? export|A", "3 umask|027"]
        );
    }

    #[test]
    fn compound_commands_make_conditional() {
        let text = "if [ $UID -gt 199 ] && [ x = y ]; then\n  umask 002\nelse umask 022\nfi\n\
                    for i in a b; do\n . $i\ndone\ncase $- in\n *i*) A=1;; (x|y) B=2 ;;\nesac\n\
                    f() {\n umask 1\n}\numask 077\n(umask 3)\numask 4\n";
        let shown = shown(text);
        for line in ["2? umask|002", "3? umask|022", "6? .|$i", "9? A=1", "9? B=2", "12? umask|1"] {
            assert!(shown.iter().any(|s| s == line), "{line}: {shown:?}");
        }
        for line in ["14 umask|077", "15? umask|3", "16 umask|4"] {
            assert!(shown.iter().any(|s| s == line), "{line}: {shown:?}");
        }
    }

    #[test]
    fn documents_and_substitutions_are_no_commands() {
        assert_eq!(
            shown("cat <<'E' >x\numask 0\nE\nA=$(umask 1; b) B=${C:-umask 2}\nD=`umask 3`\n"),
            ["1 cat", "4 A=$(umask 1; b)|B=${C:-umask 2}", "5 D=`umask 3"]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_calmly(text in "[ \\t\"'`\\\\#=;&|(){}<>$a-cifcasdonem\\n]{0,200}") {
            let _ = commands(&text);
        }
    }
}
