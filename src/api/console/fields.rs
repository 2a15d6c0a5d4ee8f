//! What forms and addresses say.

/// The most fields of a form; more are not looked at.
const MOST: usize = 512;

/// Names with values, in order.
#[derive(Debug, Default, Clone)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads what browsers send (`application/x-www-form-urlencoded`).
    pub fn read(bytes: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(bytes).take(MOST);
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The first value of a name, without the spaces around it.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    /// The same, where it is not empty.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// Every value of a name.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let of_name = self.0.iter().filter(|(known, _)| known == name);
        of_name.map(|(_, value)| value.trim()).filter(|value| !value.is_empty()).collect()
    }
}

/// The address of a page with members.
pub(super) fn address(path: &str, members: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in members.iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    let query = query.finish();
    let path = format!("{}{path}", super::ROOT);
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

/// Lines of `key=value`, or of keys alone.
pub(super) fn pairs(text: &str) -> Vec<(String, Option<String>)> {
    let line = |line: &str| match line.split_once('=') {
        Some((key, value)) => (key.trim().to_owned(), Some(value.trim().to_owned())),
        None => (line.trim().to_owned(), None),
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_and_addresses_written() {
        let fields = Fields::read(b"a=1&b=%C3%A9+x&a=2&empty=&c");
        assert_eq!(fields.get("b"), "\u{e9} x");
        assert_eq!(fields.all("a"), ["1", "2"]);
        assert_eq!(
            (fields.given("empty"), fields.given("none"), fields.get("c")),
            (None, None, "")
        );
        let many = "x=1&".repeat(10_000);
        assert_eq!(Fields::read(many.as_bytes()).all("x").len(), MOST);
        assert_eq!(address("/runs", &[("a", "<&\"")]), "/console/runs?a=%3C%26%22");
        assert_eq!(pairs("a = b\n\n c\r\n")[1], ("c".to_owned(), None));
        assert_eq!(pairs("a = b=c")[0], ("a".to_owned(), Some("b=c".to_owned())));
    }
}
