"""`manage.py import_conversations` against a real web server."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from kimberly.lib import clock
from kimberly.local import portal
from kimberly.local.portal import Portal
from memory.models import MemoryItem, MemoryUser
from memory.rules.limits import ThrottleScope
from memory.rules.tiers import Tier
from memory.services import items
from ops import importing
from tests.commands.conversationfile import conversation, turn, write
from tests.personas import TESTER, Person, issue_key, unique


@pytest.fixture
def load(web):
    """Runs the command against the web server; gives what it printed."""

    def run(path, *arguments):
        output = StringIO()
        where = ["--base-url", web.url, "--api-key", issue_key()]
        call_command("import_conversations", str(path), *where, *arguments, stdout=output)
        return output.getvalue()

    return run


def items_of(external_id):
    return MemoryItem.objects.filter(user__external_id=external_id).order_by("created_at")


def test_makes_each_conversation_a_user_with_its_turns_as_memories(load, tmp_path):
    nora, piet = unique("nora"), unique("piet")
    path = write(tmp_path / "two.jsonl.gz", conversation(nora, [turn(1), turn(2)]), conversation(piet, [turn(3)]))

    said = load(path)

    assert said == f"{nora}: 2 stored, 0 there before\n{piet}: 1 stored, 0 there before\n"
    assert MemoryUser.objects.get(external_id=nora).display_name == "Nora and Piet"
    first = items_of(nora)[0]
    assert first.content == "Sentence number 1 about the allotment."
    assert first.created_at.isoformat() == "2024-03-05T10:00:01+00:00"
    assert first.tier == "long-term"
    assert first.metadata["source_id"] == "t1"
    assert first.metadata["speaker"] == "Nora"


def test_changes_nothing_when_it_is_repeated(load, tmp_path):
    nora = unique("nora")
    path = write(tmp_path / "one.jsonl", conversation(nora, [turn(number) for number in range(250)]))
    load(path)
    before = list(items_of(nora).values_list("pk", "version"))

    said = load(path)

    assert said == f"{nora}: 0 stored, 250 there before\n"
    assert list(items_of(nora).values_list("pk", "version")) == before


def test_adds_what_an_earlier_load_left_out_and_leaves_the_archived_alone(load, tmp_path):
    nora = unique("nora")
    path = write(tmp_path / "one.jsonl", conversation(nora, [turn(1), turn(2), turn(3)]))
    load(path, "--limit-per-user", "2")
    archived = items_of(nora)[0]
    items.delete_item(archived.pk, user_id=archived.user_id, actor=TESTER, now=clock.utc_now())

    said = load(path, "--type", "permanent")

    assert said == f"{nora}: 1 stored, 2 there before\n"
    assert list(items_of(nora).values_list("tier", "state")) == [
        ("long-term", "archived"),
        ("long-term", "active"),
        ("permanent", "active"),
    ]


def test_waits_as_long_as_a_throttle_says(load, tmp_path, monkeypatch):
    monkeypatch.setattr(importing, "MOST_ITEMS", 1)
    nora = Person.register("nora", at=clock.utc_now())
    nora.is_throttled(ThrottleScope.WRITE, per_minute=60, at=clock.utc_now())
    turns = [turn(number) for number in range(63)]

    said = load(write(tmp_path / "one.jsonl", conversation(nora.external_id, turns)))

    assert said == f"{nora.external_id}: 63 stored, 0 there before\n"


def test_says_which_user_had_no_room_and_goes_on_with_the_next(load, tmp_path):
    full, other = Person.register("full", at=clock.utc_now()), unique("other")
    full.fill(Tier.LONG_TERM, leaving_bytes=10, at=clock.utc_now())
    path = write(tmp_path / "two.jsonl", conversation(full.external_id, [turn(1)]), conversation(other, [turn(2)]))

    with pytest.raises(CommandError, match="1 of the users could not be loaded completely"):
        load(path)

    assert items_of(other).count() == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "there is no conversation in it"),
        (b"\n", "there is no conversation in it"),
        (b"no json\n", "line 1 is no conversation of format memory-eval/1"),
        (b'{"format": "memory-eval/2"}\n', "line 1 is no conversation of format memory-eval/1"),
        (b'\n{"format": "memory-eval/1", "speakers": []}\n', "line 2 lacks 'user_id'"),
        (b"\x1f\x8b\x08cut off", "after line 0"),
    ],
)
def test_names_the_line_that_cannot_be_read(load, tmp_path, content, said):
    path = tmp_path / "file.jsonl"
    path.write_bytes(content)

    with pytest.raises(CommandError, match=said):
        load(path)


def test_names_a_file_that_is_not_there(load, tmp_path):
    with pytest.raises(CommandError, match="there is no such file"):
        load(tmp_path / "missing.jsonl")


def test_passes_on_why_the_api_refuses(web, tmp_path):
    path = write(tmp_path / "one.jsonl", conversation(unique("nora"), [turn(1)]))
    output = StringIO()

    with pytest.raises(CommandError, match="could not be loaded"):
        call_command(
            "import_conversations", str(path), "--base-url", web.url, "--api-key", "kmb_not_a_key", stdout=output
        )

    assert "answered 401: Send a valid API key" in output.getvalue()


@pytest.mark.parametrize(
    ("url", "said"),
    [("http://127.0.0.1:1", "http://127.0.0.1:1 does not answer"), ("ftp://127.0.0.1", "must begin with http")],
)
def test_says_that_nothing_answers_at_the_address(db, tmp_path, monkeypatch, url, said):
    monkeypatch.setattr("ops.apiclient.PAUSE_SECONDS", 0.01)
    path = write(tmp_path / "one.jsonl", conversation("nora", [turn(1)]))

    with pytest.raises(CommandError, match=said):
        call_command("import_conversations", str(path), "--base-url", url, "--api-key", "kmb_any")


@pytest.fixture
def running(web, settings, tmp_path):
    """The web server, announced as the stack that runs on this data folder."""
    secret = issue_key()
    settings.KIMBERLY.data_dir.mkdir(exist_ok=True)
    portal.publish(
        settings.KIMBERLY.data_dir,
        Portal(
            url=web.url,
            pid=1,
            admin=None,
            api_key=secret,
            metrics_token="",
            database_url="",
            database_owner_url=None,
            redis_url="",
        ),
    )
    yield web
    portal.withdraw(settings.KIMBERLY.data_dir)


def test_finds_the_stack_that_runs_here_by_itself(running, tmp_path):
    nora, output = unique("nora"), StringIO()
    path = write(tmp_path / "one.jsonl", conversation(nora, [turn(1)]))

    call_command("import_conversations", str(path), stdout=output)

    assert output.getvalue() == f"{nora}: 1 stored, 0 there before\n"


def test_sends_the_stacks_own_key_to_no_other_address(running, tmp_path):
    path = write(tmp_path / "one.jsonl", conversation("nora", [turn(1)]))

    with pytest.raises(CommandError, match="give --base-url and --api-key"):
        call_command("import_conversations", str(path), "--base-url", "http://127.0.0.1:1")
