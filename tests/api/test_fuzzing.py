"""schemathesis makes up calls from the API's own description; whatever it thinks of, the answers are as described."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi import checks

from tests.api.operations import document
from tests.api.problems import MEMBERS
from tests.counts import rounds
from tests.personas import Person, issue_key
from tests.web import WebServer

pytestmark = [pytest.mark.promise("R1"), pytest.mark.slow]

CALLS = rounds(60, 1_000)  # for each operation, and half as many again that schemathesis takes from examples
STORIES, STEPS = rounds(12, 200), 25
SCHEMA = schemathesis.openapi.from_dict(document())
UNHURRIED: dict[str, Any] = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
# What a description cannot say: a key that is bound to nobody needs a user_id, a tag may be stale (412), a PATCH that
# has no If-Match is 428.
EXCUSED = [checks.positive_data_acceptance, checks.missing_required_header]
# A bulk with `atomic: false` takes the good items and tells of the bad ones.
EXCUSED_OF_BULK = [*EXCUSED, checks.negative_data_rejection]


@pytest.fixture(scope="module")
def of_nobody(web_server: WebServer, django_db_blocker: Any) -> dict[str, str]:
    """The authorization of a key that is bound to nobody and has every scope."""
    with django_db_blocker.unblock():
        return {"Authorization": f"Bearer {issue_key()}"}


@pytest.fixture(scope="module")
def of_alice(web_server: WebServer, django_db_blocker: Any) -> dict[str, str]:
    """The authorization of a key that is bound to one user, who need not be named."""
    with django_db_blocker.unblock():
        return {"Authorization": f"Bearer {Person.register('alice').gets_key()}"}


@SCHEMA.parametrize()
@settings(max_examples=CALLS, **UNHURRIED)
def test_a_made_up_call_is_answered_as_described(case, web_server, of_nobody):
    response = case.call(base_url=web_server.url, headers=of_nobody)

    check(response, case)


def test_made_up_stories_are_answered_as_described(web_server, of_alice):
    """One call's answer is the next one's id."""

    class Story(SCHEMA.as_state_machine()):  # type: ignore[misc] # schemathesis makes the base at run time
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"base_url": web_server.url, "headers": of_alice}

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            check(response, case)

    Story.run(settings=settings(max_examples=STORIES, stateful_step_count=STEPS, **UNHURRIED))


def check(response: Any, case: Any) -> None:
    """The answer is as the description says, and an error is a whole problem."""
    is_bulk = case.operation.definition.raw["operationId"] == "write_items"
    case.validate_response(response, excluded_checks=EXCUSED_OF_BULK if is_bulk else EXCUSED)
    if response.status_code >= 400:
        assert set(MEMBERS) <= set(response.json())
