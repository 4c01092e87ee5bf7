"""The web process."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from kimberly.web.slots import Limited
from memory.embedding import chosen

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kimberly.settings")
application = Limited(get_wsgi_application(), number=settings.KIMBERLY.web_threads)
chosen.current()  # loads its weights now: the first write must not wait for them
