"""Asks a server every operation with the AWS command line, as shell scripts do.

    python3 walk_cli.py ENDPOINT
"""

import json
import subprocess
import sys
import time

TOPIC = "arn:aws:sns:us-east-1:000000000000:spooled"


def aws(operation, *arguments, fails=None):
    """Runs one command; gives its answer, or checks that it fails with this exception."""
    command = [sys.executable, "-m", "awscli", "inspector", operation, *arguments]
    command += ["--endpoint-url", sys.argv[1], "--region", "us-east-1", "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True)
    DONE.add(operation)
    if fails:
        if done.returncode == 0 or f"({fails})" not in done.stderr:
            sys.exit(f"{operation} does not fail with {fails}: {done.stdout}{done.stderr}")
        return None
    if done.returncode != 0:
        sys.exit(f"{operation} {arguments}: {done.stderr}")
    return json.loads(done.stdout) if done.stdout.strip() else None


DONE = set()


def main():
    group = aws("create-resource-group", "--resource-group-tags", "key=env,value=prod")
    group = group["resourceGroupArn"]
    aws("describe-resource-groups", "--resource-group-arns", group)
    target = aws(
        "create-assessment-target", "--assessment-target-name", "web", "--resource-group-arn", group
    )["assessmentTargetArn"]
    aws("create-assessment-target", "--assessment-target-name", "web", fails="InvalidInputException")
    aws(
        "update-assessment-target", "--assessment-target-arn", target,
        "--assessment-target-name", "every",
    )
    listed = aws("list-assessment-targets", "--filter", "assessmentTargetNamePattern=ev*")
    assert listed["assessmentTargetArns"] == [target], listed
    aws("describe-assessment-targets", "--assessment-target-arns", target)
    agents = aws("preview-agents", "--preview-agents-arn", target)["agentPreviews"]
    assert {agent["agentHealth"] for agent in agents} == {"HEALTHY", "UNHEALTHY"}, agents

    packages = aws("list-rules-packages", "--page-size", "1")["rulesPackageArns"]
    assert len(packages) == 4, packages
    described = aws("describe-rules-packages", "--rules-package-arns", *packages)
    assert len(described["rulesPackages"]) == 4, described
    template = aws(
        "create-assessment-template", "--assessment-target-arn", target,
        "--assessment-template-name", "all", "--duration-in-seconds", "3600",
        "--rules-package-arns", *packages,
        "--user-attributes-for-findings", "key=team,value=web",
    )["assessmentTemplateArn"]
    aws("describe-assessment-templates", "--assessment-template-arns", template)
    listed = aws("list-assessment-templates", "--assessment-target-arns", target)
    assert listed["assessmentTemplateArns"] == [template], listed
    aws("set-tags-for-resource", "--resource-arn", template, "--tags", "key=a,value=b")
    tags = aws("list-tags-for-resource", "--resource-arn", template)["tags"]
    assert tags == [{"key": "a", "value": "b"}], tags
    event = ["--resource-arn", template, "--event", "FINDING_REPORTED", "--topic-arn", TOPIC]
    aws("subscribe-to-event", *event)
    subscriptions = aws("list-event-subscriptions", "--resource-arn", template)["subscriptions"]
    assert subscriptions[0]["topicArn"] == TOPIC, subscriptions
    aws("unsubscribe-from-event", *event)
    role = "arn:aws:iam::123456789012:role/inspector"
    aws("register-cross-account-access-role", "--role-arn", role)
    assert aws("describe-cross-account-access-role")["roleArn"] == role
    token = aws("create-exclusions-preview", "--assessment-template-arn", template)["previewToken"]
    preview = aws(
        "get-exclusions-preview", "--assessment-template-arn", template, "--preview-token", token
    )
    assert preview["previewStatus"] == "COMPLETED", preview

    run = aws("start-assessment-run", "--assessment-template-arn", template)["assessmentRunArn"]
    while True:
        found = aws("describe-assessment-runs", "--assessment-run-arns", run)["assessmentRuns"][0]
        if "completedAt" in found:
            break
        time.sleep(0.2)
    assert found["state"] == "COMPLETED_WITH_ERRORS", found
    aws("stop-assessment-run", "--assessment-run-arn", run)
    assert aws("list-assessment-runs")["assessmentRunArns"] == [run]
    aws("list-assessment-run-agents", "--assessment-run-arn", run)
    aws("get-telemetry-metadata", "--assessment-run-arn", run)
    exclusions = aws("list-exclusions", "--assessment-run-arn", run)["exclusionArns"]
    aws("describe-exclusions", "--exclusion-arns", *exclusions[:10])
    # The command line goes through every page.
    arns = aws("list-findings", "--assessment-run-arns", run, "--page-size", "50")["findingArns"]
    assert len(arns) == sum(found["findingCounts"].values()) > 100, len(arns)
    cut = aws("list-findings", "--assessment-run-arns", run, "--max-items", "3")
    assert cut["findingArns"] == arns[:3], cut
    rest = ["--starting-token", cut["NextToken"], "--max-items", "5"]
    rest = aws("list-findings", "--assessment-run-arns", run, *rest)
    assert rest["findingArns"] == arns[3:8], rest
    high = aws("list-findings", "--filter", '{"severities": ["High"]}')["findingArns"]
    assert len(high) == found["findingCounts"]["High"], high
    findings = aws("describe-findings", "--finding-arns", *arns[:10])["findings"]
    assert [finding["arn"] for finding in findings] == arns[:10]
    aws("add-attributes-to-findings", "--finding-arns", arns[0], "--attributes", "key=a,value=b")
    aws("remove-attributes-from-findings", "--finding-arns", arns[0], "--attribute-keys", "a")
    report(run)

    aws("delete-assessment-run", "--assessment-run-arn", run)
    aws("delete-assessment-run", "--assessment-run-arn", run, fails="NoSuchEntityException")
    aws("delete-assessment-template", "--assessment-template-arn", template)
    aws("delete-assessment-target", "--assessment-target-arn", target)
    aws("list-findings", "--max-results", "0", fails="InvalidInputException")
    print(f"{len(DONE)} operations, {len(arns)} findings")
    assert len(DONE) == 37, sorted(DONE)


def report(run):
    asked = ["--assessment-run-arn", run, "--report-type", "FINDING"]
    while True:
        made = aws("get-assessment-report", *asked, "--report-file-format", "HTML")
        if made["status"] != "WORK_IN_PROGRESS":
            break
        time.sleep(0.2)
    assert made["status"] == "COMPLETED" and made["url"].startswith(sys.argv[1]), made


main()
