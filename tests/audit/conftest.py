"""The trail as its owner could change it: what the app's role may not do must be tried by somebody who can."""

from collections.abc import Iterator

import pytest
from django.db import connections, transaction

from tests.audit.acts import seal_all


@pytest.fixture
def as_owner(committed_db: None) -> Iterator[None]:
    """Django's connection is the owner's, with everything sealed; what the test does is rolled back."""
    app = connections["default"]
    connections["default"] = connections["owner"]
    try:
        with transaction.atomic():
            seal_all()
            yield
            transaction.set_rollback(True)
    finally:
        connections["owner"].close()
        connections["default"] = app
