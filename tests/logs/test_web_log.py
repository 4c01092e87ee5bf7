"""The log of a web server under hostile requests, written as `make up` has it written."""

import json
import socket
from pathlib import Path

import pytest

from kimberly.local import programs
from tests.counts import rounds
from tests.logs import hostile
from tests.personas import Person, issue_key
from tests.waiting import until
from tests.web import WebServer

pytestmark = [pytest.mark.promise("V9"), pytest.mark.slow]
LOG_CONFIG = Path(programs.__file__).with_name("granian-logging.json")
CANARY = "canary-7f3a"
LOGGED_HEADERS = (b"X-Request-ID", b"traceparent")
OTHER_HEADERS = (b"User-Agent", b"Referer")


@pytest.fixture(scope="module")
def server(django_db_setup):
    server = WebServer(workers=1, environment={"KIMBERLY_LOG_LEVEL": "debug"})
    server._arguments += ["--no-access-log", "--log-config", str(LOG_CONFIG)]
    with server:
        yield server


@pytest.fixture
def alice(committed_db):
    return Person.register("alice")


def lines_of(server):
    return server.log.read_bytes().splitlines()


def requests_logged(server):
    return sum(b'"kimberly.request"' in line for line in lines_of(server))


def as_header(text):
    """What of the text HTTP lets stand in a header."""
    return text.encode("utf-8", "replace").translate(None, bytes(range(32)) + b"\x7f")[:2000] or b"-"


def test_hostile_headers_and_addresses_make_one_line_of_json_each(server, alice):
    texts = hostile.texts(rounds(20, 60), seed=1)
    before = requests_logged(server)

    with server.client(alice.gets_key()) as client:
        for text in texts:
            headers = dict.fromkeys(LOGGED_HEADERS + OTHER_HEADERS, as_header(text))
            client.get("/api/v1/memory/%0d%0a%1b%5b31m", headers=headers, params={"q": as_header(text).decode()})

    until(lambda: requests_logged(server) == before + len(texts), what="every request's line")
    lines = lines_of(server)
    assert {type(json.loads(line)) for line in lines} == {dict}
    assert all(line.isascii() for line in lines)


@pytest.mark.parametrize(
    "line", [b"GET / HTTP/1.1\x1b[31m\r\n\r\n", b'G"E\nT / HTTP/1.1\r\n\r\n', b"\x16\x03\x01\x00\x00", b"\r\n" * 50]
)
def test_what_is_no_http_leaves_the_log_readable(server, line):
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(line)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass

    assert {type(json.loads(line)) for line in lines_of(server)} == {dict}


def test_neither_content_nor_keys_nor_names_are_logged(server, committed_db):
    key, before = issue_key(), requests_logged(server)
    body = {"user_id": f"{CANARY}-user", "type": "long-term", "content": CANARY, "metadata": {CANARY: CANARY}}

    with server.client(key) as client:
        made = client.post("/api/v1/memory", json=body, headers={"Idempotency-Key": CANARY})
        client.post("/api/v1/memory", json={**body, "type": CANARY})
        client.post("/api/v1/memory", json={**body, "content": CANARY * 70_000})
        client.post("/api/v1/memory", content=f'{{"content": "{CANARY}', headers={"Content-Type": "application/json"})
        client.patch(made.headers["Location"], json={"content": f"{CANARY} again"}, headers={"If-Match": CANARY})
        client.get("/api/v1/memory", params={"user_id": f"{CANARY}-user", "q": CANARY, "cursor": CANARY})
        client.put(f"/api/v1/users/{CANARY}-user", json={"display_name": CANARY, "email": f"{CANARY}@example.org"})
        client.get(f"/{CANARY}", headers={"Authorization": f"Bearer {CANARY}", "Cookie": f"sessionid={CANARY}"})
        client.post("/admin/login/", data={"username": CANARY, "password": CANARY})
        client.get("/ops/find/", params={"q": f"{CANARY}@example.org"})

    until(lambda: requests_logged(server) == before + 10, what="every request's line")
    log = server.log.read_bytes()
    assert made.status_code == 201
    assert CANARY.encode() not in log
    assert key.encode() not in log
