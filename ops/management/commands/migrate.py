from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.core.management.commands import migrate

from ops.services import databaseroles


class Command(migrate.Command):
    help = "Migrate as the database's owner where KIMBERLY_OWNER_DATABASE_URL says who that is, then settle the rights."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        if "owner" in settings.DATABASES:
            parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        databaseroles.require_supported_server(options["database"])
        super().handle(*args, **options)
        if options["database"] == "owner":
            databaseroles.grant_to_app("owner", app_role=settings.DATABASES["default"]["USER"])
