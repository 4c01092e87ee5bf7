"""Changes name the version they were made on: of those made at once on the same one, exactly one wins."""

from functools import partial

import httpx
import pytest

from tests.api.callers import MEMORY, USERS, Caller, many_clients
from tests.api.problems import problem_in
from tests.counts import rounds
from tests.personas import unique
from tests.races.together import at_once
from tests.web import WebServer

pytestmark = pytest.mark.promise("R5")

WRITERS = 50
ROUNDS = rounds(2, 20)


def test_of_50_changes_to_one_version_exactly_one_wins(web: WebServer, alice: Caller):
    item = alice.keeps("Nobody's yet.")

    with many_clients(web, alice.key, WRITERS) as clients:
        for number in range(1, ROUNDS + 1):
            answers = change_all_at_once(clients, item["id"], version=f'"v{number}"')

            winner = next(place for place, response in enumerate(answers) if response.status_code == 200)
            now = alice.reads(item["id"]).json()
            losers = [response for response in answers if response.status_code == 412]
            assert len(losers) == WRITERS - 1
            assert (now["content"], now["etag"]) == (f"Writer {winner}.", f'"v{number + 1}"')
            assert {problem_in(response)["current_etag"] for response in losers} == {now["etag"]}


def change_all_at_once(clients: list[httpx.Client], item_id: str, *, version: str) -> list[httpx.Response]:
    def change(number: int) -> httpx.Response:
        body = {"content": f"Writer {number}."}
        return clients[number].patch(f"{MEMORY}/{item_id}", json=body, headers={"If-Match": version})

    return at_once([partial(change, number) for number in range(len(clients))])


def test_nobodys_change_is_lost_when_all_read_again_and_try_again(web: WebServer, alice: Caller):
    path = f"{MEMORY}/{alice.keeps('0')['id']}"

    def add_one(client: httpx.Client) -> None:
        status = 412
        while status == 412:
            seen = client.get(path).json()
            body = {"content": str(int(seen["content"]) + 1)}
            status = client.patch(path, json=body, headers={"If-Match": seen["etag"]}).status_code
        assert status == 200

    with many_clients(web, alice.key, 8) as clients:
        for _ in range(ROUNDS):
            at_once([partial(add_one, client) for client in clients])

    assert alice.http.get(path).json()["content"] == str(8 * ROUNDS)


def test_of_many_changes_and_one_delete_the_bytes_still_add_up(web: WebServer, alice: Caller):
    item = alice.keeps("x" * 100)

    def grow(client: httpx.Client, size: int) -> httpx.Response:
        return client.patch(f"{MEMORY}/{item['id']}", json={"content": "x" * size}, headers={"If-Match": "*"})

    with many_clients(web, alice.key, 10) as clients:
        grows = [partial(grow, client, 50 * place + 1) for place, client in enumerate(clients)]
        answers = at_once([*grows, partial(alice.deletes, item["id"])])

    usage, archived = alice.usage(), alice.reads(item["id"]).json()
    assert {response.status_code for response in answers} <= {200, 409}
    assert (usage["used_bytes"], usage["items"]) == (0, 0)
    assert (usage["archived_bytes"], usage["archived_items"]) == (archived["size_bytes"], 1)


def test_a_change_without_a_version_is_428(alice: Caller):
    item = alice.keeps()

    response = alice.patches(item["id"], content="Changed.")

    assert response.status_code == 428
    assert problem_in(response)["type"].endswith("/problems/precondition-required")
    assert alice.reads(item["id"]).json()["content"] == item["content"]


@pytest.mark.parametrize("tag", ['"v2"', 'W/"v1"', "v1", '"v0"', '"v01"', "", '"x", "y"', '"v9999999999999999999999"'])
def test_a_change_of_another_version_is_412_and_names_the_one_there_is(alice: Caller, tag):
    item = alice.keeps()

    response = alice.patches(item["id"], if_match=tag, content="Changed.")

    assert response.status_code == 412
    assert problem_in(response)["current_etag"] == '"v1"'


@pytest.mark.parametrize("tag", ['"v1"', "*", '"v7", "v1"'])
def test_a_change_of_the_version_there_is_succeeds(alice: Caller, tag):
    item = alice.keeps()

    response = alice.patches(item["id"], if_match=tag, content="Changed.")

    assert response.status_code == 200
    assert response.headers["etag"] == response.json()["etag"] == '"v2"'


@pytest.mark.parametrize(
    "field", ["id", "user_id", "type", "state", "size_bytes", "created_at", "etag", "version", "usage"]
)
def test_a_field_that_cannot_be_changed_is_refused_by_name(alice: Caller, field):
    item = alice.keeps()

    response = alice.patches(item["id"], if_match=item["etag"], content="Changed.", **{field: item.get(field, 1)})

    assert response.status_code == 422
    assert problem_in(response)["errors"] == [{"pointer": f"/{field}", "detail": "is not known here"}]
    assert alice.reads(item["id"]).json() == {name: value for name, value in item.items() if name != "usage"}


@pytest.mark.parametrize("body", [{}, {"content": None}, {"content": None, "metadata": None, "protected": None}])
def test_a_change_of_nothing_is_refused(alice: Caller, body):
    item = alice.keeps()

    response = alice.patches(item["id"], if_match=item["etag"], **body)

    assert response.status_code == 422
    assert alice.reads(item["id"]).headers["etag"] == item["etag"]


def test_a_stale_delete_is_refused_and_a_delete_without_a_version_is_not(alice: Caller):
    item = alice.keeps()

    stale = alice.http.delete(f"{MEMORY}/{item['id']}", headers={"If-Match": '"v7"'})
    unconditional = alice.deletes(item["id"])

    assert (stale.status_code, unconditional.status_code) == (412, 200)


@pytest.mark.parametrize("tag", ['"v1"', "*"])
def test_a_change_of_a_user_that_was_read_once_makes_nobody_new(service: httpx.Client, tag):
    path = f"{USERS}/{unique('nobody')}"

    response = service.put(path, json={"display_name": "Nobody"}, headers={"If-Match": tag})

    assert (response.status_code, problem_in(response)["current_etag"]) == (412, None)
    assert service.get(path).status_code == 404


def test_a_stale_change_of_a_user_is_refused(alice: Caller):
    etag = alice.http.get(f"{USERS}/{alice.user_id}").headers["etag"]
    alice.http.put(f"{USERS}/{alice.user_id}", json={"display_name": "Alice"}, headers={"If-Match": etag})

    response = alice.http.put(f"{USERS}/{alice.user_id}", json={"display_name": "Al"}, headers={"If-Match": etag})

    assert response.status_code == 412
    assert alice.http.get(f"{USERS}/{alice.user_id}").json()["display_name"] == "Alice"
