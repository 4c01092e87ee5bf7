"""Requests that must be refused: what a careless or hostile client may send in place of a valid body.

A case knows which status is right, and where the JSON pointer must lead. It is made from an endpoint's valid body, so
that nothing but the one thing is wrong with it. The single values stand in `corpuswords`.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

JSON = {"Content-Type": "application/json"}
UNREADABLE, TOO_LARGE, UNSUPPORTED, INVALID = 400, 413, 415, 422


@dataclass(frozen=True)
class Bad:
    """One request body with its headers; `pointer` is how the first error's begins, None where there is none."""

    name: str
    content: bytes
    status: int
    pointer: str | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)


@dataclass(frozen=True)
class Template:
    """A valid body, and the pointer to the object in it to which any member may be added."""

    body: dict[str, Any]
    open_at: str = ""

    @property
    def text(self) -> str:
        return json.dumps(self.body)

    def with_member(self, name: str, json_text: str) -> bytes:
        """The body with one more member, whose text need not be JSON that Python would write."""
        marked = json.loads(self.text)
        target = marked
        for part in self.open_at.split("/")[1:]:
            target = target[int(part)] if isinstance(target, list) else target[part]
        target["@"] = "@"
        return json.dumps(marked).replace('"@": "@"', f"{name}: {json_text}").encode()

    def replacing(self, field_name: str, value: Any) -> bytes:
        return json.dumps({**self.body, field_name: value}, ensure_ascii=False).encode()


def every_case(template: Template, *, body_limit_bytes: int) -> list[Bad]:
    """All that can be wrong whatever the endpoint."""
    return [
        *bad_values(template),
        *bad_names(template),
        *bad_texts(template),
        *bad_types(template),
        *bad_encodings(template),
        *too_large(template, body_limit_bytes),
    ]


def bad_values(template: Template) -> Iterator[Bad]:
    """Values that PostgreSQL, another client or Python would trip over, at the top of an object and deeper in it."""
    for name, text in VALUES.items():
        yield Bad(f"{name} as a value", template.with_member('"x"', text), INVALID, f"{template.open_at}/x")
        inside = f'{{"y": [1, {text}]}}'
        yield Bad(f"{name} in a list", template.with_member('"x"', inside), INVALID, f"{template.open_at}/x/y/1")
    for levels in (21, 100, 1_000, 100_000):
        for name, left, right in (("lists", "[", "]"), ("objects", '{"a":', "}")):
            text = left * levels + ("1" if name == "objects" else "") + right * levels
            yield Bad(f"{levels} levels of {name}", template.with_member('"x"', text), INVALID, "")


VALUES = {
    "NaN": "NaN",
    "infinity": "Infinity",
    "minus infinity": "-Infinity",
    "1e999": "1e999",
    "-1e999": "-1e999",
    "1 followed by 400 digits and a fraction": "1" + "0" * 400 + ".5",
    "half a surrogate pair": r'"\ud800"',
    "the other half": r'"x\udfffx"',
    "both halves the wrong way round": r'"\udc00\ud800"',
    "a high half before a letter": r'"\ud83dA"',
    "NUL": r'"\u0000"',
    "NUL inside of a text": r'"a\u0000b"',
    "NUL after a character beyond ASCII": r'"é\u0000"',
    "2^63": "9223372036854775808",
    "-2^63 - 1": "-9223372036854775809",
    "2^64": "18446744073709551616",
    "30 digits": "1" * 30,
    "minus 30 digits": "-" + "1" * 30,
    "5,000 digits": "7" * 5_000,
}


