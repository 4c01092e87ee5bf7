"""The web process."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from kimberly.config import WrongSettings
from kimberly.web.slots import Limited

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kimberly.settings")
try:
    application = Limited(get_wsgi_application(), number=settings.KIMBERLY.web_threads)
except WrongSettings as error:
    raise SystemExit(str(error)) from None
