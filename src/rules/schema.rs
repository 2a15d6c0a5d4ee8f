//! The JSON Schema of rule files, for editors: made from the tables' schema, so that columns are
//! completed and wrong ones marked while a rule is written. The compiler remains the judge.

use serde_json::{Map, Value as Json, json};

use super::benchmark;
use super::condition::{OPERATORS, fits};
use crate::model::schema::{ColumnType, TableSchema};
use crate::model::table;

const TYPES: &[ColumnType] = &[
    ColumnType::Bool,
    ColumnType::Int,
    ColumnType::Mode,
    ColumnType::Time,
    ColumnType::Text,
    ColumnType::Path,
    ColumnType::Version,
    ColumnType::TextList,
    ColumnType::IntList,
];

/// The schema, draft 2020-12: of a rule, control, vulnerability or benchmark file.
pub fn schema() -> Json {
    let mut definitions = Map::new();
    for ty in TYPES {
        definitions.insert(value_name(*ty), value(*ty));
        definitions.insert(condition_name(*ty), condition(*ty));
    }
    for table in table::all() {
        definitions.insert(format!("rows of {}", table.name), matcher(table));
        definitions.insert(format!("row of {}", table.name), row(table));
    }
    definitions.insert("count".into(), count());
    definitions.insert("expression".into(), expression());
    definitions.insert("query".into(), query());
    definitions.insert("requirement".into(), requirement());
    definitions.insert("parameters".into(), parameters());
    definitions.insert("examples".into(), examples());
    definitions.insert("rule".into(), rule_file());
    definitions.insert("vulnerability".into(), vulnerability());
    definitions.insert("benchmark".into(), benchmark_file());
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "assay rule file",
        "type": "object",
        "if": { "required": ["recommendations"] },
        "then": reference("benchmark"),
        "else": {
            "if": { "required": ["affected"] },
            "then": reference("vulnerability"),
            "else": reference("rule"),
        },
        "$defs": definitions,
    })
}

fn reference(name: &str) -> Json {
    json!({ "$ref": format!("#/$defs/{}", name.replace(' ', "%20")) })
}

fn text() -> Json {
    json!({ "type": ["string", "number", "boolean"] })
}

fn link() -> Json {
    json!({ "type": "string", "pattern": "^https?://" })
}

fn words(words: &[&str]) -> Json {
    json!({ "enum": words })
}