def bad_names(template: Template) -> Iterator[Bad]:
    """Names of members that cannot be kept."""
    names = {
        "NUL": r'"\u0000"',
        "a NUL at its end": r'"x\u0000"',
        "half a pair": r'"\ud800"',
        "the low half": r'"\udc00z"',
    }
    for name, text in names.items():
        yield Bad(f"{name} in a name", template.with_member(text, "1"), INVALID, template.open_at)
        deeper = template.with_member('"x"', f"[{{{text}: 1}}]")
        yield Bad(f"{name} in a name deeper down", deeper, INVALID, f"{template.open_at}/x/0")
    twice = {
        "a name twice": ('"x"', '1, "x": 2', "/x"),
        "a name twice, once escaped": ('"x"', r'1, "\u0078": 2', "/x"),
        "a name twice with the same value": ('"x"', '1, "x": 1', "/x"),
        "the empty name twice": ('""', '1, "": 2', "/"),
        "a name with a slash twice": ('"a/b~"', '1, "a/b~": 2', "/a~1b~0"),
        "a name twice deeper down": ('"x"', '{"y": {"z": 1, "z": 2}}', "/x/y/z"),
    }
    for title, (name, text, pointer) in twice.items():
        yield Bad(title, template.with_member(name, text), INVALID, template.open_at + pointer)
    for name in template.body:
        doubled = f"{template.text[:-1]}, {json.dumps(name)}: 1}}".encode()
        yield Bad(f"{name} twice", doubled, INVALID, f"/{name}")


def bad_texts(template: Template) -> Iterator[Bad]:
    """Bodies that are not JSON, or not JSON in UTF-8."""
    text = template.text
    yield Bad("spaces only", b"  \n ", UNREADABLE)
    for name, wrong in NOT_JSON.items():
        yield Bad(name, wrong, UNREADABLE)
    yield Bad("an object that does not end", text[:-1].encode(), UNREADABLE)
    yield Bad("a comma too many", f"{text[:-1]},}}".encode(), UNREADABLE)
    yield Bad("two documents", f"{text}{text}".encode(), UNREADABLE)
    yield Bad("something behind the document", f"{text} x".encode(), UNREADABLE)
    yield Bad("a comment", f"/* */ {text}".encode(), UNREADABLE)
    yield Bad("a byte order mark", b"\xef\xbb\xbf" + text.encode(), UNREADABLE)
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        yield Bad(f"in {encoding}", text.encode(encoding), UNREADABLE)
    for name, octets in NOT_UTF8.items():
        yield Bad(
            f"{name} in a text", template.with_member('"x"', '"@"').replace(b'"@"', b'"' + octets + b'"'), UNREADABLE
        )
    for name in ("NUL", "line feed", "escape"):
        octet = {"NUL": b"\x00", "line feed": b"\n", "escape": b"\x1b"}[name]
        raw = template.with_member('"x"', '"@"').replace(b'"@"', b'"' + octet + b'"')
        yield Bad(f"a raw {name} in a text", raw, UNREADABLE)


NOT_JSON = {
    "words": b"hello",
    "a form": b"type=long-term&content=x",
    "XML": b"<memory/>",
    "one brace": b"{",
    "one bracket": b"[",
    "a quote": b'"',
    "single quotes": b"{'type': 'long-term'}",
    "a name without quotes": b'{type: "long-term"}',
    "Python's None": b"None",
    "a leading zero": b"01",
    "a plus sign": b"+1",
    "a hexadecimal number": b"0x1F",
    "a bare point": b".5",
    "a broken escape": b'"\\x41"',
    "half an escape": b'"\\u12"',
    "a lone minus": b"-",
    "NUL bytes": b"\x00" * 8,
    "random bytes": bytes(range(128, 160)),
}
NOT_UTF8 = {
    "Latin-1": b"\xe9",
    "an overlong slash": b"\xc0\xaf",
    "an overlong NUL": b"\xc0\x80",
    "an encoded surrogate": b"\xed\xa0\x80",
    "a code point past the last": b"\xf4\x90\x80\x80",
    "a cut character": b"\xf0\x9f\x98",
    "a stray continuation": b"\x80",
    "the byte FF": b"\xff",
}


