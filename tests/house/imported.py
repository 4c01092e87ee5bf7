"""Run as a program: answers a page and an API call as a web process would, then prints what it has imported."""

import importlib.metadata
import io
import json
import sys
from typing import Any
from wsgiref.util import setup_testing_defaults

OURS = {"kimberly", "memory", "ops", "tests", "__main__", "__mp_main__"}


def main() -> None:
    """Arguments: an API key. Prints {"statuses": [...], "distributions": [...]}."""
    from kimberly.wsgi import application  # noqa: PLC0415 # what this import brings is what is measured

    key = sys.argv[1]
    statuses = [
        ask(application, "/admin/login/"),
        ask(application, "/api/v1/users/nobody", HTTP_AUTHORIZATION=f"Bearer {key}"),
        ask(application, "/readyz"),
    ]
    print(json.dumps({"statuses": statuses, "distributions": sorted(distributions())}))  # noqa: T201 # its purpose


def ask(application: Any, path: str, **headers: str) -> int:
    environ: dict[str, Any] = {"PATH_INFO": path, "HTTP_HOST": "127.0.0.1", **headers}
    setup_testing_defaults(environ)
    environ["wsgi.input"] = io.BytesIO()
    answered: list[str] = []
    for _ in application(environ, lambda status, _headers, _error=None: answered.append(status)):
        pass
    return int(answered[0].split()[0])


def distributions() -> set[str]:
    """The names of the installed distributions that any imported module belongs to."""
    owners = importlib.metadata.packages_distributions()
    modules = {name.partition(".")[0] for name in sys.modules}
    third_party = modules - set(sys.stdlib_module_names) - OURS
    return {owner.lower().replace("_", "-") for name in third_party for owner in owners.get(name, [])}


if __name__ == "__main__":
    main()
