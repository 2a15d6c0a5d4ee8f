"""Runs an assessment with boto3 and lists what is found, as with Amazon Inspector Classic.

    assay serve --data assay-data
    export AWS_SHARED_CREDENTIALS_FILE=assay-data/credentials
    python3 inspector_gate.py http://127.0.0.1:8080
"""

import collections
import sys
import time

import boto3

inspector = boto3.client("inspector", endpoint_url=sys.argv[1], region_name="us-east-1")

# Without a resource group, a target is every host that has a snapshot.
name = f"gate {time.time()}"
target = inspector.create_assessment_target(assessmentTargetName=name)["assessmentTargetArn"]
template = inspector.create_assessment_template(
    assessmentTargetArn=target,
    assessmentTemplateName=name,
    durationInSeconds=180,
    rulesPackageArns=inspector.list_rules_packages()["rulesPackageArns"],
)["assessmentTemplateArn"]
run = inspector.start_assessment_run(assessmentTemplateArn=template)["assessmentRunArn"]

while True:
    state = inspector.describe_assessment_runs(assessmentRunArns=[run])["assessmentRuns"][0]
    if "completedAt" in state:
        break
    time.sleep(1)
print(state["state"], state["findingCounts"])

pages = inspector.get_paginator("list_findings").paginate(
    assessmentRunArns=[run], filter={"severities": ["High"]}
)
counts = collections.Counter()
for page in pages:
    if page["findingArns"]:
        for finding in inspector.describe_findings(findingArns=page["findingArns"])["findings"]:
            counts[finding["title"]] += 1
for title, _ in counts.most_common():
    print("High:", title)
