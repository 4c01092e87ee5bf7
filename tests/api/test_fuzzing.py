"""schemathesis makes up calls from the API's own description; whatever it thinks of, the answers are as described."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from schemathesis.specs.openapi import checks

from tests.api.operations import document
from tests.api.problems import MEMBERS
from tests.counts import rounds
from tests.personas import issue_key
from tests.web import WebServer

pytestmark = [pytest.mark.promise("R1"), pytest.mark.slow]

CALLS = rounds(100, 1_000)  # for each operation; there are ten
import collections
COUNT=collections.Counter()
@pytest.fixture(scope="module",autouse=True)
def _pr():
    yield
    print(sum(COUNT.values()), sorted(COUNT.items()))
SCHEMA = schemathesis.openapi.from_dict(document())
MANY_TIMES = settings(max_examples=CALLS, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def authorization(web_server: WebServer, django_db_blocker) -> dict[str, str]:
    """Of a key that is bound to nobody and has every scope: nothing stands in the fuzzer's way."""
    with django_db_blocker.unblock():
        return {"Authorization": f"Bearer {issue_key()}"}


# What a description cannot say: a key that is bound to nobody needs a user_id, a tag may be stale (412), and a PATCH
# without If-Match is 428.
EXCUSED = [checks.positive_data_acceptance, checks.missing_required_header]


@SCHEMA.parametrize()
@MANY_TIMES
def test_a_made_up_call_is_answered_as_described(case, web_server, authorization):
    response = case.call_and_validate(base_url=web_server.url, headers=authorization, excluded_checks=EXCUSED)
    COUNT[case.operation.label, response.status_code]+=1

    if response.status_code >= 400:
        assert set(MEMBERS) <= set(response.json())
