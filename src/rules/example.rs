//! The examples of a rule file: facts in memory and the verdict they must get.

use std::sync::Arc;

use super::condition;
use super::operand::Operands;
use super::params::Params;
use super::reader::Reader;
use super::rule::{plain, required_text};
use super::suggest;
use super::yaml::{Node, Span};
use crate::diagnostic::codes::rules as codes;
use crate::model::cell::{Fact as _, Time};
use crate::model::facts::{MemoryFacts, Rows};
use crate::model::schema::{ColumnType, Origin, TableSchema};
use crate::model::state::TableState;
use crate::model::table::{self, ConfigFile, File, Host};
use crate::model::value::Value;

const MEMBERS: &[&str] = &["name", "verdict", "facts", "params", "evidence"];
const VERDICTS: &[&str] = &["pass", "fail", "not_applicable", "unknown"];
/// The most examples of one file.
const MAX_EXAMPLES: usize = 200;
/// When example hosts were looked at: 2026-01-01.
const COLLECTED_AT: i64 = 1_767_225_600;

/// One example.
pub(crate) struct Example {
    pub(crate) name: Arc<str>,
    /// Where to point when it fails: its name.
    pub(crate) span: Span,
    pub(crate) verdict: &'static str,
    pub(crate) facts: MemoryFacts,
    pub(crate) params: Params,
    pub(crate) evidence: Option<(Vec<Arc<str>>, Span)>,
}

/// The examples of a file, with the mistakes in them reported.
pub(crate) fn examples(reader: &mut Reader<'_>, node: &Node, params: &Params) -> Vec<Example> {
    let Some(list) = node.get("examples") else {
        let span = node.as_mapping().and_then(|entries| entries.first());
        let span = span.map_or(node.span, |(key, _)| key.span);
        reader.error(codes::EXAMPLE_MISSING, span, "the file has no `examples`");
        return Vec::new();
    };
    let items = reader.list(list, "`examples`").unwrap_or_default();
    if items.len() > MAX_EXAMPLES {
        let message = format!("more than {MAX_EXAMPLES} examples");
        reader.error(codes::LIMIT, list.span, message);
        return Vec::new();
    }
    let before = reader.diagnostics.len();
    let examples: Vec<Example> =
        items.iter().filter_map(|item| example(reader, item, params)).collect();
    if reader.diagnostics.len() == before {
        for verdict in ["pass", "fail"] {
            if !examples.iter().any(|example| example.verdict == verdict) {
                let message = format!("no example has the verdict `{verdict}`");
                reader.error(codes::EXAMPLE_MISSING, list.span, message);
            }
        }
    }
    examples
}

