"""Request bodies: read within a limit, and JSON with everything refused that a store or a client would trip over."""

import json
import math
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest

from kimberly.lib.errors import Invalid, Kind, Refusal

MAX_DEPTH = 20
BODY_LIMIT_BYTES = 1 << 20
BULK_BODY_LIMIT_BYTES = 16 << 20


class BodyTooLarge(Refusal):
    """The request's body is larger than this endpoint reads."""

    slug = "body-too-large"
    kind = Kind.TOO_LARGE
    title = "The body is too large."
    explanation = "Bodies end at 1 MiB, at 16 MiB for bulk. Nothing was stored."

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(limit_bytes)
        self.limit_bytes = limit_bytes

    @property
    def detail(self) -> str:
        return f"The body is larger than {self.limit_bytes >> 20} MiB. Nothing was stored."

    def facts(self) -> dict[str, Any]:
        return {"limit_bytes": self.limit_bytes}

    def remedies(self) -> list[str]:
        return ["Send it in parts, and text as UTF-8, not escaped (Python: json.dumps(ensure_ascii=False))."]


class UnsupportedBody(Refusal):
    """The body is not plain JSON in UTF-8."""

    slug = "unsupported-media-type"
    kind = Kind.UNSUPPORTED
    title = "The body must be application/json in UTF-8, without a content encoding."


class UnreadableBody(Refusal):
    """The body is not JSON."""

    slug = "unreadable-body"
    kind = Kind.UNREADABLE
    title = "The body is not readable as JSON."

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    @property
    def detail(self) -> str:
        return f"The body is not readable as JSON: {self.why}."


class _Repeated(dict[str, Any]):
    """An object in which a key stood more than once."""

    key: str


class _Unfit:
    """A number that JSON, PostgreSQL or another client could not carry."""

    def __init__(self, why: str) -> None:
        self.why = why


class _Reading:
    """What is made of the parts of one body, and whether any of them was unfit."""

    def __init__(self) -> None:
        self.is_unfit = False

    def make_object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        self.is_unfit = True
        repeated = _Repeated(made)
        names = [name for name, _ in pairs]
        repeated.key = next(name for name in names if names.count(name) > 1)
        return repeated

    def make_integer(self, digits: str) -> int | _Unfit:
        if len(digits) <= 18:
            return int(digits)
        fits = len(digits) <= 20 and -(1 << 63) <= int(digits) < 1 << 63
        return int(digits) if fits else self._unfit("is past 64 bits")

    def make_float(self, digits: str) -> float | _Unfit:
        number = float(digits)
        return number if math.isfinite(number) else self._unfit("is past the range of numbers")

    def make_constant(self, name: str) -> _Unfit:
        return self._unfit(f"{name} is not a JSON number")

    def _unfit(self, why: str) -> _Unfit:
        self.is_unfit = True
        return _Unfit(why)


def read_json(request: HttpRequest, *, limit_bytes: int) -> Any:
    """The parsed body, or a refusal: BodyTooLarge, UnsupportedBody, UnreadableBody, or Invalid with JSON pointers."""
    media_type = request.META.get("CONTENT_TYPE", "")
    if request.META.get("HTTP_CONTENT_ENCODING", "identity") != "identity" or not _is_json(media_type):
        raise UnsupportedBody
    raw = read(request, limit_bytes=limit_bytes)
    request._body = raw  # noqa: SLF001 # what Django's request.body gives from now on
    return parse(raw)


def _is_json(media_type: str) -> bool:
    kind, _, parameters = media_type.partition(";")
    charset = parameters.strip().lower().replace('"', "")
    return kind.strip().lower() == "application/json" and charset in ("", "charset=utf-8")


def read(request: HttpRequest, *, limit_bytes: int) -> bytes:
    """The body's bytes. A declared length over the limit is refused unread, an undeclared one at the limit.

    A body that ends before its declared length is refused: whoever sent it did not mean its beginning.
    """
    declared = request.META.get("CONTENT_LENGTH") or ""
    if not declared.isdecimal():
        return _read_at_most(request.META["wsgi.input"], limit_bytes)
    length = int(declared)
    if length > limit_bytes:
        raise BodyTooLarge(limit_bytes)
    raw = request.read(length)
    if len(raw) < length:
        raise UnreadableBody(f"it ended after {len(raw):,} of {length:,} bytes")
    return raw


def _read_at_most(stream: Any, limit_bytes: int) -> bytes:
    raw: bytes = stream.read(limit_bytes + 1)
    if len(raw) > limit_bytes:
        raise BodyTooLarge(limit_bytes)
    return raw


def parse(raw: bytes) -> Any:
    """Strict JSON: UTF-8, no repeated keys, finite numbers, 64-bit integers, at most 20 levels, no NUL or surrogate."""
    reading = _Reading()
    try:
        parsed = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=reading.make_object,
            parse_int=reading.make_integer,
            parse_float=reading.make_float,
            parse_constant=reading.make_constant,
        )
    except UnicodeDecodeError as error:
        raise UnreadableBody(f"byte {error.start} is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise UnreadableBody(f"{error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise Invalid(("", f"has more than {MAX_DEPTH} levels")) from error
    # Only an escape can bring a NUL or half of a surrogate pair into text that is valid UTF-8 and valid JSON.
    look_at_text = b"\\u" in raw
    may_be_deep = raw.count(b"[") + raw.count(b"{") > MAX_DEPTH
    if look_at_text or may_be_deep or reading.is_unfit:
        errors = list(_errors(parsed, "", 1, look_at_text=look_at_text))
        if errors:
            raise Invalid(*errors[:20])
    return parsed


def _errors(value: Any, pointer: str, level: int, *, look_at_text: bool) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if look_at_text and (why := text_error(value)):
            yield pointer, why
    elif isinstance(value, _Unfit):
        yield pointer, value.why
    elif isinstance(value, dict | list):
        yield from _errors_inside(value, pointer, level, look_at_text=look_at_text)


def _errors_inside(
    value: dict[str, Any] | list[Any], pointer: str, level: int, *, look_at_text: bool
) -> Iterator[tuple[str, str]]:
    if level > MAX_DEPTH:
        yield pointer, f"has more than {MAX_DEPTH} levels"
        return
    if isinstance(value, _Repeated):
        yield f"{pointer}/{pointer_part(value.key)}", "stands there more than once"
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if look_at_text and isinstance(key, str) and (why := text_error(key)):
            yield pointer, f"has a key that {why}"
            continue
        yield from _errors(inner, f"{pointer}/{pointer_part(str(key))}", level + 1, look_at_text=look_at_text)


def text_error(value: str) -> str | None:
    """What makes a text impossible to store or to send on, or None."""
    if "\x00" in value:
        return "holds a NUL character"
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        return "holds half of a surrogate pair"
    return None


def pointer_part(name: str) -> str:
    """A member's name as part of a JSON pointer (RFC 6901)."""
    safe = name.encode("utf-8", "replace").decode("utf-8")
    return safe.replace("~", "~0").replace("/", "~1")
