"""The web process."""

import os

from django.core.wsgi import get_wsgi_application

from kimberly.config import WrongSettings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kimberly.settings")
try:
    application = get_wsgi_application()
except WrongSettings as error:
    raise SystemExit(str(error)) from None
