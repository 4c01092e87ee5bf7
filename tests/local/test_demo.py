"""The first start as a person finds it: people whose memories can be asked for; the next one changes nothing."""

import os
import re
import signal
import subprocess
import sys

import httpx
import pytest

from kimberly.local import options
from kimberly.local.programs import PROJECT
from tests.local.stacks import Stack

pytestmark = pytest.mark.slow

NEAR_LIMIT = "acct-71180"


def api(stack):
    return httpx.Client(base_url=stack.portal["url"], headers={"Authorization": f"Bearer {stack.portal['api_key']}"})


def manage(stack, *arguments):
    """A management command on the running stack; what it printed."""
    settings = {
        "DATABASE_URL": stack.portal["database_url"],
        "REDIS_URL": stack.portal["redis_url"],
        "KIMBERLY_DATA_DIR": str(stack.data_dir),
    }
    inherited = {name: value for name, value in os.environ.items() if name not in options.names()}
    environ = {**inherited, "KIMBERLY_SECRET_KEY": os.environ["KIMBERLY_SECRET_KEY"], **settings}
    command = [sys.executable, "-W", "ignore", "manage.py", *arguments]
    done = subprocess.run(command, cwd=PROJECT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def users_in(stack):
    metrics = httpx.get(f"{stack.portal['url']}/metrics").text
    found = re.findall(r'kimberly_memory_users_by_quota_band{.*tier="long-term".*} ([0-9.]+)', metrics)
    return sum(float(number) for number in found)


def test_the_first_start_has_people_whose_memories_are_found_and_the_next_one_the_same(data_dir):
    stack = Stack(data_dir, environ={"KIMBERLY_DEMO": ""})
    with stack, api(stack) as client:
        question = {"user_id": NEAR_LIMIT, "query": "When is the flight?", "top_k": 3}
        answer = client.post("/api/v1/memory/query", json=question).raise_for_status().json()
        people = users_in(stack)
        assert "No violation" in manage(stack, "check_invariants")
        manage(stack, "verify_audit")
        assert "nothing was changed" in manage(stack, "load_demo")
        stack.end_by(signal.SIGTERM)

    with stack:
        assert users_in(stack) == people
        stack.end_by(signal.SIGTERM)

    assert len(answer["items"]) == 3
    assert 100 <= people <= 125
