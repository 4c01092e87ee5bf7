from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ops.reference import errors, metrics, modules, permissions, promises, schedules
from ops.reference import settings as settings_list

LISTS = {
    "settings.md": settings_list.render,
    "metrics.md": metrics.render,
    "errors.md": errors.render,
    "schedules.md": schedules.render,
    "permissions.md": permissions.render,
    "promises.md": promises.render,
}


class Command(BaseCommand):
    help = (
        "Write the lists in docs/ that are made from the code; with --check only say which are stale. Needs a checkout."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Write nothing; exit 1 when a list is stale.")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = settings.BASE_DIR / "docs"
        if not folder.is_dir():
            raise CommandError(f"{folder} is not there: this is for a checkout of the sources.")
        modules.import_all()
        texts = {folder / name: render() for name, render in LISTS.items()}
        stale = [path for path, text in texts.items() if not path.exists() or path.read_text("utf-8") != text]
        if options["check"] and stale:
            names = ", ".join(path.name for path in stale)
            raise CommandError(f"Stale in docs/: {names}. `make docs` writes them anew.")
        for path in stale:
            path.write_text(texts[path], encoding="utf-8")
            self.stdout.write(f"docs/{path.name} is new")
