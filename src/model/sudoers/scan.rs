//! A place in the text of a sudoers file. Nothing here crosses the end of a line unless a backslash
//! takes it away.

/// The line is not sudoers.
#[derive(Debug)]
pub(super) struct Unreadable;

#[derive(Clone)]
pub(super) struct Scanner<'a> {
    rest: &'a str,
    line: i64,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text, line: 1 }
    }

    /// The line that is being read.
    pub(super) fn line(&self) -> i64 {
        self.line
    }

    /// Drops line ends that a backslash takes away.
    fn join(&mut self) {
        while let Some(after) =
            self.rest.strip_prefix("\\\n").or_else(|| self.rest.strip_prefix("\\\r\n"))
        {
            self.rest = after;
            self.line += 1;
        }
    }

    /// The next character; none at the end of the line.
    pub(super) fn peek(&mut self) -> Option<char> {
        self.join();
        let next = self.rest.chars().next()?;
        (next != '\n' && !self.rest.starts_with("\r\n")).then_some(next)
    }

    /// Takes the next character of the line.
    pub(super) fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.rest = self.rest.get(next.len_utf8()..).unwrap_or_default();
        Some(next)
    }

    pub(super) fn accept(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.take();
        }
        there
    }

    pub(super) fn expect(&mut self, wanted: char) -> Result<(), Unreadable> {
        if self.accept(wanted) { Ok(()) } else { Err(Unreadable) }
    }

    /// Skips white space.
    pub(super) fn blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.take();
        }
    }

    /// Whether the text goes on with this; it takes nothing.
    pub(super) fn is_next(&mut self, text: &str) -> bool {
        self.join();
        self.rest.starts_with(text)
    }

    /// Whether a comment begins here: `#` that begins no user id.
    fn is_comment(&mut self) -> bool {
        self.peek() == Some('#') && {
            let after = self.rest.get(1..).unwrap_or_default();
            !after.strip_prefix('-').unwrap_or(after).starts_with(|c: char| c.is_ascii_digit())
        }
    }

    /// Goes to the line end, which a backslash does not take away in a comment.
    fn skip_line(&mut self) {
        self.rest = self.rest.find('\n').and_then(|end| self.rest.get(end..)).unwrap_or_default();
    }

    /// Goes to the end of an entry, over the line ends that backslashes take away.
    pub(super) fn skip_entry(&mut self) {
        while self.take().is_some() {}
    }

    /// The end of an entry: nothing more on the line, or a comment.
    pub(super) fn end(&mut self) -> Result<(), Unreadable> {
        self.blanks();
        if self.is_comment() {
            self.skip_line();
        }
        if self.peek().is_none() { Ok(()) } else { Err(Unreadable) }
    }

    /// Goes to the next entry; false at the end of the text.
    pub(super) fn next_entry(&mut self) -> bool {
        loop {
            self.blanks();
            if self.peek().is_none() {
                let Some(after) =
                    self.rest.strip_prefix('\n').or_else(|| self.rest.strip_prefix("\r\n"))
                else {
                    return false;
                };
                self.rest = after;
                self.line += 1;
                continue;
            }
            if self.is_comment() && self.keyword_of_include().is_none() {
                self.skip_line();
                continue;
            }
            return true;
        }
    }

    /// The length of an include keyword that stands here, and whether it is of a directory.
    fn keyword_of_include(&self) -> Option<(usize, bool)> {
        let after = self.rest.strip_prefix(['#', '@'])?.strip_prefix("include")?;
        let (after, directory) = match after.strip_prefix("dir") {
            Some(after) => (after, true),
            None => (after, false),
        };
        after.starts_with([' ', '\t', '"']).then(|| (self.rest.len() - after.len(), directory))
    }

    /// Takes an include keyword; gives whether it is of a directory.
    pub(super) fn include_keyword(&mut self) -> Option<bool> {
        let (length, directory) = self.keyword_of_include()?;
        self.rest = self.rest.get(length..).unwrap_or_default();
        Some(directory)
    }

    /// Takes a word that begins the line and is followed by what cannot belong to it.
    pub(super) fn keyword(&mut self, word: &str) -> bool {
        let Some(after) = self.rest.strip_prefix(word) else { return false };
        if after.starts_with(|c: char| c.is_ascii_alphanumeric() || "_-.=,".contains(c)) {
            return false;
        }
        self.rest = after;
        true
    }

    pub(super) fn include_path(&mut self) -> Result<String, Unreadable> {
        self.blanks();
        if self.accept('"') {
            return self.quoted();
        }
        self.word(|c| matches!(c, ' ' | '\t'))
    }

    /// What stands up to a closing quote.
    pub(super) fn quoted(&mut self) -> Result<String, Unreadable> {
        let mut text = String::new();
        loop {
            match self.take().ok_or(Unreadable)? {
                '"' => return Ok(text),
                '\\' if self.peek() == Some('"') => text.extend(self.take()),
                other => text.push(other),
            }
        }
    }

    /// Takes a word with the sign after it, white space between them allowed.
    pub(super) fn keyword_before(&mut self, word: &str, sign: char) -> bool {
        self.join();
        let Some(after) = self.rest.strip_prefix(word) else { return false };
        self.rest = after;
        self.blanks();
        self.accept(sign)
    }

    /// Characters up to one that ends a word; a backslash keeps the one after it.
    pub(super) fn word(&mut self, ends: impl Fn(char) -> bool) -> Result<String, Unreadable> {
        self.word_or_empty(ends)
            .and_then(|text| if text.is_empty() { Err(Unreadable) } else { Ok(text) })
    }

    /// The same where there may be none.
    pub(super) fn word_or_empty(
        &mut self,
        ends: impl Fn(char) -> bool,
    ) -> Result<String, Unreadable> {
        let mut text = String::new();
        while let Some(next) = self.peek() {
            if ends(next) {
                break;
            }
            self.take();
            match next {
                '\\' => text.push(self.take().ok_or(Unreadable)?),
                other => text.push(other),
            }
        }
        Ok(text)
    }

    /// Takes any number of `!`; true where it is odd.
    pub(super) fn negations(&mut self) -> bool {
        let mut negated = false;
        loop {
            self.blanks();
            if !self.accept('!') {
                return negated;
            }
            negated = !negated;
        }
    }

    pub(super) fn setting_name(&mut self) -> Result<String, Unreadable> {
        self.word(|c| !(c.is_ascii_alphanumeric() || c == '_'))
    }

    /// Takes `=`, `+=` or `-=`.
    pub(super) fn operator(&mut self) -> Option<&'static str> {
        let operator = ["+=", "-=", "="].into_iter().find(|operator| self.is_next(operator))?;
        self.rest = self.rest.get(operator.len()..).unwrap_or_default();
        Some(operator)
    }

    pub(super) fn setting_value(&mut self) -> Result<String, Unreadable> {
        self.blanks();
        if self.accept('"') {
            return self.quoted();
        }
        self.word(|c| matches!(c, ' ' | '\t' | ',' | '#' | '"'))
    }

    pub(super) fn alias_name(&mut self) -> Result<String, Unreadable> {
        let name = self.word(|c| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))?;
        if name.starts_with(|c: char| c.is_ascii_uppercase()) { Ok(name) } else { Err(Unreadable) }
    }

    /// A comma-separated list of users, groups, netgroups, hosts or addresses.
    pub(super) fn members(&mut self, hosts: bool) -> Result<Vec<String>, Unreadable> {
        let mut list = Vec::new();
        loop {
            let negated = self.negations();
            self.blanks();
            let member = match hosts.then(|| self.address()).flatten() {
                Some(address) => address,
                None => self.member()?,
            };
            list.push(if negated { format!("!{member}") } else { member });
            self.blanks();
            if !self.accept(',') {
                return Ok(list);
            }
        }
    }

    fn member(&mut self) -> Result<String, Unreadable> {
        if self.accept('"') {
            return self
                .quoted()
                .and_then(|text| if text.is_empty() { Err(Unreadable) } else { Ok(text) });
        }
        // The signs that say what kind of name it is: %group, %:group, +netgroup, #id, %#id.
        let mut sign = String::new();
        while matches!(self.peek(), Some('%' | '+' | '#'))
            || sign.starts_with('%') && self.peek() == Some(':')
        {
            sign.extend(self.take());
        }
        if sign.starts_with('#') && !matches!(self.peek(), Some('0'..='9' | '-')) {
            return Err(Unreadable);
        }
        let name = if self.accept('"') {
            self.quoted()?
        } else {
            self.word(|c| " \t#>!=:,()\"".contains(c))?
        };
        Ok(sign + &name)
    }

    /// An IPv6 address with its mask, whose colons would end a name.
    fn address(&mut self) -> Option<String> {
        self.join();
        let part = |c: char| c.is_ascii_hexdigit() || ":./".contains(c);
        let end = self.rest.find(|c| !part(c)).unwrap_or(self.rest.len());
        let text = self.rest.get(..end)?.trim_end_matches(':');
        let (address, _) = text.split_once('/').unwrap_or((text, ""));
        address.parse::<std::net::Ipv6Addr>().ok()?;
        self.rest = self.rest.get(text.len()..)?;
        Some(text.to_owned())
    }
}
