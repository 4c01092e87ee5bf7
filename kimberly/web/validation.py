"""pydantic's errors as JSON pointers and sentences."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest
from pydantic import BaseModel

from kimberly.lib.errors import Invalid
from kimberly.web.bodies import pointer_part

OF_OUR_OWN = {  # pydantic speaks of Python where JSON is meant
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "too_long": "has {actual_length} entries, at most {max_length} are taken",
    "too_short": "has {actual_length} entries, at least {min_length} is needed",
}


def pointers(errors: Iterable[Mapping[str, Any]], *, below: str = "", skip: int = 0) -> list[tuple[str, str]]:
    """(pointer, sentence) of each error; `skip` leading parts of the location are ninja's, not the client's."""
    found = []
    for error in errors:
        parts = [pointer_part(str(part)) for part in error["loc"][skip:]]
        found.append(("".join([below, *(f"/{part}" for part in parts)]), sentence(error)))
    return found


def sentence(error: Mapping[str, Any]) -> str:
    """What is wrong, without the value itself: it may be somebody's memory."""
    kind = error["type"]
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        return "is not known here"
    if kind in OF_OUR_OWN:
        return OF_OUR_OWN[kind].format(**error.get("ctx", {}))
    text = str(error["msg"]).removeprefix("Value error, ")
    return text[0].lower() + text[1:]


def known_parameters_only(request: HttpRequest, model: type[BaseModel]) -> None:
    """Refuse a query parameter that is not known or stands more than once: a typo must not go unseen."""
    errors = []
    for name, values in request.GET.lists():
        if name not in model.model_fields:
            errors.append((f"/{pointer_part(name)}", "is not known here"))
        elif len(values) > 1:
            errors.append((f"/{pointer_part(name)}", "stands there more than once"))
    if errors:
        raise Invalid(*errors)
