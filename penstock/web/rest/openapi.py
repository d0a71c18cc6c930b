"""The OpenAPI document of the API, made of its operations."""

from typing import Any

from penstock import __version__
from penstock.web.rest.operations import Content, Given, Operation, Query
from penstock.web.rest.shapes import OneOf, schema_of

_MEANINGS = {
    "application": "The id of an application, or of a job that was submitted by itself.",
    "job": "The id of a job: 32 hexadecimal digits.",
    "vertex": "The id of a vertex: 32 hexadecimal digits.",
    "subtask": "The number of a subtask, from 0.",
    "attempt": "The number of an attempt, from 0.",
    "collector": "The name of a collecting sink.",
    "checkpoint": "The number of a checkpoint.",
    "rescale": "The id of a change of parallelism.",
    "trigger": "The id that a request was answered with.",
    "taskmanager": "The id of a TaskManager.",
    "name": "The name of a file.",
    "program": "The id of an uploaded program.",
}
_ERROR = {
    "description": "What is wrong, for people.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Errors"}}},
}


def document(operations: list[Operation]) -> dict[str, Any]:
    """The document, in OpenAPI 3.1."""
    paths: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "penstock",
            "version": __version__,
            "description": "The REST API of a JobManager, with the paths and the JSON of Apache Flink's. Every path is also "
            "there under /v1.",
        },
        "paths": paths,
        "components": {"schemas": {"Errors": schema_of({"errors": [str]})}},
    }


def _described(operation: Operation) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": operation_id(operation),
        "summary": operation.summary,
        "tags": [operation.area],
        "responses": {
            str(operation.status): {"description": operation.summary, "content": _content(operation)},
            "4XX": _ERROR,
            "503": _ERROR,
        },
    }
    parameters = [_in_path(name) for name in operation.parameters] + [_in_query(q) for q in operation.queries]
    if parameters:
        made["parameters"] = parameters
    if operation.body is not None:
        made["requestBody"] = {"content": _body(operation.body)}
    return made


def operation_id(operation: Operation) -> str:
    """A name for clients that are generated: the method and the words of the path.

    >>> operation_id(Operation("GET", "/jobs/{job}/checkpoints", "", None))
    'getJobsJobCheckpoints'
    """
    words = "".join(sign if sign.isalnum() else " " for sign in operation.path).split()
    return operation.method.lower() + ("".join(word[0].upper() + word[1:] for word in words) or "Page")


def _content(operation: Operation) -> dict[str, Any]:
    if operation.content is not Content.JSON:
        binary = {"format": "binary"} if operation.content is Content.BYTES else {}
        return {operation.content.value: {"schema": {"type": "string", **binary}}}
    return {Content.JSON.value: {"schema": schema_of(operation.gives)}}


def _body(body: Any) -> dict[str, Any]:
    match body:
        case Given.FILE:
            file = {"type": "object", "properties": {"jarfile": {"type": "string", "format": "binary"}}}
            return {body.value: {"schema": {**file, "required": ["jarfile"]}}}
        case Given.JOB:
            return {body.value: {"schema": {"type": "string", "format": "binary"}}}
    return {Content.JSON.value: {"schema": schema_of(body)}}


def _in_path(name: str) -> dict[str, Any]:
    meaning = _MEANINGS[name]
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
        "description": meaning,
    }


def _in_query(query: Query) -> dict[str, Any]:
    shape = OneOf(query.shape) if isinstance(query.shape, tuple) else query.shape
    return {"name": query.name, "in": "query", "schema": schema_of(shape), "description": query.meaning}
