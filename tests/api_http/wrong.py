"""Requests in each of which one thing is wrong, and Inspector's code for it."""

TARGET, TEMPLATE = "ASSESSMENT_TARGET", "ASSESSMENT_TEMPLATE"
KINDS = {
    "assessmentTarget": TARGET, "assessmentTemplate": TEMPLATE, "assessmentRun": "ASSESSMENT_RUN",
    "finding": "FINDING", "resourceGroup": "RESOURCE_GROUP", "rulesPackage": "RULES_PACKAGE",
}

#: By the end of the member's path; `[]` is an item of a list.
CODES = {
    "previewAgentsArn": "INVALID_ASSESSMENT_TARGET_ARN",
    "resourceArn": "INVALID_RESOURCE_ARN",
    "topicArn": "INVALID_SNS_TOPIC_ARN",
    "roleArn": "INVALID_IAM_ROLE_ARN",
    "event": "INVALID_EVENT",
    "assessmentTargetName": f"INVALID_{TARGET}_NAME",
    "assessmentTemplateName": f"INVALID_{TEMPLATE}_NAME",
    "assessmentTargetNamePattern": f"INVALID_{TARGET}_NAME_PATTERN",
    "namePattern": f"INVALID_{TEMPLATE}_NAME_PATTERN",
    "durationInSeconds": f"INVALID_{TEMPLATE}_DURATION",
    "ListAssessmentTemplates.filter.durationRange": f"INVALID_{TEMPLATE}_DURATION_RANGE",
    "ListAssessmentRuns.filter.durationRange": "INVALID_ASSESSMENT_RUN_DURATION_RANGE",
    "startTimeRange": "INVALID_ASSESSMENT_RUN_START_TIME_RANGE",
    "completionTimeRange": "INVALID_ASSESSMENT_RUN_COMPLETION_TIME_RANGE",
    "stateChangeTimeRange": "INVALID_ASSESSMENT_RUN_STATE_CHANGE_TIME_RANGE",
    "states": "INVALID_NUMBER_OF_ASSESSMENT_RUN_STATES",
    "states[]": "INVALID_ASSESSMENT_RUN_STATE",
    "resourceGroupTags": "INVALID_NUMBER_OF_RESOURCE_GROUP_TAGS",
    "resourceGroupTags[].key": "INVALID_RESOURCE_GROUP_TAG_KEY",
    "resourceGroupTags[].value": "INVALID_RESOURCE_GROUP_TAG_VALUE",
    "tags": "INVALID_NUMBER_OF_TAGS",
    "tags[]": "INVALID_TAG",
    "tags[].key": "INVALID_TAG_KEY",
    "tags[].value": "INVALID_TAG_VALUE",
    "filter.attributes": "INVALID_NUMBER_OF_ATTRIBUTES",
    "filter.attributes[]": "INVALID_ATTRIBUTE",
    "filter.attributes[].key": "INVALID_ATTRIBUTE",
    "filter.attributes[].value": "INVALID_ATTRIBUTE",
    "attributeKeys": "INVALID_NUMBER_OF_USER_ATTRIBUTES",
    "attributeKeys[]": "INVALID_USER_ATTRIBUTE_KEY",
    "agentIds": "INVALID_NUMBER_OF_AGENT_IDS",
    "agentIds[]": "INVALID_AGENT_ID",
    "autoScalingGroups": "INVALID_NUMBER_OF_AUTO_SCALING_GROUPS",
    "autoScalingGroups[]": "INVALID_AUTO_SCALING_GROUP",
    "ruleNames": "INVALID_NUMBER_OF_RULE_NAMES",
    "ruleNames[]": "INVALID_RULE_NAME",
    "severities": "INVALID_NUMBER_OF_SEVERITIES",
    "severities[]": "INVALID_SEVERITY",
    "locale": "INVALID_LOCALE",
    "maxResults": "INVALID_MAX_RESULTS",
    "nextToken": "INVALID_PAGINATION_TOKEN",
}
for name, words in KINDS.items():
    CODES[f"{name}Arn"] = CODES[f"{name}Arns[]"] = f"INVALID_{words}_ARN"
    CODES[f"{name}Arns"] = f"INVALID_NUMBER_OF_{words}_ARNS"
for path in ("userAttributesForFindings", "filter.userAttributes", "attributes"):
    CODES[path] = "INVALID_NUMBER_OF_USER_ATTRIBUTES"
    CODES[f"{path}[]"] = "INVALID_USER_ATTRIBUTE"
    CODES[f"{path}[].key"] = "INVALID_USER_ATTRIBUTE_KEY"
    CODES[f"{path}[].value"] = "INVALID_USER_ATTRIBUTE_VALUE"
#: What Inspector has no code of its own for: any will do.
NONE = {
    "filter", "agentHealths", "agentHealthCodes", "assessmentRunName", "creationTimeRange",
    "exclusionArns", "previewToken", "reportFileFormat", "reportType", "stopAction",
    "resourceGroupTags[]",
}


def code_of(path):
    """The code for a member, or that of the closest structure or list that has one; none: any."""
    while path:
        parts = path.split(".")
        for start in range(len(parts)):
            end = ".".join(parts[start:])
            if end in CODES:
                return CODES[end]
            if end in NONE or end.removesuffix("[]") in NONE:
                return None
        path = ".".join(parts[:-1])
    raise KeyError("no code is known for what is wrong")


def wrong(shape, value, path):
    """Copies of a structure in each of which one thing is wrong: the member, how, and the copy."""
    for name in shape.required_members:
        yield f"{path}.{name}", "missing", {k: v for k, v in value.items() if k != name}
    for name, item in value.items():
        for where, how, bad in wrong_values(shape.members[name], item, f"{path}.{name}"):
            yield where, how, {**value, name: bad}


def wrong_values(shape, value, path):
    kind, least, most = shape.type_name, shape.metadata.get("min"), shape.metadata.get("max")
    if kind == "structure":
        yield path, "as a text", "x"
        yield from wrong(shape, value, path)
    elif kind == "list":
        yield path, "as a text", "x"
        yield path, "as a structure", {"a": 1}
        if least:
            yield path, "empty", []
        if most:
            # Scripts describe a hundred findings at once, so that is allowed.
            over = most + 1 if path != "DescribeFindings.findingArns" else 101
            yield path, "too long", [value[0]] * over
        # An ARN that names nothing here is answered for itself.
        answered = path.split(".")[0].startswith("Describe") or "findingArns" in path
        for where, how, bad in wrong_values(shape.member, value[0], f"{path}[]"):
            if not (answered and how in ("malformed", "of another thing")):
                yield where, how, [*value, bad]
    elif kind == "string":
        yield path, "as a number", 7
        yield path, "as a list", ["x"]
        if least != 0:
            yield path, "empty", ""
        if shape.enum:
            yield path, "unknown", "UNKNOWN_WORD"
        if most:
            yield path, "too long", "x" * (most + 1)
        if path.lower().rstrip("[]s").endswith("arn"):
            yield path, "malformed", "arn:aws:inspector:us-east-1:1:x"
            yield path, "of another thing", "arn:aws:s3:::bucket"
    elif kind in ("integer", "long"):
        yield path, "as a text", "x"
        yield path, "with a fraction", 200.5
        yield path, "as true", True
        yield path, "too small", least - 1 if least is not None else 0
        yield path, "too large", most + 1 if most is not None else 1_000
    elif kind == "timestamp":
        yield path, "as a text", "2016-03-22"
        yield path, "without end", 1e300
