from django.apps import AppConfig


class ClientsConfig(AppConfig):
    name = "kimberly.clients"
    label = "clients"
    verbose_name = "API clients"
    default_auto_field = "django.db.models.BigAutoField"
