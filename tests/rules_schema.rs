//! The JSON Schema for editors: a valid schema, and the embedded rules satisfy it.

use std::process::Command;

use assay::rules::yaml::{self, Content, Node};
use assay::rules::{Library, schema};
use serde_json::{Map, Value as Json, json};

fn plain(node: &Node) -> Json {
    match &node.content {
        Content::Mapping(entries) => {
            let entries = entries.iter().map(|(key, node)| (key.text.to_string(), plain(node)));
            Json::Object(entries.collect::<Map<_, _>>())
        }
        Content::Sequence(items) => items.iter().map(plain).collect(),
        Content::Scalar(scalar) if scalar.is_null() => Json::Null,
        Content::Scalar(scalar) => match (scalar.as_bool(), scalar.as_int()) {
            (Some(bool), _) => json!(bool),
            (_, Some(int)) => json!(int),
            _ => json!(scalar.text),
        },
    }
}

#[test]
fn the_schema_names_every_table_and_its_columns() {
    let text = schema().to_string();
    for table in assay::model::table::all() {
        assert!(text.contains(&format!("rows of {}", table.name)), "{}", table.name);
        for column in table.columns {
            assert!(text.contains(&format!("\"{}\":", column.name)), "{}", column.name);
        }
    }
}

const SCRIPT: &str = "
import json, sys
from jsonschema import Draft202012Validator
data = json.load(open(sys.argv[1]))
Draft202012Validator.check_schema(data['schema'])
validator = Draft202012Validator(data['schema'])
bad = [f'{name}: {error.json_path}: {error.message[:300]}'
       for name, document in data['right'] for error in validator.iter_errors(document)]
bad += [f'{name} should be refused' for name, document in data['wrong'] if validator.is_valid(document)]
print(len(data['right']), 'documents')
sys.exit('\\n'.join(bad) or 0)
";

#[test]
#[ignore = "needs python3-jsonschema"]
fn a_validator_accepts_the_embedded_rules_and_refuses_mistakes() {
    let library = Library::embedded();
    let read = |text: &str| plain(&yaml::parse(text).unwrap());
    let right: Vec<_> = library.files().map(|file| json!([file.name, read(&file.text)])).collect();
    assert!(!right.is_empty());
    let good = assay::rules::scaffold(
        assay::model::finding::RulesPackage::SecurityBestPractices,
        "example",
    );
    let wrong: Vec<_> = [
        ("keyword:", "keywrd:"),
        ("from: config.sshd", "from: config.sshhd"),
        ("expect: each", "expect: every"),
        ("value: \"no\"", "value: { equals: \"no\" }"),
        ("effective: true", "effective: 3"),
        ("severity: medium", "severity: mediocre"),
        ("title:", "tilte:"),
    ]
    .into_iter()
    .map(|(from, to)| {
        assert!(good.contains(from), "{from}");
        json!([to, read(&good.replacen(from, to, 1))])
    })
    .collect();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.json");
    let mut right = right;
    right.push(json!(["scaffold", read(&good)]));
    let data = json!({ "schema": schema(), "right": right, "wrong": wrong });
    std::fs::write(&path, data.to_string()).unwrap();
    let output = Command::new("python3").arg("-c").arg(SCRIPT).arg(&path).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{shown}");
}
