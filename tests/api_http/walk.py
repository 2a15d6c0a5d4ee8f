"""Asks a server everything that boto3 knows of Inspector: each operation as scripts use it, then with
each kind of wrong input. Needs a server with the agents and topics that `boto3.rs` makes.

    python3 walk.py ENDPOINT
"""

import html
import itertools
import json
import os
import ssl
import sys
import time
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from model import Mismatch, fault, watch
from wrong import code_of, wrong

TOPIC = "arn:aws:sns:us-east-1:000000000000:spooled"
PREFIX = "arn:aws:inspector:us-east-1:000000000000:"
#: ARNs that are well formed and name nothing, by the member that takes them.
NOTHING = {
    "resourceGroupArn": PREFIX + "resourcegroup/0-AAAAAAAA",
    "assessmentTargetArn": PREFIX + "target/0-AAAAAAAA",
    "previewAgentsArn": PREFIX + "target/0-AAAAAAAA",
    "assessmentTemplateArn": PREFIX + "target/0-AAAAAAAA/template/0-AAAAAAAA",
    "resourceArn": PREFIX + "target/0-AAAAAAAA/template/0-AAAAAAAA",
    "assessmentRunArn": PREFIX + "target/0-AAAAAAAA/template/0-AAAAAAAA/run/0-AAAAAAAA",
    "topicArn": "arn:aws:sns:us-east-1:000000000000:nowhere",
}


def expect(condition, *what):
    if not condition:
        raise Mismatch(" ".join(str(word) for word in what))


def kind(arn):
    return arn.split(":")[-1].split("/")[::2]


