from django.apps import AppConfig
from django.db.backends.signals import connection_created

from kimberly.db import vectors


class MemoryConfig(AppConfig):
    name = "memory"
    verbose_name = "Memory"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        connection_created.connect(vectors.register, dispatch_uid="vectors")
