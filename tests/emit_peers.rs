//! Output formats, checked by the programs and schemas of those who defined them.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::path::Path;
use std::process::Command;

/// Writes the samples in a format and gives the file.
fn report(place: &Path, format: &str) -> String {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots");
    let file = place.join(format).to_str().unwrap().to_owned();
    let status = Command::new(env!("CARGO_BIN_EXE_assay"))
        .args(["scan", samples.to_str().unwrap(), "--fail-on", "none", "--format", format, "-o"])
        .arg(&file)
        .status()
        .unwrap();
    assert!(status.success());
    file
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {said}{out}");
    out
}

#[test]
#[ignore = "needs python3 with botocore"]
fn the_service_model_of_security_hub_takes_asff() {
    let place = tempfile::tempdir().unwrap();
    let script = "
import json, sys
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
model = ServiceModel(Loader().load_service_model('securityhub', 'service-2'))
shape = model.operation_model('BatchImportFindings').input_shape
findings = json.load(open(sys.argv[1]))
assert len(findings) > 50, len(findings)
for finding in findings:
    report = ParamValidator().validate({'Findings': [finding]}, shape)
    assert not report.has_errors(), report.generate_report()
wrong = dict(findings[0], Severity='HIGH')
assert ParamValidator().validate({'Findings': [wrong]}, shape).has_errors()
";
    run("python3", &["-c", script, &report(place.path(), "asff")]);
}
