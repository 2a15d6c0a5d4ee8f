"""What botocore's model of Inspector says, held against what the server answers."""

import json


class Mismatch(Exception):
    """The server answers what the model does not know."""


def check(shape, value, path):
    """Holds a value as it came over the wire against a shape of the model."""
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            raise Mismatch(f"{path} is no structure: {value!r}")
        for name in value:
            if name not in shape.members:
                raise Mismatch(f"{path} has a member {name} that there is not")
        for name in shape.required_members:
            if name not in value:
                raise Mismatch(f"{path} lacks {name}")
        for name, member in value.items():
            check(shape.members[name], member, f"{path}.{name}")
    elif kind == "list":
        # The model says that a page has at most 100 ARNs, the documentation of maxResults says 500.
        if not path.startswith("List"):
            limits(shape, len(value), path)
        for index, item in enumerate(value):
            check(shape.member, item, f"{path}[{index}]")
    elif kind == "map":
        for key, item in value.items():
            check(shape.key, key, f"{path} key")
            check(shape.value, item, f"{path}[{key}]")
    elif kind == "string":
        if not isinstance(value, str):
            raise Mismatch(f"{path} is no text: {value!r}")
        if shape.enum and value not in shape.enum:
            raise Mismatch(f"{path}: {value!r} is none of {shape.enum}")
        limits(shape, len(value), path)
    elif kind in ("integer", "long"):
        if not isinstance(value, int) or isinstance(value, bool):
            raise Mismatch(f"{path} is no whole number: {value!r}")
        limits(shape, value, path)
    elif kind in ("double", "float", "timestamp"):
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise Mismatch(f"{path} is no number: {value!r}")
    elif kind == "boolean":
        if not isinstance(value, bool):
            raise Mismatch(f"{path} is neither true nor false: {value!r}")
    else:
        raise Mismatch(f"{path} is a {kind}, which this does not know")


def limits(shape, size, path):
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least or most is not None and size > most:
        raise Mismatch(f"{path} is {size}, not {least} to {most}")


def watch(client, seen):
    """Holds every answer of a client against the model, and notes the operations that succeeded."""

    def before_parse(operation_model, response_dict, **_):
        status, body = response_dict["status_code"], response_dict["body"]
        name = operation_model.name
        if not response_dict["headers"].get("x-amzn-RequestId"):
            raise Mismatch(f"{name} has no request id")
        if status >= 300:
            return
        seen.add(name)
        if operation_model.output_shape is None:
            if body:
                raise Mismatch(f"{name} has a body: {body!r}")
            return
        answer = json.loads(body)
        check(operation_model.output_shape, answer, name)

    client.meta.events.register("before-parse.inspector.*", before_parse)


def fault(client, operation, error):
    """Holds an exception against the model; gives its name and its code."""
    answer = error.response
    name, status = answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]
    model = client.meta.service_model
    modelled = [shape.name for shape in model.operation_model(operation).error_shapes]
    if name not in modelled:
        raise Mismatch(f"{operation} has no {name}, but {modelled}: {answer}")
    if not isinstance(error, getattr(client.exceptions, name)):
        raise Mismatch(f"{operation}: {name} is not raised as its own exception")
    if status != (500 if name == "InternalException" else 400):
        raise Mismatch(f"{operation}: {name} has status {status}")
    shape = model.shape_for(name)
    have = {k: v for k, v in answer.items() if k not in ("Error", "ResponseMetadata", "message")}
    have["message"] = answer["Error"]["Message"]
    check(shape, have, f"{operation} {name}")
    return name, answer.get("errorCode")
