"""The OpenAPI description as its page shows it: operations and objects, with fields, types and examples."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

Node = Mapping[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")
DEEPEST = 4  # objects within objects in an example
PREFIX = "#/components/schemas/"
# What is bounded from below, from above, and what it is counted in.
BOUNDS = (("minLength", "maxLength", "characters"), ("minItems", "maxItems", "entries"), ("minimum", "maximum", ""))


@dataclass(frozen=True, slots=True)
class Field:
    """One value that is sent or given. `link` names the object that it is, where it is one."""

    name: str
    place: str
    kind: str
    link: str
    is_required: bool
    about: str
    limits: str
    example: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One status that an operation may answer with."""

    status: str
    words: str
    link: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address."""

    id: str
    method: str
    path: str
    title: str
    about: str
    needs_key: bool
    parameters: list[Field]
    body: str
    body_fields: list[Field]
    body_example: str
    answers: list[Answer]
    answer_example: str


@dataclass(frozen=True, slots=True)
class Thing:
    """One object of the description, with its fields or its allowed values."""

    name: str
    about: str
    fields: list[Field]
    values: list[str]


class Description:
    """An OpenAPI document, ready to be read by people."""

    def __init__(self, document: Node) -> None:
        self._schemas: Node = document["components"]["schemas"]
        self.title: str = document["info"]["title"]
        self.about: list[str] = document["info"]["description"].split("\n\n")
        self.operations = list(self._operations(document["paths"]))
        self.things = [self._thing(name, node) for name, node in sorted(self._schemas.items())]

    def _operations(self, paths: Node) -> Iterator[Operation]:
        for path, methods in paths.items():
            for method in METHODS:
                if method in methods:
                    yield self._operation(path, method, methods[method])

    def _operation(self, path: str, method: str, node: Node) -> Operation:
        sent = _json_schema(node.get("requestBody", {}))
        answers = [self._answer(status, answer) for status, answer in node["responses"].items()]
        good: Node = next((answer for status, answer in node["responses"].items() if int(status) < 300), {})
        return Operation(
            id=node["operationId"],
            method=method.upper(),
            path=path,
            title=node.get("summary", node["operationId"]),
            about=node.get("description", ""),
            needs_key=bool(node.get("security")),
            parameters=[self._field(one["name"], one, one["schema"]) for one in node.get("parameters", ())],
            body=_name(sent),
            body_fields=self._fields(self._resolve(sent)),
            body_example=self._example_text(sent),
            answers=answers,
            answer_example=self._example_text(_json_schema(good)),
        )

    def _answer(self, status: str, node: Node) -> Answer:
        return Answer(str(status), HTTPStatus(int(status)).phrase, _name(_json_schema(node)))

    def _thing(self, name: str, node: Node) -> Thing:
        values = [str(value) for value in node.get("enum", ())]
        return Thing(name, node.get("description", ""), self._fields(node), values)

    def _fields(self, node: Node) -> list[Field]:
        required = node.get("required", ())
        return [
            self._field(name, {"required": name in required, **inner}, inner)
            for name, inner in node.get("properties", {}).items()
        ]

    def _field(self, name: str, about: Node, schema: Node) -> Field:
        core = _without_null(schema)
        example, given = self._example(schema, DEEPEST), "examples" in schema or "examples" in about
        return Field(
            name=name,
            place=about.get("in", ""),
            kind=self._kind(schema),
            link=_name(core) or _name(core.get("items", {})),
            is_required=about.get("required") is True,
            about=about.get("description") or schema.get("description") or core.get("description", ""),
            limits=_limits({**schema, **core}),
            example=""
            if example is None and not (given or "examples" in core)
            else json.dumps(example, ensure_ascii=False),
        )

    def _kind(self, schema: Node) -> str:
        core = _without_null(schema)
        may_be_null = " or null" if core is not schema else ""
        if "enum" in core:
            return " or ".join(str(value) for value in core["enum"]) + may_be_null
        if _name(core):
            values = self._resolve(core).get("enum")
            return (" or ".join(values) if values else _name(core)) + may_be_null
        if core.get("type") == "array":
            return f"list of {self._kind(core.get('items', {}))}{may_be_null}"
        return str(core.get("format") or core.get("type", "any")) + may_be_null

    def _resolve(self, schema: Node) -> Node:
        name = _name(schema)
        found: Node = self._schemas[name] if name else schema
        return found

    def _example_text(self, schema: Node) -> str:
        if not schema:
            return ""
        return json.dumps(self._example(schema, DEEPEST), ensure_ascii=False, indent=2)

    def _example(self, schema: Node, depth: int) -> Any:
        core = _without_null(schema)
        given = (schema.get("examples") or core.get("examples") or [None])[0]
        inner = core.get("items", {}) if core.get("type") == "array" else {}
        if given == [] and inner and depth:
            return [self._example(_without_null(inner), depth - 1)]
        if given is not None or "examples" in schema or depth == 0:
            return given
        node = self._resolve(core)
        if "enum" in node:
            return node["enum"][0]
        if "properties" in node:
            return {name: self._example(one, depth - 1) for name, one in node["properties"].items()}
        return [self._example(inner, depth - 1)] if inner else None


def _json_schema(node: Node) -> Node:
    """The JSON schema of a body or an answer; empty when there is none."""
    for media in node.get("content", {}).values():
        schema: Node = media.get("schema", {})
        return schema
    return {}


def _name(schema: Node) -> str:
    reference: str = schema.get("$ref", "")
    return reference.removeprefix(PREFIX)


def _without_null(schema: Node) -> Node:
    """The schema itself, without the `null` that it may also be."""
    for choice in schema.get("anyOf", ()):
        if choice.get("type") != "null":
            core: Node = choice
            return core
    return schema


def _limits(schema: Node) -> str:
    found = [_bound(schema.get(low), schema.get(high), unit) for low, high, unit in BOUNDS if {low, high} & set(schema)]
    if schema.get("default") is not None:
        found.append(f"default {json.dumps(schema['default'])}")
    return ", ".join(found)


def _bound(low: int | None, high: int | None, unit: str) -> str:
    """`1 to 128 characters`, `at most 500 characters`."""
    if low is not None and high is not None:
        return f"{low:,} to {high:,} {unit}".strip()
    return f"at least {low:,} {unit}".strip() if high is None else f"at most {high:,} {unit}".strip()
