from importlib import import_module

from django.apps import AppConfig


class OpsConfig(AppConfig):
    name = "ops"
    verbose_name = "Operations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("ops.services.signing")  # it listens to Django's signals of signing in
