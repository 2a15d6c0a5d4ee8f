//! The statements of a configuration file of rsyslog, old and new syntax mixed as they may be. What
//! decides which message a statement sees is skipped: only what is loaded and what is done counts.

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Statement {
    /// `$Name value`.
    Directive(String, String),
    /// `name(parameter="value" ...)`: names in lower case.
    Object(String, Vec<(String, Vec<String>)>),
    /// An action of the old syntax, for example `-/var/log/syslog` or `@@host:514`.
    Action(String),
}

/// Objects of the new syntax that take parameters.
const OBJECTS: [&str; 19] = [
    "action",
    "constant",
    "dyn_stats",
    "global",
    "include",
    "input",
    "list",
    "lookup_table",
    "main_queue",
    "module",
    "parser",
    "perctile_stats",
    "property",
    "ratelimit",
    "ruleset",
    "template",
    "timezone",
    "dynstats",
    "config",
];

/// The statements of a file with the lines they begin on, from 1.
pub(super) fn statements(text: &str) -> Vec<(i64, Statement)> {
    let mut scanner = Scanner { text, at: 0, line: 1, found: Vec::new() };
    while scanner.at < text.len() {
        let before = scanner.at;
        scanner.statement();
        if scanner.at <= before {
            scanner.skip(1);
        }
    }
    scanner.found
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    line: i64,
    found: Vec<(i64, Statement)>,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Goes on by so many bytes, to the next character.
    fn skip(&mut self, bytes: usize) {
        let mut end = self.at.saturating_add(bytes).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        let passed = self.text.get(self.at..end).unwrap_or_default();
        let lines = passed.bytes().filter(|byte| *byte == b'\n').count();
        self.line = self.line.saturating_add(i64::try_from(lines).unwrap_or(i64::MAX));
        self.at = end;
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.skip(rest.find(|c| !wanted(c)).unwrap_or(rest.len()));
    }

    /// Skips white space and comments.
    fn skip_blank(&mut self) {
        loop {
            self.skip_while(char::is_whitespace);
            let rest = self.rest();
            if rest.starts_with('#') {
                self.skip_while(|c| c != '\n');
            } else if rest.starts_with("/*") {
                self.skip(rest.find("*/").map_or(rest.len(), |end| end + 2));
            } else {
                return;
            }
        }
    }

    /// What is left of the line, lines that end in a backslash joined.
    fn line(&mut self) -> String {
        let mut joined = String::new();
        loop {
            let rest = self.rest();
            let end = rest.find('\n').unwrap_or(rest.len());
            let line = rest.get(..end).unwrap_or_default().trim_end();
            self.skip(end.saturating_add(1));
            match line.strip_suffix('\\') {
                Some(line) if self.at < self.text.len() => {
                    joined.push_str(line);
                    joined.push(' ');
                }
                _ => {
                    joined.push_str(line);
                    return joined.trim().to_owned();
                }
            }
        }
    }

    fn word(&self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
        rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
    }

    fn statement(&mut self) {
        self.skip_blank();
        let line = self.line;
        match self.peek() {
            None => {}
            Some('{' | '}' | ';' | '\\') => self.skip(1),
            Some('$') => {
                let text = self.line();
                let text = text.trim_start_matches('$');
                let end = text.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(text.len());
                let (name, value) = text.split_at(end);
                let value = value.trim_start_matches(|c: char| c.is_whitespace() || c == '=');
                let directive = Statement::Directive(name.to_ascii_lowercase(), value.to_owned());
                self.found.push((line, directive));
            }
            Some('&') => {
                self.skip(1);
                self.skip_while(|c| c == ' ' || c == '\t');
            }
            // Blocks for one program or host.
            Some('!' | '+') => drop(self.line()),
            Some(':') if self.is_filter() => self.filter(),
            Some(':' | '/' | '-' | '|' | '@' | '?' | '>' | '^' | '~') => self.action(line),
            Some(_) => self.words(line),
        }
    }

    fn action(&mut self, line: i64) {
        let text = self.line();
        self.found.push((line, Statement::Action(text)));
    }

    /// `:property, operation, "value"`, not `:module:parameter`.
    fn is_filter(&self) -> bool {
        let line = self.rest().lines().next().unwrap_or_default();
        let inner = line.get(1..).unwrap_or_default();
        inner.find([',', ':']).is_some_and(|at| inner.get(at..).is_some_and(|r| r.starts_with(',')))
    }

    /// A filter by property ends with its quoted value.
    fn filter(&mut self) {
        self.skip_while(|c| c != '"' && c != '\n');
        if self.peek() == Some('"') {
            self.quoted('"');
        }
    }

    /// Keywords, objects, selectors.
    fn words(&mut self, line: i64) {
        let word = self.word();
        let lower = word.to_ascii_lowercase();
        match lower.as_str() {
            "if" | "foreach" => {
                self.skip(word.len());
                self.expression();
            }
            "else" | "then" | "do" | "stop" | "continue" => self.skip(word.len()),
            "set" | "unset" | "reset" | "call_indirect" => {
                self.skip(word.len());
                self.until_semicolon();
            }
            "call" => drop(self.line()),
            _ if OBJECTS.contains(&lower.as_str()) && self.opens(word) => {
                self.object(line, lower);
            }
            _ if self.is_selector() => self.skip_while(|c| !c.is_whitespace()),
            // Messages to users.
            _ => drop(self.line()),
        }
    }

    fn opens(&self, word: &str) -> bool {
        self.rest().get(word.len()..).is_some_and(|rest| rest.trim_start().starts_with('('))
    }

    /// `facility.priority;...`
    fn is_selector(&self) -> bool {
        let word = self.rest().split_whitespace().next().unwrap_or_default();
        word.split(';').next().is_some_and(|first| first.contains('.'))
    }

    /// To the `then` or `do` that ends a condition; what it holds in quotes is no keyword.
    fn expression(&mut self) {
        loop {
            self.skip_blank();
            match self.peek() {
                None => return,
                Some(quote @ ('"' | '\'' | '`')) => self.quoted(quote),
                Some(c) if c.is_ascii_alphanumeric() || c == '_' => {
                    let word = self.word();
                    self.skip(word.len());
                    if word.eq_ignore_ascii_case("then") || word.eq_ignore_ascii_case("do") {
                        return;
                    }
                }
                Some('{') => return,
                Some(_) => self.skip(1),
            }
        }
    }

    fn until_semicolon(&mut self) {
        loop {
            self.skip_blank();
            match self.peek() {
                None => return,
                Some(';') => return self.skip(1),
                Some(quote @ ('"' | '\'' | '`')) => self.quoted(quote),
                Some(_) => self.skip(1),
            }
        }
    }

    /// Passes over a quoted text, whose value it gives; a backslash takes the next character as it is.
    fn text(&mut self, quote: char) -> String {
        let mut value = String::new();
        let mut escaped = false;
        let rest = self.rest();
        for (at, c) in rest.char_indices().skip(1) {
            match c {
                _ if escaped => {
                    value.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                _ if c == quote => {
                    self.skip(at + c.len_utf8());
                    return value;
                }
                _ => value.push(c),
            }
        }
        self.skip(rest.len());
        value
    }

    fn quoted(&mut self, quote: char) {
        drop(self.text(quote));
    }

    fn object(&mut self, line: i64, name: String) {
        self.skip_while(|c| c != '(');
        self.skip(1);
        let mut parameters: Vec<(String, Vec<String>)> = Vec::new();
        loop {
            self.skip_blank();
            match self.peek() {
                None | Some(')') => {
                    self.skip(1);
                    break;
                }
                Some(c) if c.is_ascii_alphanumeric() || c == '_' || c == '.' => {
                    let key = self.word();
                    self.skip(key.len());
                    self.skip_blank();
                    if self.peek() != Some('=') {
                        continue;
                    }
                    self.skip(1);
                    self.skip_blank();
                    let values = self.values();
                    parameters.push((key.to_ascii_lowercase(), values));
                }
                Some(_) => self.skip(1),
            }
        }
        self.found.push((line, Statement::Object(name, parameters)));
    }

    /// A quoted value, or several in brackets.
    fn values(&mut self) -> Vec<String> {
        match self.peek() {
            Some(quote @ ('"' | '`')) => vec![self.text(quote)],
            Some('[') => {
                self.skip(1);
                let mut values = Vec::new();
                loop {
                    self.skip_blank();
                    match self.peek() {
                        Some(quote @ ('"' | '`')) => values.push(self.text(quote)),
                        None | Some(']') => {
                            self.skip(1);
                            return values;
                        }
                        Some(_) => self.skip(1),
                    }
                }
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        statements(text)
            .into_iter()
            .map(|(line, statement)| match statement {
                Statement::Directive(name, value) => format!("{line} ${name} {value}"),
                Statement::Object(name, parameters) => {
                    let parameters: Vec<String> = parameters
                        .iter()
                        .map(|(key, values)| format!("{key}={}", values.join("+")))
                        .collect();
                    format!("{line} {name}({})", parameters.join(" "))
                }
                Statement::Action(text) => format!("{line} {text}"),
            })
            .collect()
    }

    #[test]
    fn old_and_new_syntax_stand_side_by_side() {
        let text = r#"# comment
$FileCreateMode 0640
*.info;mail.none;authpriv.none	-/var/log/messages;Format
& @@(z9)[::1]:514
*.emerg :omusrmsg:*
:msg, contains, "a \" /x" /var/log/a
Module ( load = "imtcp"
  # why
  StreamDriver.Name="gtls" )
if $msg contains '/then' and not ($x == "y") then {
  action(type="omfwd" Target=["a", "b"])
  /var/log/b
  stop
} else -/var/log/c
/* $FileCreateMode 0600
*/ set $.x = "a;b"; call other
ruleset(name="r") { action(type="omfile" file="/d") }
!prog
*.*  \
  ?dynamic
"#;
        assert_eq!(
            shown(text),
            [
                "2 $filecreatemode 0640",
                "3 -/var/log/messages;Format",
                "4 @@(z9)[::1]:514",
                "5 :omusrmsg:*",
                "6 /var/log/a",
                "7 module(load=imtcp streamdriver.name=gtls)",
                "11 action(type=omfwd target=a+b)",
                "12 /var/log/b",
                "14 -/var/log/c",
                "17 ruleset(name=r)",
                "17 action(type=omfile file=/d)",
                "20 ?dynamic",
            ]
        );
    }

    #[test]
    fn whatever_the_text_is_it_ends() {
        for text in ["if ", "action(", "action(x=[", ":a,b", "set x", "\"", "$", "é(", "&", "*.*"]
        {
            statements(text);
        }
    }
}
