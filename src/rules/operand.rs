//! Operands: literal values and parameters, by the type that is wanted.

use std::sync::Arc;

use super::params::{self, Param, ParamType, Params};
use super::reader::Reader;
use super::suggest;
use super::yaml::{Node, Scalar};
use crate::diagnostic::codes::rules as codes;
use crate::model::facts::is_under;
use crate::model::schema::ColumnType;
use crate::model::value::Value;

/// What reading operands needs.
pub(crate) struct Operands<'r, 't> {
    pub(crate) reader: &'r mut Reader<'t>,
    pub(crate) params: &'r Params,
    /// Whether patterns are compiled now; those of the embedded rules were checked by the tests.
    pub(crate) check_patterns: bool,
}

impl Operands<'_, '_> {
    fn mismatch<T>(&mut self, node: &Node, wanted: &str) -> Option<T> {
        let seen = match node.as_scalar() {
            Some(scalar) if !scalar.is_null() => format!("`{}`", scalar.text),
            _ => node.kind().to_owned(),
        };
        self.reader.error(codes::WRONG_TYPE, node.span, format!("{seen} is not {wanted}"));
        None
    }
}

/// The parameter that an operand names as a whole. `Err` where it names one that is not declared.
fn parameter<'p>(cx: &mut Operands<'p, '_>, node: &Node) -> Result<Option<&'p Param>, ()> {
    let name = node.as_scalar().and_then(|scalar| params::reference(&scalar.text));
    let Some(name) = name else { return Ok(None) };
    let params = cx.params;
    match params.0.get(name) {
        Some(param) => Ok(Some(param)),
        None => {
            let message = format!("there is no parameter `{name}`");
            let help = suggest::help(name, params.0.keys().map(|name| &**name))
                .or_else(|| Some("`$$` begins a literal dollar".to_owned()));
            cx.reader.report(codes::UNKNOWN_PARAMETER, node.span, message, help);
            Err(())
        }
    }
}

/// The scalar of an operand, as it is written.
fn scalar<'n>(cx: &mut Operands<'_, '_>, node: &'n Node, wanted: &str) -> Option<&'n Scalar> {
    match node.as_scalar() {
        Some(scalar) if !scalar.is_null() => Some(scalar),
        _ => cx.mismatch(node, wanted),
    }
}

/// A text: a parameter, or as written with the parameters in it filled in.
pub(crate) fn text(cx: &mut Operands<'_, '_>, node: &Node) -> Option<Arc<str>> {
    if let Some(param) = parameter(cx, node).ok()? {
        return match param.ty {
            ParamType::List => cx.mismatch(node, "text"),
            _ => Some(Arc::clone(&param.text)),
        };
    }
    let scalar = scalar(cx, node, "text")?;
    Some(match cx.params.fill(params::unescaped(&scalar.text)) {
        std::borrow::Cow::Borrowed(text) => Arc::from(text),
        std::borrow::Cow::Owned(text) => text.into(),
    })
}

/// A truth value.
pub(crate) fn bool(cx: &mut Operands<'_, '_>, node: &Node) -> Option<bool> {
    match value(cx, ColumnType::Bool, node)? {
        Value::Bool(bool) => Some(bool),
        _ => None,
    }
}

/// A number, or a mode.
pub(crate) fn int(cx: &mut Operands<'_, '_>, ty: ColumnType, node: &Node) -> Option<i64> {
    value(cx, ty, node)?.as_int()
}

/// Bits: a mode, which of an int column too is written as octal text.
pub(crate) fn bits(cx: &mut Operands<'_, '_>, ty: ColumnType, node: &Node) -> Option<i64> {
    if ty == ColumnType::Int
        && let Some(scalar) = node.as_scalar()
        && !scalar.plain
        && let Some(mode) = params::parse_mode(&scalar.text)
    {
        return Some(mode);
    }
    value(cx, ty, node)?.as_int()
}

