"""What is no call of the API at all: unknown addresses, odd methods, foreign hosts."""

import json

import pytest

from tests.api.callers import MEMORY, Caller
from tests.api.operations import operations
from tests.api.problems import problem_in
from tests.api.sockets import answer_of, connect, request_head

pytestmark = pytest.mark.promise("F3")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "QUERY", "X-ODD")
ADDRESSES = (
    *(
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/nothing",
        "/api/v2/memory",
        "/api/v1/memory/",
        "/api/v1/memory/a/b/c",
        "/api/v1//memory",
    ),
    *(
        "/api/v1/users",
        "/api/v1/users/",
        "/api/v1/users/a/b",
        "/api/%00",
        "/api/v1/memory/bulk/",
        "/api/../api/x",
    ),
    *(
        "/api/v1/memory/mem_0/restore/",
        "/api/v1/.env",
        "/api/v1/openapi.yaml",
        "/api/v1/memory;x=1",
        "/api/" + "x" * 4_000,
    ),
)


@pytest.mark.parametrize("method", METHODS)
def test_an_unknown_address_below_the_api_is_404_in_the_words_of_the_api(web, alice: Caller, method):
    found = {}
    for address in ADDRESSES:
        response = alice.http.request(method, address, follow_redirects=False)
        is_right = response.status_code == 404 or (response.is_redirect and address == "/api/v1")
        if not is_right or (response.status_code == 404 and method != "HEAD" and not problem_in(response)):
            found[address] = response.status_code

    assert found == {}


@pytest.mark.parametrize("octets", ["x%ff", "%c0%80", "%ed%a0%80", "a%f0%9f%98"])
@pytest.mark.parametrize("path", ["/api/v1/users/", "/api/v1/memory/"])
@pytest.mark.parametrize("method", METHODS)
def test_an_address_that_is_not_utf8_is_refused_and_not_guessed_at(alice: Caller, method, path, octets):
    response = alice.http.request(method, path + octets, json={} if method == "PUT" else None)

    assert response.status_code == 400
    assert method == "HEAD" or problem_in(response)["type"].endswith("/problems/bad-request")


@pytest.mark.parametrize("path", sorted({operation.path for operation in operations().values()}))
def test_a_method_that_an_address_does_not_take_is_405_and_says_which_it_takes(alice: Caller, path):
    known = {operation.method for operation in operations().values() if operation.path == path}
    address = path.replace("{item_id}", "mem_0").replace("{user_id}", "someone")

    found = {}
    for method in set(METHODS) - known:
        response = alice.http.request(method, address)
        allowed = {one.strip() for one in response.headers.get("allow", "").split(",")}
        if response.status_code != 405 or allowed != known or (method != "HEAD" and not problem_in(response)):
            found[method] = (response.status_code, allowed)

    assert found == {}


def test_a_head_request_has_no_body(alice: Caller):
    assert alice.http.head(MEMORY).content == b""


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "[::", "a b", "", "127.0.0.1:x", "x" * 300])
def test_a_host_that_is_not_ours_is_refused(web, alice: Caller, host):
    head = request_head("GET", MEMORY, f"Authorization: Bearer {alice.key}").replace(b"127.0.0.1", host.encode(), 1)

    with connect(web) as connection:
        connection.sendall(head)
        answer = answer_of(connection)

    assert b" 400 " in answer.splitlines()[0]
    problem = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert problem["type"].endswith("/problems/unknown-host")
    assert "KIMBERLY_ALLOWED_HOSTS" in problem["remedies"][0]


@pytest.mark.parametrize(
    "line", [b"GET", b"GET / HTTP/9.9", b"\x00\x01\x02", b"GET  /api/v1/memory HTTP/1.1", b"HELLO"]
)
def test_what_is_no_http_is_refused_by_the_server_and_hurts_nobody(web, alice: Caller, line):
    with connect(web) as connection:
        connection.sendall(line + b"\r\n\r\n")
        answer = answer_of(connection)

    assert b" 400 " in answer.splitlines()[0]
    assert alice.lists()["total"] == 0


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: -1",
        "Content-Length: 1, 2",
        "Content-Length: 1\r\nContent-Length: 2",
        "Content-Length: 99999999999999999999",
    ],
)
def test_a_length_that_is_none_is_refused(web, alice: Caller, framing):
    with connect(web) as connection:
        connection.sendall(
            request_head(
                "POST", MEMORY, f"Authorization: Bearer {alice.key}", "Content-Type: application/json", framing
            )
        )
        answer = answer_of(connection)

    assert answer.splitlines()[0].split()[1] in (b"400", b"413")


def test_a_length_and_chunks_together_are_read_as_chunks_or_refused(web, alice: Caller):
    """Two framings of one body are how requests are smuggled past a proxy."""
    body = json.dumps({"type": "long-term", "content": "Once."}).encode()
    head = request_head(
        *("POST", MEMORY, f"Authorization: Bearer {alice.key}", "Content-Type: application/json"),
        *("Content-Length: 3", "Transfer-Encoding: chunked"),
    )

    with connect(web) as connection:
        connection.sendall(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        answer = answer_of(connection)

    assert answer.splitlines()[0].split()[1] in (b"201", b"400")


def test_a_body_in_chunks_is_read(alice: Caller):
    def chunks():
        yield b'{"type": "long-term", '
        yield b'"content": "In two parts."}'

    response = alice.http.post(MEMORY, content=chunks(), headers={"Content-Type": "application/json"})

    assert response.status_code == 201
    assert response.json()["content"] == "In two parts."


def test_a_body_of_a_call_that_has_none_is_not_looked_at(alice: Caller):
    response = alice.http.request("GET", MEMORY, content=b"{broken", headers={"Content-Type": "application/json"})

    assert response.status_code == 200


@pytest.mark.parametrize("target", ["*", "http://127.0.0.1/api/v1/memory", "//evil.example/api/v1/memory"])
def test_other_forms_of_the_request_target_break_nothing(web, alice: Caller, target):
    with connect(web) as connection:
        connection.sendall(request_head("GET", target, f"Authorization: Bearer {alice.key}", "Connection: close"))
        answer = answer_of(connection)

    assert answer.splitlines()[0].split()[1] in (b"200", b"400", b"404")


def test_no_other_site_may_read_answers_in_a_browser(alice: Caller):
    origin = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}

    answers = [alice.http.get(MEMORY, headers=origin), alice.http.options(MEMORY, headers=origin)]

    assert not [name for answer in answers for name in answer.headers if name.startswith("access-control-")]
