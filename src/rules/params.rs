//! Parameters: declared by a rule with a type, given a value by default, benchmark or example.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::reader::Reader;
use super::suggest;
use super::yaml::Node;
use crate::diagnostic::codes::rules as codes;
use crate::model::value::Value;

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParamType {
    /// Text.
    Text,
    /// A whole number.
    Int,
    /// True or false.
    Bool,
    /// Permission bits, as octal text.
    Mode,
    /// A list of texts.
    List,
}

const TYPES: &[(&str, ParamType)] = &[
    ("text", ParamType::Text),
    ("int", ParamType::Int),
    ("bool", ParamType::Bool),
    ("mode", ParamType::Mode),
    ("list", ParamType::List),
];

impl ParamType {
    pub(crate) fn name(self) -> &'static str {
        TYPES.iter().find(|(_, ty)| *ty == self).map_or("", |(name, _)| name)
    }
}

/// A parameter with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Param {
    pub(crate) ty: ParamType,
    /// None where nobody gave one: then only types can be checked.
    pub(crate) value: Option<Value>,
    /// How it reads inside text.
    pub(crate) text: Arc<str>,
}

/// The parameters that a rule's text may refer to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Params(pub(crate) BTreeMap<Arc<str>, Param>);

impl Params {
    /// The declarations in `params`, with their defaults.
    pub(crate) fn declared(reader: &mut Reader<'_>, node: Option<&Node>) -> Self {
        let mut params = BTreeMap::new();
        let Some(node) = node else { return Self(params) };
        let Some(entries) = node.as_mapping() else {
            let message = format!("`params` is a mapping, not {}", node.kind());
            reader.error(codes::WRONG_SHAPE, node.span, message);
            return Self(params);
        };
        for (key, node) in entries {
            let what = "a parameter";
            let Some(members) = reader.members(node, what, &["type", "default", "doc"]) else {
                continue;
            };
            if !is_name(&key.text) {
                let message = format!("`{}` is no name of a parameter", key.text);
                let help = Some("use lower case letters, digits and `_`".to_owned());
                reader.report(codes::BAD_VALUE, key.span, message, help);
                continue;
            }
            let ty = reader.required(&members, "type");
            let ty = ty.and_then(|node| reader.word(node, "type of a parameter", TYPES));
            let Some(ty) = ty else { continue };
            let value = match members.get("default") {
                Some(node) => {
                    let Some(value) = value(reader, ty, node) else { continue };
                    Some(value)
                }
                None => None,
            };
            let text = text_of(ty, value.as_ref());
            params.insert(Arc::from(&*key.text), Param { ty, value, text });
        }
        Self(params)
    }

    /// The same with the values of a `with` or `params` mapping.
    pub(crate) fn with(&self, reader: &mut Reader<'_>, node: Option<&Node>) -> Self {
        let mut params = self.clone();
        let Some(node) = node else { return params };
        let Some(entries) = node.as_mapping() else {
            let message = format!("parameters are given as a mapping, not {}", node.kind());
            reader.error(codes::WRONG_SHAPE, node.span, message);
            return params;
        };
        for (key, node) in entries {
            let Some(param) = params.0.get_mut(&*key.text) else {
                let message = format!("the control has no parameter `{}`", key.text);
                let help = suggest::help(&key.text, self.0.keys().map(|name| &**name));
                reader.report(codes::UNKNOWN_PARAMETER, key.span, message, help);
                continue;
            };
            if let Some(value) = value(reader, param.ty, node) {
                param.text = text_of(param.ty, Some(&value));
                param.value = Some(value);
            }
        }
        params
    }