def bad_types(template: Template) -> Iterator[Bad]:
    """JSON, but no object; and objects with members that nobody knows."""
    for name, raw in {"a list": b"[]", "a list of objects": f"[{template.text}]".encode(), "a text": b'"x"'}.items():
        yield Bad(f"{name} as the body", raw, INVALID, "")
    for name, raw in {"a number": b"7", "a fraction": b"1.5", "true": b"true", "false": b"false"}.items():
        yield Bad(f"{name} as the body", raw, INVALID, "")
    for name in UNKNOWN_FIELDS:
        pointer = "/" + name.replace("~", "~0").replace("/", "~1")
        yield Bad(f"the unknown field {name!r}", template.replacing(name, 1), INVALID, pointer)


READ_ONLY_FIELDS = ("id", "size_bytes", "etag", "version", "state", "expires_at", "archived_at", "usage", "embedding")
UNKNOWN_FIELDS = (*READ_ONLY_FIELDS, "", "Content", "content ", "a/b", "~", "__proto__", "__class__", "é", "\u202etxet")


def bad_encodings(template: Template) -> Iterator[Bad]:
    """Media types and content encodings that are not read."""
    raw = template.text.encode()
    for media_type in MEDIA_TYPES:
        yield Bad(f"as {media_type or 'nothing'}", raw, UNSUPPORTED, headers={"Content-Type": media_type})
    encoded = {"gzip": gzip.compress(raw), "deflate": zlib.compress(raw)}
    for encoding in (
        "gzip",
        "deflate",
        "br",
        "zstd",
        "compress",
        "x-gzip",
        "identity, gzip",
        "gzip, identity",
        "x",
        "",
    ):
        content = encoded.get(encoding, raw)
        yield Bad(f"encoded with {encoding!r}", content, UNSUPPORTED, headers={**JSON, "Content-Encoding": encoding})


MEDIA_TYPES = (
    "",
    "text/plain",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "application/octet-stream",
    "application/jsonp",
    "application/problem+json",
    "application/merge-patch+json",
    "application/json; charset=utf-16",
    "application/json; charset=latin-1",
    "application/json; charset",
    "application/json, text/plain",
    "*/*",
    "json",
)


def too_large(template: Template, limit_bytes: int) -> Iterator[Bad]:
    raw = template.text.encode()
    yield Bad("one byte too many", raw + b" " * (limit_bytes + 1 - len(raw)), TOO_LARGE)


def bad_fields(schema: Mapping[str, Any], template: Template) -> Iterator[Bad]:
    """Each field of the schema with every JSON type that it does not take."""
    for name, described in schema["properties"].items():
        taken = _types_of(described, schema)
        for json_type, value in ONE_OF_EACH_TYPE.items():
            if json_type not in taken:
                yield Bad(f"{name} as {json_type}", template.replacing(name, value), INVALID, f"/{name}")


ONE_OF_EACH_TYPE = {
    "string": "some text",
    "integer": 7,
    "number": 1.5,
    "boolean": True,
    "array": [1],
    "object": {"a": 1},
    "null": None,
}


def _types_of(described: Mapping[str, Any], schema: Mapping[str, Any]) -> set[str]:
    choices = [described, *described.get("anyOf", ()), *described.get("allOf", ())]
    taken = {choice["type"] for choice in choices if "type" in choice}
    if any("$ref" in choice for choice in choices):
        taken.add("string")  # the only named schemas inside of bodies are enumerations of text
    return taken | ({"integer"} if "number" in taken else set())


def bad_contents() -> dict[str, Any]:
    """Texts that are no memory."""
    return {
        "empty": "",
        "200,001 characters": "x" * 200_001,
        "200,001 characters of four bytes": "\U0001f600" * 200_001,
    }


def bad_metadata() -> dict[str, Any]:
    """Metadata of one byte too many, in several shapes; 16 KiB as compact JSON is the most."""
    most = 16 * 1024
    return {
        "one byte too many": {"x": "y" * (most - len('{"x":""}') + 1)},
        "too many bytes in few characters": {"x": "\U0001f600" * (most // 4)},
        "too many members": {str(number): number for number in range(3_000)},
    }
