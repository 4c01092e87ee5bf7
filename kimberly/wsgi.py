"""The web process."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from kimberly.celery import app
from kimberly.web.slots import Limited
from memory.embedding import chosen

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kimberly.settings")
application = Limited(
    get_wsgi_application(),
    number=settings.KIMBERLY.web_threads,
    statement_seconds=settings.KIMBERLY.statement_timeout_seconds,
)
# The application whose broker the API's tasks are sent to.
app.set_default()
# Loaded now, so that no process's first caller waits for it: the embedder's weights, every view and the API's schema.
chosen.current()
_ = get_resolver().url_patterns