    /// The names of parameters without a value.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.iter().filter(|(_, param)| param.value.is_none()).map(|(name, _)| name)
    }

    /// Adds a text that no rule declares, for its words alone; a parameter of that name stays.
    pub(crate) fn word(&mut self, name: &str, text: &str) {
        let word =
            || Param { ty: ParamType::Text, value: Some(Value::text(text)), text: Arc::from(text) };
        self.0.entry(Arc::from(name)).or_insert_with(word);
    }

    /// What stands for `{name}` in text: its value. Of a list, `{name.first}` is the first item and
    /// `{name.or}` all with an "or" before the last; of bits that must not be set, `{name.rest}` is the
    /// mode that leaves the others.
    fn spoken(&self, name: &str) -> Option<Arc<str>> {
        let Some((name, how)) = name.split_once('.') else {
            return self.0.get(name).map(|param| Arc::clone(&param.text));
        };
        let param = self.0.get(name)?;
        Some(match (how, param.ty, &param.value) {
            ("first", ParamType::List, Some(Value::List(items))) => {
                items.first()?.to_string().into()
            }
            ("or", ParamType::List, Some(Value::List(items))) => alternatives(items).into(),
            ("rest", ParamType::Mode, Some(Value::Int(bits))) => {
                format!("{:04o}", 0o777 & !bits).into()
            }
            ("first" | "or", ParamType::List, None) | ("rest", ParamType::Mode, None) => {
                Arc::clone(&param.text)
            }
            _ => return None,
        })
    }

    /// Text with every `{name}` of a parameter filled in; other braces stay as they are.
    pub(crate) fn fill<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.0.is_empty() || !text.contains('{') {
            return Cow::Borrowed(text);
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (before, after) = rest.split_at(open);
            out.push_str(before);
            let filled = after[1..]
                .find('}')
                .and_then(|close| Some((self.spoken(&after[1..=close])?, &after[close + 2..])));
            match filled {
                Some((words, tail)) => {
                    out.push_str(&words);
                    rest = tail;
                }
                None => {
                    out.push('{');
                    rest = &after[1..];
                }
            }
        }
        out.push_str(rest);
        Cow::Owned(out)
    }
}

/// `a, b or c`.
fn alternatives(items: &[Value]) -> String {
    let mut items: Vec<String> = items.iter().map(Value::to_string).collect();
    let last = items.pop().unwrap_or_default();
    if items.is_empty() { last } else { format!("{} or {last}", items.join(", ")) }
}

/// Whether text can be the name of a parameter.
fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// The parameter that an operand names: `$name` as a whole.
pub(crate) fn reference(text: &str) -> Option<&str> {
    text.strip_prefix('$').filter(|name| is_name(name))
}

/// An operand's text without the dollar that makes another dollar literal.
pub(crate) fn unescaped(text: &str) -> &str {
    if text.starts_with("$$") { &text[1..] } else { text }
}

fn value(reader: &mut Reader<'_>, ty: ParamType, node: &Node) -> Option<Value> {
    let scalar = node.as_scalar();
    let value = match ty {
        ParamType::Text => {
            scalar.filter(|scalar| !scalar.is_null()).map(|scalar| Value::text(&*scalar.text))
        }
        ParamType::Int => scalar.and_then(|scalar| scalar.as_int()).map(Value::Int),
        ParamType::Bool => scalar.and_then(|scalar| scalar.as_bool()).map(Value::Bool),
        ParamType::Mode => scalar.and_then(|scalar| parse_mode(&scalar.text)).map(Value::Int),
        ParamType::List => node.as_sequence().and_then(|items| {
            let text = |item: &Node| item.as_scalar().map(|scalar| Value::text(&*scalar.text));
            items.iter().map(text).collect::<Option<Vec<_>>>().map(|list| Value::List(list.into()))
        }),
    };
    if value.is_none() {
        let message = format!("a parameter of type {} cannot have this value", ty.name());
        reader.error(codes::WRONG_TYPE, node.span, message);
    }
    value
}

/// Permission bits written in octal.
pub(crate) fn parse_mode(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit());
    let mode = if digits { i64::from_str_radix(text, 8).ok()? } else { return None };
    (mode <= 0o7777).then_some(mode)
}

fn text_of(ty: ParamType, value: Option<&Value>) -> Arc<str> {
    match (ty, value) {
        (ParamType::Mode, Some(Value::Int(mode))) => format!("{mode:04o}").into(),
        (_, Some(value)) => value.to_string().into(),
        // Stands in while only types are checked: a path, a pattern and a word at once.
        (_, None) => Arc::from("/x"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_braces_are_filled_in() {
        let mut params = Params::default();
        let list = Value::List(vec![Value::text("a"), Value::text("b")].into());
        let text = text_of(ParamType::List, Some(&list));
        params.0.insert("list".into(), Param { ty: ParamType::List, value: Some(list), text });
        params.word("install", "dnf install");
        params.word("list", "never");
        let (ty, bits) = (ParamType::Mode, Value::Int(0o137));
        let text = text_of(ty, Some(&bits));
        params.0.insert("bits".into(), Param { ty, value: Some(bits), text });
        let filled = params.fill("{install} {list.first} of {list}; ${x} {install.first} {");
        assert_eq!(filled, "dnf install a of a, b; ${x} {install.first} {");
        let filled = params.fill("{list.or}, {bits}, {bits.rest}, {list.rest}");
        assert_eq!(filled, "a or b, 0137, 0640, {list.rest}");
    }
}
