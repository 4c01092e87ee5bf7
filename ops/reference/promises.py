"""docs/promises.md: what the service promises, and the tests that hold it to that."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from ops.reference.tables import code, page, table

INTRODUCTION = """Each promise with the tests that carry its mark (`@pytest.mark.promise("F1")`). `make test` goes
through all of them in a short form, `make test-long` in their full counts."""

# Those whose area is built. A test fails when one of them has no test, or a mark names none of them.
PROMISES = {
    "F1": "However many write for a user at once, no limit is passed by a byte; each refusal says why, and is kept.",
    "F2": "A call that is repeated with its Idempotency-Key has one effect, and gets the first answer.",
    "F3": "Bad input is refused with a pointer to what is wrong; nothing of it is stored, and it is never a 5xx.",
    "F4": "A text of any length and kind among many others of one call is answered within a process's memory.",
    "F5": "The longest texts are kept whole, counted to the byte, and found.",
    "F6": "An embedder that fails, is slow or gives nonsense stops no write and spoils no answer.",
    "F7": "Valkey may be away, slow, empty or full: reads go on, writes go on as designed, nothing is lost.",
    "F8": "PostgreSQL may be restarted and its connections cut: 503 while it is down, no acknowledged write is lost.",
    "F9": "With a database that is read-only or full, reads go on and writes are told when to come back.",
    "F10": "No key reaches more than it may: the wrong scope, another user, an expired or revoked key are turned away.",
    "F11": "The audit trail cannot be changed by the application, and a change by anybody else is found.",
    "F12": "An override or a throttle always has an end, and ends on time.",
    "F13": "A killed supervisor leaves no process behind, and the next start works; two stacks live side by side.",
    "P2": "Nobody gets in with a password alone; a code works once; five wrong ones lock, which is recorded and ends.",
    "P3": "A session ends without use, after 12 hours, and when its person or an administrator ends it; "
    "what destroys asks anew who is there.",
    "R1": "Whatever the API is sent within its description, it answers as the description says.",
    "R2": "No answer holds anything of another user.",
    "R3": "A throttle holds on every process within two seconds; of several the strictest wins.",
    "R4": "Paging by cursor gives each row exactly once while others come and go.",
    "R5": "Of parallel changes to one version exactly one wins; none is lost silently.",
    "R6": "Without vectors memories are found by their words, and vectors of two models are never compared.",
    "R7": "Hostile search text is answered as quickly as any other.",
    "R8": "Large and slow requests are turned away early and do not keep others waiting.",
    "M4": "However many send what is due, it is done once.",
    "M5": "A decision tells its score again, whatever became of the item, the weights and all around it.",
    "M6": "Whatever the policies and the items are, no cap is exceeded; what is unusual waits for an operator.",
    "M7": "What one user's data does to a worker stops nobody else; it is tried three times and has a name in the end.",
    "M8": "Whatever a clock does, nothing is purged early, and no night is lost or doubled.",
    "L1": "However many apply a plan at once, it has one effect, and all get one answer.",
    "L3": "An undo gives back equal rows, of a user all or none; without room it says what would make room.",
    "L4": "A plan is the smallest head of the order that reaches its target, and frees what it says.",
    "L5": "A plan archives what it showed or leaves it, nothing in place of what changed; applied twice it is once.",
    "L6": "Making a plan keeps no writer waiting; cut off anywhere, applying it is all or nothing.",
    "V8": "Content is read with a reason, for 15 minutes, and it shows who read it; kept answers hold no content.",
    "V9": "Whatever is logged, it is one JSON object on one line, without content and keys.",
    "D3": "With a missing, wrong or well-known setting nothing starts, and one message names all of them.",
}
# Those of which only a part is built: what is there is tested already.
BEGUN = {
    "M1": "A meditation that is cut off anywhere is finished by the next worker; nothing is half done or done twice.",
    "M2": "A run ends by itself after its workers were killed or the broker lost everything.",
    "M3": "A task that comes twice, late or too often changes nothing more.",
    "L2": "Whatever is done to items around plans, counters, limits and protection hold.",
    "P1": "Each page and action is open to the roles that the table names, and closed to all others, by any way in.",
    "P4": "No page breaks the content policy.",
    "P5": "A form from elsewhere changes nothing, nor does any GET, and no link leads away by itself.",
    "P6": "What people and clients wrote is shown as text, and never runs.",
    "P7": "Two people who change the same thing are told of each other; a form sent twice has one effect.",
    "P8": "What a page predicts of a remedy is what happens afterwards.",
    "P9": "The portal works without scripts, by keyboard and on a phone; it says so when something is away.",
    "O3": "A scrape has as many series for many users as for few, whatever paths, methods and keys are made up.",
    "D1": "The image's build steps give a program that answers and writes nothing into its own folders.",
    "D4": "What is installed is what was locked, under licences that may be used; no secret is in the repository.",
}


@dataclass(frozen=True, slots=True)
class Kept:
    """One test that carries a mark."""

    promise: str
    path: str
    test: str


def render() -> str:
    kept = sorted(marks(settings.BASE_DIR), key=lambda mark: (mark.path, mark.test))
    return page("Promises", INTRODUCTION, _table(PROMISES, kept), "## Begun", _table(BEGUN, kept))


def _table(about: Mapping[str, str], kept: list[Kept]) -> str:
    rows = [[name, promise, "<br>".join(_tests(kept, name))] for name, promise in about.items()]
    return table(["id", "promise", "kept by"], rows)


def _tests(kept: list[Kept], promise: str) -> Iterator[str]:
    for mark in kept:
        if mark.promise == promise:
            yield f"{code(mark.path.removeprefix('tests/'))} {mark.test.removeprefix('test_').replace('_', ' ')}"


def marks(project: Path) -> Iterator[Kept]:
    """Every mark in tests/, whether it stands on a test, a class or a whole module."""
    for path in sorted((project / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        yield from _marks_below(tree, path.relative_to(project).as_posix(), _module_marks(tree))


def _marks_below(tree: ast.AST, path: str, inherited: list[str]) -> Iterator[Kept]:
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        own = [*inherited, *_ids(node.decorator_list)]
        if isinstance(node, ast.ClassDef):
            yield from _marks_below(node, path, own)
        elif node.name.startswith("test_"):
            yield from (Kept(promise, path, node.name) for promise in dict.fromkeys(own))


def _module_marks(tree: ast.Module) -> list[str]:
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    return [
        promise
        for node in assigned
        if any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)
        for promise in _ids([node.value])
    ]


def _ids(nodes: list[ast.expr]) -> list[str]:
    """The arguments of every `mark.promise(...)` in these expressions."""
    calls = [call for node in nodes for call in ast.walk(node) if isinstance(call, ast.Call)]
    marked = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "promise"]
    return [str(argument.value) for call in marked for argument in call.args if isinstance(argument, ast.Constant)]