/// An object with these members and no others.
fn object(properties: Json, required: &[&str]) -> Json {
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn list(items: Json) -> Json {
    json!({ "type": "array", "items": items, "minItems": 1 })
}

fn value_name(ty: ColumnType) -> String {
    format!("{} value", ty.name())
}

fn condition_name(ty: ColumnType) -> String {
    format!("{} condition", ty.name())
}

fn parameter() -> Json {
    json!({ "type": "string", "pattern": "^\\$[a-z][a-z0-9_]*$" })
}

/// A literal of a type, or a parameter.
fn value(ty: ColumnType) -> Json {
    let literal = match ty {
        ColumnType::Bool => json!({ "type": "boolean" }),
        ColumnType::Int | ColumnType::Time => json!({ "type": "integer" }),
        ColumnType::Mode => {
            json!({ "type": ["string", "integer"], "pattern": "^[0-7]{1,5}$|^\\$" })
        }
        ColumnType::Path => json!({ "type": "string", "pattern": "^/|^$|^[${]" }),
        ColumnType::Text | ColumnType::Version => text(),
        ColumnType::TextList => list(text()),
        ColumnType::IntList => list(json!({ "type": "integer" })),
    };
    json!({ "anyOf": [literal, parameter()] })
}

fn element(ty: ColumnType) -> ColumnType {
    match ty {
        ColumnType::TextList => ColumnType::Text,
        ColumnType::IntList => ColumnType::Int,
        other => other,
    }
}

/// A condition on a column of a type.
fn condition(ty: ColumnType) -> Json {
    let mut operators = Map::new();
    for operator in OPERATORS.iter().filter(|operator| fits(operator, ty)) {
        operators.insert((*operator).to_owned(), operand(operator, ty));
    }
    json!({ "anyOf": [
        reference(&value_name(ty)),
        { "type": "null" },
        { "type": "object", "properties": operators, "additionalProperties": false, "minProperties": 1 },
    ] })
}

fn operand(operator: &str, ty: ColumnType) -> Json {
    let one = |ty: ColumnType| reference(&value_name(ty));
    let many = |ty: ColumnType| json!({ "anyOf": [list(one(ty)), parameter()] });
    match operator {
        "eq" | "ne" => json!({ "anyOf": [one(ty), { "type": "null" }] }),
        "in" | "not_in" => many(ty),
        "contains" => one(element(ty)),
        "contains_all" | "contains_any" | "subset_of" => many(element(ty)),
        "each" | "some" => reference(&condition_name(element(ty))),
        "bits_set" | "bits_clear" => one(ColumnType::Mode),
        "exists" => json!({ "type": "boolean" }),
        "older_than" => json!({ "type": "string", "pattern": "^[0-9]+[smhd]$|^[${]" }),
        "under" => json!({ "anyOf": [one(ColumnType::Path), many(ColumnType::Path)] }),
        "lt" | "le" | "gt" | "ge" => one(ty),
        _ => text(),
    }
}

/// Conditions on the rows of a table.
fn matcher(table: &TableSchema) -> Json {
    let this = reference(&format!("rows of {}", table.name));
    let mut properties = Map::new();
    for column in table.columns {
        let mut condition = reference(&condition_name(column.ty));
        if let Json::Object(members) = &mut condition {
            members.insert("description".into(), json!(column.doc.trim()));
        }
        properties.insert(column.name.to_owned(), condition);
    }
    properties.insert("all".into(), list(this.clone()));
    properties.insert("any".into(), list(this.clone()));
    properties.insert("not".into(), this);
    object(Json::Object(properties), &[])
}

/// The cells of a row.
fn row(table: &TableSchema) -> Json {
    let cell = |ty| json!({ "anyOf": [reference(&value_name(ty)), { "type": "null" }, { "type": "array" }] });
    let properties: Map<String, Json> =
        table.columns.iter().map(|column| (column.name.to_owned(), cell(column.ty))).collect();
    object(Json::Object(properties), &[])
}

fn count() -> Json {
    let int = || reference(&value_name(ColumnType::Int));
    let several = || list(int());
    let object = object(
        json!({
            "eq": int(), "ne": int(), "lt": int(), "le": int(), "gt": int(), "ge": int(),
            "in": several(), "not_in": several(),
        }),
        &[],
    );
    json!({ "anyOf": [int(), object] })
}

fn expression() -> Json {
    let this = || reference("expression");
    json!({
        "type": "object",
        "oneOf": [
            object(json!({ "all": list(this()) }), &["all"]),
            object(json!({ "any": list(this()) }), &["any"]),
            object(json!({ "not": this() }), &["not"]),
            { "allOf": [reference("query"), { "properties": { "reason": false } }] },
        ],
    })
}

/// A query; `reason` is for requirements.
fn query() -> Json {
    let names: Vec<&str> = table::all().iter().map(|table| table.name).collect();
    let by_table: Vec<Json> = table::all()
        .iter()
        .map(|table| {
            let rows = || reference(&format!("rows of {}", table.name));
            let row = reference(&format!("row of {}", table.name));
            json!({
                "if": { "properties": { "from": { "const": table.name } } },
                "then": { "properties": {
                    "where": rows(),
                    "must": rows(),
                    "when_empty": { "anyOf": [
                        words(&["pass", "fail", "unknown", "not_applicable"]), row,
                    ] },
                } },
            })
        })
        .collect();
    let mut query = object(
        json!({
            "from": words(&names),
            "where": true,
            "must": true,
            "when_empty": true,
            "expect": { "anyOf": [
                words(&["each", "some", "none"]),
                object(json!({ "count": reference("count") }), &["count"]),
            ] },
            "at": text(),
            "expected": text(),
            "reason": { "type": "string" },
        }),
        &["from", "expect"],
    );
    if let Json::Object(members) = &mut query {
        members.insert("allOf".into(), Json::Array(by_table));
    }
    query
}

fn requirement() -> Json {
    let this = || reference("expression");
    let reason = || json!({ "type": "string" });
    json!({
        "type": "object",
        "required": ["reason"],
        "oneOf": [
            object(json!({ "all": list(this()), "reason": reason() }), &["all"]),
            object(json!({ "any": list(this()), "reason": reason() }), &["any"]),
            object(json!({ "not": this(), "reason": reason() }), &["not"]),
            reference("query"),
        ],
    })
}

fn parameters() -> Json {
    let one = object(
        json!({
            "type": words(&["text", "int", "bool", "mode", "list"]),
            "default": true,
            "doc": { "type": "string" },
        }),
        &["type"],
    );
    json!({
        "type": "object",
        "propertyNames": { "pattern": "^[a-z][a-z0-9_]*$" },
        "additionalProperties": one,
    })
}

fn examples() -> Json {
    let mut facts = Map::new();
    for table in table::COLLECTED {
        let row = || reference(&format!("row of {}", table.name));
        let schema = match table.name {
            "host" => json!({ "anyOf": [row(), list(row())] }),
            "config" => json!({ "anyOf": [
                { "type": "object", "additionalProperties": text() },
                { "type": "array", "items": row() },
            ] }),
            _ => json!({ "type": "array", "items": row() }),
        };
        facts.insert(table.name.to_owned(), schema);
    }
    list(object(
        json!({
            "name": text(),
            "verdict": words(&["pass", "fail", "not_applicable", "unknown"]),
            "facts": object(Json::Object(facts), &[]),
            "params": { "type": "object" },
            "evidence": { "type": "array", "items": { "type": "string" } },
        }),
        &["name", "verdict", "facts"],
    ))
}

fn severity() -> Json {
    words(&["high", "medium", "low", "informational"])
}

fn links() -> Json {
    json!({ "anyOf": [link(), { "type": "array", "items": link() }] })
}

/// Every member that the decoder knows must be described here: a test compares.
fn rule_file() -> Json {
    object(
        json!({
            "title": text(),
            "severity": severity(),
            "finding": { "type": "string" },
            "description": { "type": "string" },
            "remediation": { "type": "string" },
            "references": links(),
            "applies_to": reference("rows of host"),
            "requires": list(reference("requirement")),
            "params": reference("parameters"),
            "check": reference("expression"),
            "examples": reference("examples"),
        }),
        &["title", "severity", "description", "remediation", "check", "examples"],
    )
}

fn vulnerability() -> Json {
    let cvss = || {
        let number = json!({ "type": ["number", "string"] });
        object(json!({ "score": number, "vector": { "type": "string" } }), &["score", "vector"])
    };
    let row = object(
        json!({
            "os": { "anyOf": [{ "type": "string" }, list(json!({ "type": "string" }))] },
            "version": text(),
            "package": { "type": "string" },
            "source": { "type": "string" },
            "fixed": text(),
            "introduced": text(),
        }),
        &["os", "version", "fixed"],
    );
    object(
        json!({
            "title": { "type": "string", "pattern": "^CVE-[0-9]{4}-[0-9]{4,}$" },
            "name": { "type": "string" },
            "severity": severity(),
            "description": { "type": "string" },
            "remediation": { "type": "string" },
            "cvss3": cvss(),
            "cvss2": cvss(),
            "kev": { "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" },
            "references": links(),
            "affected": list(row),
            "examples": reference("examples"),
        }),
        &["title", "description", "affected", "examples"],
    )
}

fn benchmark_file() -> Json {
    let levels: Vec<&str> = benchmark::LEVELS.iter().map(|(word, _)| *word).collect();
    let managers: Vec<&str> = benchmark::MANAGERS.iter().map(|(word, _)| *word).collect();
    let control = json!({ "control": { "type": "string" }, "with": { "type": "object" } });
    let recommendation = object(
        json!({
            "id": text(),
            "title": text(),
            "levels": list(words(&levels)),
            "severity": severity(),
            "control": { "type": "string" },
            "with": { "type": "object" },
            "controls": list(object(control, &["control"])),
            "manual": { "type": "string" },
        }),
        &["id", "title", "levels"],
    );
    object(
        json!({
            "benchmark": text(),
            "version": text(),
            "applies_to": reference("rows of host"),
            "packages": words(&managers),
            "sections": { "type": "object", "additionalProperties": text() },
            "references": links(),
            "recommendations": { "type": "array", "items": recommendation },
        }),
        &["benchmark", "version", "applies_to", "recommendations"],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{cve, rule};

    fn members(schema: &Json) -> Vec<&str> {
        let mut names: Vec<&str> =
            schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    fn sorted<'a>(names: &[&'a str]) -> Vec<&'a str> {
        let mut names = names.to_vec();
        names.sort_unstable();
        names
    }

    #[test]
    fn the_schema_has_every_member_that_the_compiler_knows() {
        assert_eq!(members(&rule_file()), sorted(rule::MEMBERS));
        assert_eq!(members(&vulnerability()), sorted(cve::MEMBERS));
        let affected = &vulnerability()["properties"]["affected"]["items"];
        assert_eq!(members(affected), sorted(cve::AFFECTED));
        assert_eq!(members(&benchmark_file()), sorted(benchmark::MEMBERS));
        let recommendation = &benchmark_file()["properties"]["recommendations"]["items"];
        assert_eq!(members(recommendation), sorted(benchmark::RECOMMENDATION));
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(node: &Json, definitions: &Map<String, Json>) {
            match node {
                Json::Object(members) => {
                    if let Some(Json::String(target)) = members.get("$ref") {
                        let name = target.strip_prefix("#/$defs/").unwrap().replace("%20", " ");
                        assert!(definitions.contains_key(&name), "{target}");
                    }
                    members.values().for_each(|node| walk(node, definitions));
                }
                Json::Array(items) => items.iter().for_each(|node| walk(node, definitions)),
                _ => {}
            }
        }
        let schema = schema();
        walk(&schema, schema["$defs"].as_object().unwrap());
    }
}