/// A value of a column's type.
pub(crate) fn value(cx: &mut Operands<'_, '_>, ty: ColumnType, node: &Node) -> Option<Value> {
    if let Some(param) = parameter(cx, node).ok()? {
        return from_parameter(cx, ty, node, param);
    }
    match ty {
        ColumnType::Bool => {
            let scalar = scalar(cx, node, "true or false")?;
            match scalar.as_bool() {
                Some(bool) => Some(Value::Bool(bool)),
                None => cx.mismatch(node, "true or false"),
            }
        }
        ColumnType::Int | ColumnType::Time => {
            let scalar = scalar(cx, node, "a whole number")?;
            match scalar.as_int() {
                Some(int) => Some(Value::Int(int)),
                None => cx.mismatch(node, "a whole number"),
            }
        }
        ColumnType::Mode => {
            let scalar = scalar(cx, node, "a mode such as \"0644\"")?;
            match params::parse_mode(&scalar.text) {
                Some(mode) => Some(Value::Int(mode)),
                None => cx.mismatch(node, "a mode such as \"0644\""),
            }
        }
        ColumnType::Path => {
            let path = text(cx, node)?;
            // An empty path is what some columns hold for "none given", a shell for example.
            if !path.is_empty() {
                super::condition::absolute(cx, &path, node.span)?;
            }
            Some(Value::Text(path))
        }
        ColumnType::Text | ColumnType::Version => text(cx, node).map(Value::Text),
        ColumnType::TextList => values(cx, ColumnType::Text, node).map(|l| Value::List(l.into())),
        ColumnType::IntList => values(cx, ColumnType::Int, node).map(|l| Value::List(l.into())),
    }
}

/// A list of values of a type; a list parameter stands for its elements.
pub(crate) fn values(cx: &mut Operands<'_, '_>, ty: ColumnType, node: &Node) -> Option<Vec<Value>> {
    if let Some(param) = parameter(cx, node).ok()? {
        return match (&param.value, param.ty) {
            (Some(Value::List(list)), _) if ty.is_text() => Some(list.to_vec()),
            (None, ParamType::List) if ty.is_text() => Some(vec![Value::text("/x")]),
            _ => cx.mismatch(node, "a list that fits the column"),
        };
    }
    let Some(items) = node.as_sequence() else { return cx.mismatch(node, "a list") };
    if items.is_empty() {
        let message = "an empty list makes the condition the same for every row";
        cx.reader.error(codes::ALWAYS_SAME, node.span, message);
        return None;
    }
    let values: Vec<_> = items.iter().map(|item| value(cx, ty, item)).collect();
    values.into_iter().collect()
}

fn from_parameter(
    cx: &mut Operands<'_, '_>,
    ty: ColumnType,
    node: &Node,
    param: &Param,
) -> Option<Value> {
    let fits = match param.ty {
        ParamType::Text => ty.is_text(),
        ParamType::Int => matches!(ty, ColumnType::Int | ColumnType::Time | ColumnType::Text),
        ParamType::Bool => ty == ColumnType::Bool,
        ParamType::Mode => matches!(ty, ColumnType::Mode | ColumnType::Int),
        ParamType::List => ty == ColumnType::TextList,
    };
    if !fits {
        let wanted = format!("{}: the parameter is of type {}", ty.name(), param.ty.name());
        return cx.mismatch(node, &wanted);
    }
    Some(match (&param.value, ty) {
        (_, ty) if ty.is_text() => Value::Text(Arc::clone(&param.text)),
        (Some(value), _) => value.clone(),
        (None, ColumnType::Bool) => Value::Bool(false),
        (None, ColumnType::TextList) => Value::List(Arc::from([Value::text("/x")])),
        (None, _) => Value::Int(0),
    })
}

/// One directory or several; those below another of the list are left out.
pub(crate) fn directories(cx: &mut Operands<'_, '_>, node: &Node) -> Option<Vec<Arc<str>>> {
    let list = match node.as_sequence() {
        None if !matches!(parameter(cx, node).ok()?, Some(param) if param.ty == ParamType::List) => {
            vec![value(cx, ColumnType::Path, node)?]
        }
        _ => values(cx, ColumnType::Path, node)?,
    };
    let mut directories: Vec<Arc<str>> = Vec::new();
    for value in &list {
        let Value::Text(text) = value else { return None };
        super::condition::absolute(cx, text, node.span)?;
        let trimmed = if text.len() > 1 { text.trim_end_matches('/') } else { text };
        directories.push(Arc::from(trimmed));
    }
    directories.sort();
    directories.dedup();
    let all = directories.clone();
    directories.retain(|directory| !all.iter().any(|other| is_under(directory, other)));
    Some(directories)
}

/// A duration such as `90d`, in seconds.
pub(crate) fn duration(cx: &mut Operands<'_, '_>, node: &Node) -> Option<i64> {
    let unbound = parameter(cx, node).ok()?.is_some_and(|param| param.value.is_none());
    let text = text(cx, node)?;
    let seconds = text.char_indices().last().and_then(|(end, unit)| {
        let factor = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return None,
        };
        let number: i64 = text[..end].parse().ok()?;
        if number < 0 { None } else { number.checked_mul(factor) }
    });
    match seconds {
        None if unbound => Some(0),
        None => cx.mismatch(node, "a duration such as `90d` (s, m, h, d)"),
        seconds => seconds,
    }
}
