"""docs/errors.md"""

import ast
import inspect
import textwrap

from kimberly.lib.errors import Refusal
from kimberly.web.problems import MEDIA_TYPE, STATUS
from ops.reference.tables import code, page, table

INTRODUCTION = f"""Every error of the API is `{MEDIA_TYPE}` (RFC 9457): `type` (an address under `/problems/` that
explains it), `title`, `status`, `detail`, `instance`, `request_id`, then the facts of that type, and `remedies` where
something would help. Each type is a `Refusal` class beside the code that raises it. What is no refusal is a bug: 500,
type `internal-error`, with nothing but the request id to find it by."""


def render() -> str:
    found = sorted(Refusal.registry.values(), key=lambda refusal: (STATUS[refusal.kind], refusal.slug))
    head = ["status", "type", "what it says", "facts", "`Retry-After`"]
    return page("Errors", INTRODUCTION, table(head, [_row(refusal) for refusal in found]))


def _row(refusal: type[Refusal]) -> list[str]:
    waits = refusal.retry_after_seconds is not Refusal.retry_after_seconds
    says = " ".join(text for text in (refusal.title, refusal.explanation) if text)
    facts = ", ".join(code(name) for name in facts_of(refusal))
    return [str(STATUS[refusal.kind]), code(refusal.slug), says, facts, "yes" if waits else ""]


def facts_of(refusal: type[Refusal]) -> list[str]:
    """The names of the facts, read from the dictionary that `facts` returns: an instance would need its arguments."""
    source = ast.parse(textwrap.dedent(inspect.getsource(refusal.facts)))
    returned = [node.value for node in ast.walk(source) if isinstance(node, ast.Return)]
    keys = [key for value in returned if isinstance(value, ast.Dict) for key in value.keys]
    return [str(key.value) for key in keys if isinstance(key, ast.Constant)]
