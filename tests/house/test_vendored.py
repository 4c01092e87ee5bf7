"""Files of others that the portal serves: exactly what was published, so that nobody has to read them again."""

import hashlib

from django.conf import settings

# htmx 2.0.11 from its npm package htmx.org, Zero-Clause BSD: as published.
HTMX_SHA256 = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"


def test_htmx_is_as_it_was_published():
    file = settings.BASE_DIR / "static" / "portal" / "htmx.min.js"

    assert hashlib.sha256(file.read_bytes()).hexdigest() == HTMX_SHA256
    assert 'version:"2.0.11"' in file.read_text(encoding="utf-8")
