from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ops.reference import environment, errors, metrics, modules, permissions, promises, schedules
from ops.reference import settings as settings_list

LISTS = {
    ".env.example": environment.render,
    "docs/settings.md": settings_list.render,
    "docs/metrics.md": metrics.render,
    "docs/errors.md": errors.render,
    "docs/schedules.md": schedules.render,
    "docs/permissions.md": permissions.render,
    "docs/promises.md": promises.render,
}


class Command(BaseCommand):
    help = "Write the lists that are made from the code; with --check only say which are stale. Needs a checkout."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Write nothing; exit 1 when a list is stale.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = settings.BASE_DIR
        if not (project / "docs").is_dir():
            raise CommandError(f"There is no docs/ in {project}: this is for a checkout of the sources.")
        modules.import_all()
        texts = {name: render() for name, render in LISTS.items()}
        stale = [name for name, text in texts.items() if _read(project / name) != text]
        if options["check"] and stale:
            raise CommandError(f"Stale: {', '.join(stale)}. `make docs` writes them anew.")
        for name in stale:
            (project / name).write_text(texts[name], encoding="utf-8")
            self.stdout.write(f"{name} is new")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