class Walk:
    def __init__(self, endpoint):
        config = Config(retries={"total_max_attempts": 1})
        session = boto3.Session(region_name="us-east-1")
        self.client = session.client("inspector", endpoint_url=endpoint, config=config)
        self.seen, self.refused = set(), {}
        watch(self.client, self.seen)
        config = config.merge(Config(parameter_validation=False))
        self.raw = session.client("inspector", endpoint_url=endpoint, config=config)
        watch(self.raw, set())
        self.raw.meta.events.register("before-call.inspector.*", self.as_it_is)

    def as_it_is(self, params, **_):
        """botocore would make what is wrong right where it can."""
        params["body"] = json.dumps(self.sent).encode()

    def fails(self, operation, arguments):
        """The exception and the code of a call that must fail."""
        self.sent = arguments
        try:
            answer = self.raw._make_api_call(operation, {})
        except ClientError as error:
            found = fault(self.raw, operation, error)
            self.refused.setdefault(operation, set()).add(found)
            return found
        raise Mismatch(f"{operation} {arguments} is not refused: {answer}")

    def every(self, operation, key, **arguments):
        """What a paginator gives, by pages of several lengths: always the same."""
        lists = []
        for size in (1, 7, 500):
            pages = self.client.get_paginator(operation).paginate(
                **arguments, PaginationConfig={"PageSize": size}
            )
            lists.append([item for page in pages for item in page[key]])
            if len(lists[0]) > 40:
                break
        for other in lists[1:]:
            expect(other == lists[0], operation, "differs by the length of its pages")
        return lists[0]

    def finished(self, run):
        for _ in range(3000):
            found = self.client.describe_assessment_runs(assessmentRunArns=[run])
            found = found["assessmentRuns"][0]
            if "completedAt" in found:
                return found
            time.sleep(0.02)
        raise Mismatch(f"{run} does not end")

    def prepare(self):
        """Sequence A of scripts: all that a run needs."""
        c = self.client
        # One key may have several values.
        tags = [{"key": "env", "value": "prod"}, {"key": "env", "value": "test"}, {"key": "role"}]
        self.group = c.create_resource_group(resourceGroupTags=tags)["resourceGroupArn"]
        group = c.describe_resource_groups(resourceGroupArns=[self.group])["resourceGroups"][0]
        expect(group["tags"] == tags, group)
        self.target = c.create_assessment_target(
            assessmentTargetName="web", resourceGroupArn=self.group
        )["assessmentTargetArn"]
        c.update_assessment_target(assessmentTargetArn=self.target, assessmentTargetName="every")
        target = c.describe_assessment_targets(assessmentTargetArns=[self.target])
        target = target["assessmentTargets"][0]
        expect(target["name"] == "every" and "resourceGroupArn" not in target, target)
        expect(target["updatedAt"] >= target["createdAt"], target)
        expect(self.every("list_assessment_targets", "assessmentTargetArns") == [self.target])
        agents = self.every("preview_agents", "agentPreviews", previewAgentsArn=self.target)
        expect({a["agentHealth"] for a in agents} == {"HEALTHY", "UNHEALTHY"}, agents)
        self.agents = [a["agentId"] for a in agents if a["agentHealth"] == "HEALTHY"]

        self.packages = self.every("list_rules_packages", "rulesPackageArns")
        self.foreign = c.list_rules_packages(maxResults=1)["nextToken"]
        expect(c.list_rules_packages(maxResults=999)["rulesPackageArns"] == self.packages)
        described = c.describe_rules_packages(rulesPackageArns=self.packages, locale="EN_US")
        names = [package["name"] for package in described["rulesPackages"]]
        expect(len(names) == 4 and "Security Best Practices" in names, names)
        template = {
            "assessmentTargetArn": self.target,
            "assessmentTemplateName": "all",
            "durationInSeconds": 180,
            "rulesPackageArns": self.packages,
            "userAttributesForFindings": [{"key": "team", "value": "web"}],
        }
        self.template = c.create_assessment_template(**template)["assessmentTemplateArn"]
        found = c.describe_assessment_templates(assessmentTemplateArns=[self.template])
        found = found["assessmentTemplates"][0]
        expect(all(found[name] == value for name, value in template.items() if name in found))
        expect(found["assessmentRunCount"] == 0 and "lastAssessmentRunArn" not in found, found)
        listed = self.every(
            "list_assessment_templates",
            "assessmentTemplateArns",
            assessmentTargetArns=[self.target],
            filter={"namePattern": "a*", "durationRange": {"minSeconds": 180}},
        )
        expect(listed == [self.template], listed)
        tags = [{"key": "stage", "value": "test"}, {"key": "bare"}]
        c.set_tags_for_resource(resourceArn=self.template, tags=tags)
        expect(c.list_tags_for_resource(resourceArn=self.template)["tags"] == tags)
        for event in ("ASSESSMENT_RUN_STARTED", "ASSESSMENT_RUN_COMPLETED"):
            subscription = {"resourceArn": self.template, "event": event, "topicArn": TOPIC}
            c.subscribe_to_event(**subscription)
        c.unsubscribe_from_event(**subscription)
        listed = self.every("list_event_subscriptions", "subscriptions")
        expect([len(one["eventSubscriptions"]) for one in listed] == [1], listed)
        role = "arn:aws:iam::123456789012:role/inspector"
        c.register_cross_account_access_role(roleArn=role)
        expect(c.describe_cross_account_access_role()["roleArn"] == role)
        token = c.create_exclusions_preview(assessmentTemplateArn=self.template)["previewToken"]
        preview = {"assessmentTemplateArn": self.template, "previewToken": token}
        previewed = c.get_exclusions_preview(**preview, locale="EN_US")
        expect(previewed["previewStatus"] == "COMPLETED", previewed)
        titles = [exclusion["title"] for exclusion in previewed["exclusionPreviews"]]
        expect(titles == ["Agent is unhealthy"], titles)

    def run(self):
        """Sequences B and C: a run, and all that is found."""
        c = self.client
        run = c.start_assessment_run(
            assessmentTemplateArn=self.template, assessmentRunName="first"
        )["assessmentRunArn"]
        self.arn, ended = run, self.finished(run)
        expect(ended["state"] == "COMPLETED_WITH_ERRORS", ended["state"], ended["notifications"])
        expect(ended["createdAt"] <= ended["startedAt"] <= ended["completedAt"])
        expect(ended["stateChanges"][-1]["state"] == ended["state"])
        expect(any(n["error"] and n["event"] == "OTHER" for n in ended["notifications"]))
        listed = self.every(
            "list_assessment_runs",
            "assessmentRunArns",
            assessmentTemplateArns=[self.template],
            filter={
                "namePattern": "f*t",
                "states": ["COMPLETED", "COMPLETED_WITH_ERRORS"],
                "rulesPackageArns": self.packages[:1],
                "startTimeRange": {"beginDate": ended["createdAt"]},
                "completionTimeRange": {"endDate": ended["completedAt"]},
            },
        )
        expect(listed == [run], listed)
        agents = self.every(
            "list_assessment_run_agents", "assessmentRunAgents", assessmentRunArn=run
        )
        expect({agent["agentHealth"] for agent in agents} == {"HEALTHY", "UNHEALTHY"}, agents)
        healthy = c.list_assessment_run_agents(
            assessmentRunArn=run, filter={"agentHealths": ["HEALTHY"], "agentHealthCodes": []}
        )["assessmentRunAgents"]
        expect([agent["agentId"] for agent in healthy] == self.agents, healthy)
        telemetry = c.get_telemetry_metadata(assessmentRunArn=run)["telemetryMetadata"]
        total = {row["messageType"]: row["count"] for row in telemetry}
        expect(total["Total"] == sum(total.values()) - total["Total"] > 100, total)
        excluded = self.every("list_exclusions", "exclusionArns", assessmentRunArn=run)
        described = c.describe_exclusions(exclusionArns=excluded[:100], locale="EN_US")
        expect(set(described["exclusions"]) == set(excluded[:100]))

        arns = self.every("list_findings", "findingArns", assessmentRunArns=[run])
        expect(len(arns) == len(set(arns)) == sum(ended["findingCounts"].values()), len(arns))
        self.findings = []
        for start in range(0, len(arns), 10):
            page = c.describe_findings(findingArns=arns[start : start + 10], locale="EN_US")
            expect(not page["failedItems"], page["failedItems"])
            self.findings += page["findings"]
        expect([finding["arn"] for finding in self.findings] == arns)
        for finding in self.findings:
            expect(finding["userAttributes"] == [{"key": "team", "value": "web"}], finding)
            expect(finding["assetAttributes"]["agentId"] in self.agents, finding)
            expect(finding["serviceAttributes"]["assessmentRunArn"] == run, finding)
        self.filters(run)
        self.attributes(arns[:2])

    def filters(self, run):
        """Each filter of findings gives those that it says, no more and no fewer."""
        for severity in ("High", "Medium", "Low", "Informational", "Undefined"):
            self.filter(run, {"severities": [severity]}, lambda f: f["severity"] == severity)
        first = self.findings[0]
        agent, name = first["assetAttributes"]["agentId"], first["id"]
        package = first["serviceAttributes"]["rulesPackageArn"]
        at = first["createdAt"]
        self.filter(run, {"agentIds": [agent]}, lambda f: f["assetAttributes"]["agentId"] == agent)
        self.filter(run, {"agentIds": ["i-0"]}, lambda f: False)
        self.filter(run, {"autoScalingGroups": ["none"]}, lambda f: False)
        self.filter(run, {"ruleNames": [name, "no such"]}, lambda f: f.get("id") == name)
        self.filter(
            run,
            {"rulesPackageArns": [package], "severities": ["High", "Medium"]},
            lambda f: f["serviceAttributes"]["rulesPackageArn"] == package
            and f["severity"] in ("High", "Medium"),
        )
        attribute = first["attributes"][0]
        self.filter(run, {"attributes": [attribute]}, lambda f: attribute in f["attributes"])
        either = [{"key": "INSTANCE_ID", "value": agent} for agent in ["i-0", *self.agents]]
        self.filter(run, {"attributes": either}, lambda f: any(a in f["attributes"] for a in either))
        self.filter(run, {"userAttributes": [{"key": "team", "value": "web"}]}, lambda f: True)
        self.filter(run, {"userAttributes": [{"key": "team", "value": "x"}]}, lambda f: False)
        self.filter(run, {"creationTimeRange": {"endDate": at}}, lambda f: f["createdAt"] <= at)

    def filter(self, run, filter, holds):
        wanted = [finding["arn"] for finding in self.findings if holds(finding)]
        pages = self.client.get_paginator("list_findings").paginate(
            assessmentRunArns=[run], filter=filter, PaginationConfig={"PageSize": 500}
        )
        found = [arn for page in pages for arn in page["findingArns"]]
        expect(found == wanted, filter, len(found), len(wanted))

    def attributes(self, arns):
        c = self.client
        given = [{"key": "ticket", "value": "42"}, {"key": "seen"}]
        failed = c.add_attributes_to_findings(findingArns=arns, attributes=given)["failedItems"]
        expect(not failed, failed)
        finding = c.describe_findings(findingArns=arns[:1])["findings"][0]
        expect(finding["userAttributes"][1:] == given, finding["userAttributes"])
        expect(finding["updatedAt"] > finding["createdAt"], finding)
        removed = ["ticket", "seen", "never there"]
        failed = c.remove_attributes_from_findings(findingArns=arns, attributeKeys=removed)
        expect(not failed["failedItems"], failed)
        finding = c.describe_findings(findingArns=arns[:1])["findings"][0]
        expect(len(finding["userAttributes"]) == 1, finding["userAttributes"])
        many = [{"key": str(number)} for number in range(10)]
        failed = c.add_attributes_to_findings(findingArns=arns[:1], attributes=many)
        codes = [item["failureCode"] for item in failed["failedItems"].values()]
        expect(codes == ["LIMIT_EXCEEDED"], failed)

    def failed_items(self):
        """Describing answers each ARN for itself: there, given twice, not there, no ARN."""
        known = {
            "DescribeAssessmentRuns": self.arn,
            "DescribeAssessmentTargets": self.target,
            "DescribeAssessmentTemplates": self.template,
            "DescribeFindings": self.findings[0]["arn"],
            "DescribeResourceGroups": self.group,
            "DescribeRulesPackages": self.packages[0],
            "DescribeExclusions": self.client.list_exclusions(assessmentRunArn=self.arn)[
                "exclusionArns"
            ][0],
        }
        model = self.client.meta.service_model
        for operation, arn in known.items():
            shape = model.operation_model(operation)
            member = next(iter(shape.input_shape.required_members))
            nothing = arn[:-8] + "AAAAAAAA"
            self.sent = {member: [arn, arn, nothing, "x"]}
            answer = self.raw._make_api_call(operation, {})
            failed = {key: item["failureCode"] for key, item in answer["failedItems"].items()}
            wanted = {arn: "DUPLICATE_ARN", nothing: "ITEM_DOES_NOT_EXIST", "x": "INVALID_ARN"}
            expect(failed == wanted, operation, failed)
            listed = next(name for name in shape.output_shape.members if name != "failedItems")
            expect(len(answer[listed]) == 1, operation, answer[listed])

    def good(self):
        """Arguments of every operation that are right, to be made wrong."""
        pages = {"maxResults": 5}
        run = {"assessmentRunArn": self.arn}
        findings = {"findingArns": [self.findings[0]["arn"]]}
        subscription = {
            "resourceArn": self.template, "event": "OTHER", "topicArn": TOPIC,
        }
        times = {"beginDate": 1.0, "endDate": 2.0}
        durations = {"minSeconds": 180, "maxSeconds": 86400}
        return {
            "AddAttributesToFindings": {**findings, "attributes": [{"key": "a", "value": "b"}]},
            "CreateAssessmentTarget": {
                "assessmentTargetName": "other", "resourceGroupArn": self.group,
            },
            "CreateAssessmentTemplate": {
                "assessmentTargetArn": self.target,
                "assessmentTemplateName": "other",
                "durationInSeconds": 3600,
                "rulesPackageArns": self.packages,
                "userAttributesForFindings": [{"key": "a", "value": "b"}],
            },
            "CreateExclusionsPreview": {"assessmentTemplateArn": self.template},
            "CreateResourceGroup": {"resourceGroupTags": [{"key": "a", "value": "b"}]},
            "DeleteAssessmentRun": run,
            "DeleteAssessmentTarget": {"assessmentTargetArn": self.target},
            "DeleteAssessmentTemplate": {"assessmentTemplateArn": self.template},
            "DescribeAssessmentRuns": {"assessmentRunArns": [self.arn]},
            "DescribeAssessmentTargets": {"assessmentTargetArns": [self.target]},
            "DescribeAssessmentTemplates": {"assessmentTemplateArns": [self.template]},
            "DescribeCrossAccountAccessRole": {},
            "DescribeExclusions": {"exclusionArns": [self.arn + "/exclusion/0-AAAAAAAA"]},
            "DescribeFindings": findings,
            "DescribeResourceGroups": {"resourceGroupArns": [self.group]},
            "DescribeRulesPackages": {"rulesPackageArns": self.packages, "locale": "EN_US"},
            "GetAssessmentReport": {
                **run, "reportFileFormat": "HTML", "reportType": "FINDING",
            },
            "GetExclusionsPreview": {
                "assessmentTemplateArn": self.template,
                "previewToken": "00000000-0000-4000-8000-000000000000",
                "locale": "EN_US",
                **pages,
            },
            "GetTelemetryMetadata": run,
            "ListAssessmentRunAgents": {
                **run,
                "filter": {"agentHealths": ["HEALTHY"], "agentHealthCodes": ["IDLE"]},
                **pages,
            },
            "ListAssessmentRuns": {
                "assessmentTemplateArns": [self.template],
                "filter": {
                    "namePattern": "*",
                    "states": ["COMPLETED"],
                    "durationRange": durations,
                    "rulesPackageArns": self.packages,
                    "startTimeRange": times,
                    "completionTimeRange": times,
                    "stateChangeTimeRange": times,
                },
                **pages,
            },
            "ListAssessmentTargets": {"filter": {"assessmentTargetNamePattern": "*"}, **pages},
            "ListAssessmentTemplates": {
                "assessmentTargetArns": [self.target],
                "filter": {
                    "namePattern": "*",
                    "durationRange": durations,
                    "rulesPackageArns": self.packages,
                },
                **pages,
            },
            "ListEventSubscriptions": {"resourceArn": self.template, **pages},
            "ListExclusions": {**run, **pages},
            "ListFindings": {
                "assessmentRunArns": [self.arn],
                "filter": {
                    "agentIds": self.agents,
                    "autoScalingGroups": ["a"],
                    "ruleNames": ["a"],
                    "severities": ["High"],
                    "rulesPackageArns": self.packages,
                    "attributes": [{"key": "a", "value": "b"}],
                    "userAttributes": [{"key": "a", "value": "b"}],
                    "creationTimeRange": times,
                },
                **pages,
            },
            "ListRulesPackages": pages,
            "ListTagsForResource": {"resourceArn": self.template},
            "PreviewAgents": {"previewAgentsArn": self.target, **pages},
            "RegisterCrossAccountAccessRole": {
                "roleArn": "arn:aws:iam::123456789012:role/inspector",
            },
            "RemoveAttributesFromFindings": {**findings, "attributeKeys": ["a"]},
            "SetTagsForResource": {
                "resourceArn": self.template, "tags": [{"key": "a", "value": "b"}],
            },
            "StartAssessmentRun": {
                "assessmentTemplateArn": self.template, "assessmentRunName": "other",
            },
            "StopAssessmentRun": {**run, "stopAction": "SKIP_EVALUATION"},
            "SubscribeToEvent": subscription,
            "UnsubscribeFromEvent": subscription,
            "UpdateAssessmentTarget": {
                "assessmentTargetArn": self.target,
                "assessmentTargetName": "every",
                "resourceGroupArn": self.group,
            },
        }

    def wrong_input(self):
        """Every member of every operation, wrong in each way that the model tells."""
        model = self.client.meta.service_model
        good = self.good()
        expect(sorted(good) == sorted(model.operation_names), "operations")
        for operation, arguments in good.items():
            shape = model.operation_model(operation).input_shape
            for path, what, changed in wrong(shape, arguments, operation) if shape else ():
                name, code = self.fails(operation, changed)
                wanted = code_of(path) or code
                expect((name, code) == ("InvalidInputException", wanted), path, what, name, code)
            for member in arguments:
                if member in NOTHING and operation != "UnsubscribeFromEvent":
                    name, code = self.fails(operation, {**arguments, member: NOTHING[member]})
                    expect(name == "NoSuchEntityException", operation, member, name)
                    expect(code.endswith("_DOES_NOT_EXIST"), operation, member, code)
            if "maxResults" in arguments:
                for token in ("x", "0" * 48, "é" * 300):
                    found = self.fails(operation, {**arguments, "nextToken": token})
                    expect(found == ("InvalidInputException", "INVALID_PAGINATION_TOKEN"), found)
        self.combined(good)
        taken = self.fails("CreateAssessmentTarget", {"assessmentTargetName": "every"})
        expect(taken[1] == "ASSESSMENT_TARGET_NAME_ALREADY_TAKEN", taken)
        again = {**good["CreateAssessmentTemplate"], "assessmentTemplateName": "all"}
        taken = self.fails("CreateAssessmentTemplate", again)
        expect(taken[1] == "ASSESSMENT_TEMPLATE_NAME_ALREADY_TAKEN", taken)
        again = {"assessmentTemplateArn": self.template, "assessmentRunName": "first"}
        expect(self.fails("StartAssessmentRun", again)[0] == "InvalidInputException", again)
        refused = {operation for operation in good if operation in self.refused}
        tolerant = {"DescribeCrossAccountAccessRole"}
        expect(refused | tolerant == set(good), set(good) - refused)

    def refuses(self, operation, code, arguments, name="InvalidInputException"):
        found = self.fails(operation, arguments)
        expect(found == (name, code), operation, arguments, found)

    def combined(self, good):
        """What is right member by member, and wrong all the same."""
        same, other = {"key": "a", "value": "b"}, {"key": "a", "value": "c"}
        for operation, member, twice, code in (
            ("CreateResourceGroup", "resourceGroupTags", same, "INVALID_RESOURCE_GROUP_TAG_KEY"),
            ("SetTagsForResource", "tags", other, "INVALID_TAG_KEY"),
            ("AddAttributesToFindings", "attributes", other, "INVALID_USER_ATTRIBUTE_KEY"),
            (
                "CreateAssessmentTemplate", "userAttributesForFindings", other,
                "INVALID_USER_ATTRIBUTE_KEY",
            ),
        ):
            self.refuses(operation, code, {**good[operation], member: [same, twice]})
        for operation, arguments in good.items():
            for member, value in arguments.get("filter", {}).items():
                if not member.endswith("Range"):
                    continue
                ends = list(value.values())[::-1]
                back = {**arguments["filter"], member: dict(zip(value, ends))}
                code = code_of(f"{operation}.filter.{member}")
                found = self.fails(operation, {**arguments, "filter": back})
                expect(found[1] == (code or found[1]), operation, member, found)
            # Every ARN where one of another kind belongs.
            for member in arguments:
                for arn in (self.group, self.target, self.template, self.arn, self.packages[0]):
                    if member in NOTHING and kind(arn) != kind(NOTHING[member]):
                        code = code_of(f"{operation}.{member}")
                        self.refuses(operation, code, {**arguments, member: arn})
            if "maxResults" in arguments and operation != "ListRulesPackages":
                arguments = {**arguments, "nextToken": self.foreign}
                self.refuses(operation, "INVALID_PAGINATION_TOKEN", arguments)
        nothing = self.packages[0][:-8] + "AAAAAAAA"
        missing = "NoSuchEntityException"
        for operation in ("CreateAssessmentTemplate", "ListAssessmentTemplates", "ListFindings"):
            arguments = dict(good[operation])
            where = arguments
            if "filter" in arguments:
                where = arguments["filter"] = dict(arguments["filter"])
            where["rulesPackageArns"] = [self.packages[0], nothing]
            self.refuses(operation, "RULES_PACKAGE_DOES_NOT_EXIST", arguments, missing)
        for operation, member in (
            ("ListFindings", "assessmentRunArn"),
            ("ListAssessmentRuns", "assessmentTemplateArn"),
            ("ListAssessmentTemplates", "assessmentTargetArn"),
        ):
            words = code_of(member).removeprefix("INVALID_").removesuffix("_ARN")
            arguments = {f"{member}s": [NOTHING[member]]}
            self.refuses(operation, f"{words}_DOES_NOT_EXIST", arguments, missing)
        # A template may have no rules packages; a run of it would judge nothing.
        empty = {**good["CreateAssessmentTemplate"], "rulesPackageArns": []}
        empty = self.client.create_assessment_template(**empty)["assessmentTemplateArn"]
        code = "INVALID_NUMBER_OF_RULES_PACKAGE_ARNS"
        self.refuses("StartAssessmentRun", code, {"assessmentTemplateArn": empty})
        self.client.delete_assessment_template(assessmentTemplateArn=empty)

    def limits(self):
        """As many targets as there may be, and one more."""
        made = []
        while True:
            name = f"target {len(made)}"
            try:
                answer = self.client.create_assessment_target(assessmentTargetName=name)
                made.append(answer["assessmentTargetArn"])
            except self.client.exceptions.LimitExceededException as error:
                found = fault(self.client, "CreateAssessmentTarget", error)
                expect(found[1] == "ASSESSMENT_TARGET_LIMIT_EXCEEDED", found)
                break
        expect(len(made) == 49, len(made))
        arns = self.every("list_assessment_targets", "assessmentTargetArns")
        expect(len(arns) == 50, len(arns))
        for target in made:
            self.client.delete_assessment_target(assessmentTargetArn=target)

    def reports(self):
        """Each report is made once, and read at its address by whoever has it."""
        c, titles = self.client, {finding["title"] for finding in self.findings}
        for form, kind in itertools.product(("HTML", "PDF"), ("FINDING", "FULL")):
            asked = {
                "assessmentRunArn": self.arn, "reportFileFormat": form, "reportType": kind,
            }
            for _ in range(3000):
                report = c.get_assessment_report(**asked)
                if report["status"] != "WORK_IN_PROGRESS":
                    break
                expect("url" not in report, report)
                time.sleep(0.02)
            expect(report["status"] == "COMPLETED", report)
            expect(c.get_assessment_report(**asked)["url"] == report["url"])
            trusted = ssl.create_default_context(cafile=os.environ.get("ASSAY_CERTIFICATE"))
            with urllib.request.urlopen(report["url"], context=trusted) as answer:
                content_type, body = answer.headers["content-type"], answer.read()
            if form == "PDF":
                expect(content_type == "application/pdf" and body.startswith(b"%PDF-"))
                continue
            expect(content_type == "text/html; charset=utf-8", content_type)
            page = html.unescape(body.decode())
            missing = [title for title in titles if title not in page]
            expect(not [title for title in missing if "No potential" not in title], missing[:3])
            expect(("Rules checked" in page) == (kind == "FULL"))
            expect(self.arn in page and "COMPLETED_WITH_ERRORS" in page)
            expect("broken.assay" in page, "an agent that was not judged is told")

    def end(self):
        """What belongs to something goes with it."""
        c = self.client
        c.stop_assessment_run(assessmentRunArn=self.arn, stopAction="START_EVALUATION")
        again = c.start_assessment_run(assessmentTemplateArn=self.template)["assessmentRunArn"]
        c.stop_assessment_run(assessmentRunArn=again, stopAction="SKIP_EVALUATION")
        self.finished(again)
        c.delete_assessment_run(assessmentRunArn=self.arn)
        finding = self.findings[0]["arn"]
        gone = c.describe_findings(findingArns=[finding])["failedItems"]
        expect(gone[finding]["failureCode"] == "ITEM_DOES_NOT_EXIST", gone)
        c.delete_assessment_template(assessmentTemplateArn=self.template)
        gone = c.describe_assessment_runs(assessmentRunArns=[again])["failedItems"]
        expect(gone[again]["failureCode"] == "ITEM_DOES_NOT_EXIST", gone)
        c.delete_assessment_target(assessmentTargetArn=self.target)
        expect(not self.every("list_assessment_targets", "assessmentTargetArns"))
        missing = set(c.meta.service_model.operation_names) - self.seen
        expect(not missing, "never succeeded:", missing)


def main():
    walk = Walk(sys.argv[1])
    for step in (
        walk.prepare, walk.run, walk.failed_items, walk.reports, walk.wrong_input, walk.limits,
        walk.end,
    ):
        step()
    faults = sum(len(found) for found in walk.refused.values())
    print(f"{len(walk.seen)} operations, {len(walk.findings)} findings, {faults} faults")


main()