fn example(reader: &mut Reader<'_>, node: &Node, params: &Params) -> Option<Example> {
    let members = reader.members(node, "an example", MEMBERS)?;
    let none = Params::default();
    let name = required_text(&mut plain(reader, &none, false), &members, "name");
    let words: Vec<(&str, &'static str)> = VERDICTS.iter().map(|word| (*word, *word)).collect();
    let verdict = reader.required(&members, "verdict");
    let verdict = verdict.and_then(|node| reader.word(node, "verdict", &words));
    let facts = reader.required(&members, "facts").map(|node| facts(reader, node));
    let params = params.with(reader, members.get("params"));
    let evidence =
        members.get("evidence").map(|node| (reader.texts(node, "a location"), node.span));
    for missing in params.missing() {
        let message = format!("the example gives no value to the parameter `{missing}`");
        reader.error(codes::MISSING_PARAMETER, members.span(), message);
    }
    let span = members.get("name").map_or(node.span, |node| node.span);
    Some(Example { name: name?, span, verdict: verdict?, facts: facts??, params, evidence })
}

fn facts(reader: &mut Reader<'_>, node: &Node) -> Option<MemoryFacts> {
    let Some(entries) = node.as_mapping() else {
        let message = format!("`facts` is a mapping of tables, not {}", node.kind());
        reader.error(codes::WRONG_SHAPE, node.span, message);
        return None;
    };
    let before = reader.diagnostics.len();
    let mut facts = MemoryFacts::new();
    let params = Params::default();
    for (key, node) in entries {
        let Some(schema) = table::find(&key.text) else {
            let message = format!("there is no table `{}`", key.text);
            let help = suggest::help(&key.text, table::COLLECTED.iter().map(|table| table.name));
            reader.report(codes::UNKNOWN_TABLE, key.span, message, help);
            continue;
        };
        if schema.origin != Origin::Collected {
            let message = format!("table {} is computed and cannot be given", schema.name);
            reader.report(codes::UNKNOWN_TABLE, key.span, message, Some(inputs(schema)));
            continue;
        }
        let mut cx = plain(reader, &params, false);
        let rows = match node.as_mapping() {
            Some(files) if schema.name == ConfigFile::TABLE.name => Some(texts(&mut cx, files)),
            Some(_) if schema.name == Host::TABLE.name => {
                let mut rows = Rows::new(schema);
                if let Some(cells) = row(&mut cx, schema, node) {
                    rows.push(cells);
                }
                Some(rows)
            }
            _ => self::rows(&mut cx, schema, node),
        };
        if let Some(rows) = rows {
            facts.set(TableState::Collected, rows);
        }
    }
    if !facts.tables().any(|name| name == Host::TABLE.name) {
        facts.set(TableState::Collected, Rows::of([default_host()]));
    }
    (reader.diagnostics.len() == before).then_some(facts)
}

/// What to give instead of a computed table.
fn inputs(schema: &TableSchema) -> String {
    match schema.origin {
        Origin::Lens => "give `config`: a mapping of paths to texts".to_owned(),
        _ => {
            let derivation = crate::model::derive::find(schema.name);
            let reads = derivation.map_or(&[][..], |derivation| derivation.reads());
            let names: Vec<&str> = reads
                .iter()
                .map(|table| if table.origin == Origin::Lens { "config" } else { table.name })
                .collect();
            format!("give the tables it is computed from: {}", names.join(", "))
        }
    }
}

fn texts(cx: &mut Operands<'_, '_>, files: &[(super::yaml::Key, Node)]) -> Rows {
    let mut rows = Rows::new(ConfigFile::TABLE);
    for (path, node) in files {
        if !path.text.starts_with('/') {
            cx.reader.error(codes::BAD_VALUE, path.span, "a path begins with `/`");
        }
        let text = match node.as_scalar() {
            Some(scalar) => Value::text(&*scalar.text),
            None => {
                let message = format!("a file's text is text, not {}", node.kind());
                cx.reader.error(codes::WRONG_SHAPE, node.span, message);
                continue;
            }
        };
        rows.push(vec![Value::text(&*path.text), text]);
    }
    rows
}

fn rows(cx: &mut Operands<'_, '_>, schema: &'static TableSchema, node: &Node) -> Option<Rows> {
    let mut rows = Rows::new(schema);
    for item in cx.reader.list(node, "a table's rows")? {
        if let Some(cells) = row(cx, schema, item) {
            rows.push(cells);
        }
    }
    Some(rows)
}

/// A row: what is written, the schema's zeros for the rest.
fn row(cx: &mut Operands<'_, '_>, schema: &'static TableSchema, node: &Node) -> Option<Vec<Value>> {
    let Some(entries) = node.as_mapping() else {
        let message = format!("a row is a mapping of columns, not {}", node.kind());
        cx.reader.error(codes::WRONG_SHAPE, node.span, message);
        return None;
    };
    let mut cells = condition::row(cx, schema, entries)?;
    let host = (schema.name == Host::TABLE.name).then(|| default_host().into_cells());
    for (index, (cell, column)) in cells.iter_mut().zip(schema.columns).enumerate() {
        let given = entries.iter().any(|(key, _)| key.text == column.name);
        if given {
            continue;
        }
        *cell = match &host {
            Some(host) => host.get(index).cloned().unwrap_or_default(),
            None if column.optional => Value::Null,
            None => zero(schema.name, column.name, column.ty),
        };
    }
    if schema.name == File::TABLE.name {
        let mut one = Rows::new(schema);
        one.push(cells.clone());
        if one.get(0).and_then(|row| row.typed::<File>()).is_none() {
            let message = "this cannot be a file: see the kinds of `files.kind`";
            cx.reader.error(codes::BAD_VALUE, node.span, message);
            return None;
        }
    }
    Some(cells)
}

fn zero(table: &str, column: &str, ty: ColumnType) -> Value {
    match (table, column) {
        ("packages", "status") => return Value::text("installed"),
        ("files", "kind") => return Value::text("file"),
        _ => {}
    }
    match ty {
        ColumnType::Bool => Value::Bool(false),
        ColumnType::Int | ColumnType::Mode | ColumnType::Time => Value::Int(0),
        ColumnType::Text | ColumnType::Path | ColumnType::Version => Value::text(""),
        ColumnType::TextList | ColumnType::IntList => Value::List(Arc::from([])),
    }
}

/// A live Debian 12.
fn default_host() -> Host {
    Host {
        hostname: Arc::from("example"),
        agent_id: Arc::from("i-0123456789abcdef0"),
        family: Arc::from("linux"),
        os: Some(Arc::from("debian")),
        os_version: Some(Arc::from("12")),
        os_like: Vec::new(),
        os_name: Some(Arc::from("Debian GNU/Linux 12 (bookworm)")),
        kernel_running: Some(Arc::from("6.1.0-28-amd64")),
        kernels_installed: vec![Arc::from("6.1.0-28-amd64")],
        arch: Some(Arc::from("x86_64")),
        source: Arc::from("live"),
        collected_at: Time(COLLECTED_AT),
        observed_seconds: 900,
        requested_seconds: Some(900),
        privileged: true,
        nx: Some(true),
        collector: Arc::from(env!("CARGO_PKG_VERSION")),
        tags: Vec::new(),
    }
}
