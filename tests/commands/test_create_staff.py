from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from kimberly.audit.models import AuditEntry
from tests.personas import PASSWORD, unique


@pytest.fixture
def password(monkeypatch):
    monkeypatch.setenv("KIMBERLY_STAFF_PASSWORD", PASSWORD)


def create_staff(username, *roles):
    output = StringIO()
    call_command("create_staff", username, *(f"--role={role}" for role in roles), stdout=output)
    return output.getvalue()


def person_called(username):
    return get_user_model().objects.get(username=username)


def test_makes_a_person_who_can_sign_in_with_these_roles(db, password):
    said = create_staff(unique("sam"), "support", "operator")

    person = person_called(said.split()[0])
    assert person.check_password(PASSWORD)
    assert person.is_staff
    assert sorted(person.groups.values_list("name", flat=True)) == ["operator", "support"]


def test_sets_the_roles_of_a_person_who_is_there(db, password):
    lena = unique("lena")
    create_staff(lena, "support")

    said = create_staff(lena, "lead")

    assert "was there" in said
    assert list(person_called(lena).groups.values_list("name", flat=True)) == ["lead"]


def test_refuses_a_password_that_is_easily_guessed(db, monkeypatch):
    monkeypatch.setenv("KIMBERLY_STAFF_PASSWORD", "password1234")

    with pytest.raises(CommandError, match=r"^The password is too common: it is on lists that attackers try first\.$"):
        create_staff("eve", "viewer")

    assert not get_user_model().objects.filter(username="eve").exists()


def test_says_everything_that_is_wrong_at_once(db, monkeypatch):
    monkeypatch.setenv("KIMBERLY_STAFF_PASSWORD", "password")

    with pytest.raises(CommandError) as refusal:
        create_staff("eve green", "viewer")

    said = str(refusal.value)
    assert "The user name must be 1 to 150 letters, digits and @ . + - _, no blanks." in said
    assert "The password has fewer than 12 characters." in said
    assert "The password is too common" in said


@pytest.mark.parametrize("name", ["", " ", "eve\n", "eve green", "eve\x00", "x" * 151, "eve/.."])
def test_refuses_a_name_that_is_none(db, password, name):
    with pytest.raises(CommandError, match="The user name must be"):
        create_staff(name, "viewer")

    assert not get_user_model().objects.filter(username=name.replace("\x00", "")).exists()


def test_a_password_like_the_name_is_refused(db, monkeypatch):
    monkeypatch.setenv("KIMBERLY_STAFF_PASSWORD", "evelyn.greenfield")

    with pytest.raises(CommandError, match="The password is too like the username"):
        create_staff("evelyn.greenfield", "viewer")


def test_the_trail_says_whether_the_password_was_set_and_never_which(db, password, monkeypatch):
    lena = unique("lena")
    create_staff(lena, "support")
    create_staff(lena, "lead")
    monkeypatch.setenv("KIMBERLY_STAFF_PASSWORD", other := "another password nobody guesses")
    create_staff(lena, "lead")
    create_staff(lena, "lead")

    entries = AuditEntry.objects.filter(subject_kind="staff", subject_id=str(person_called(lena).pk)).order_by("id")
    assert [(entry.action, entry.after["password_set"]) for entry in entries] == [
        ("staff.made", True),
        ("staff.changed", False),
        ("staff.changed", True),
    ]
    assert not any(secret in f"{entry.before}{entry.after}" for entry in entries for secret in (PASSWORD, other))


def test_asks_nobody_for_a_password_where_there_is_no_terminal(db, monkeypatch):
    monkeypatch.delenv("KIMBERLY_STAFF_PASSWORD", raising=False)
    monkeypatch.setattr("sys.stdin", StringIO())

    with pytest.raises(CommandError, match="set KIMBERLY_STAFF_PASSWORD"):
        create_staff("olivia", "operator")


def test_knows_no_other_role_than_those_of_the_table(db, password):
    with pytest.raises(CommandError, match="invalid choice: 'root'"):
        create_staff("eve", "root")
