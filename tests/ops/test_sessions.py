"""Sessions end: without use, after their longest time, by a new password, by their person, by an administrator."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.backends.base import UpdateError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kimberly.audit import sealing
from kimberly.audit.models import AuditEntry
from kimberly.lib import clock
from ops import tasks
from ops.models import StaffSession
from ops.roles import Role
from ops.services import staff
from ops.sessionstore import id_of
from tests.ops.portal import Portal, text_of
from tests.personas import NOON, PASSWORD, TESTER, hire

pytestmark = pytest.mark.promise("P3")

ACCOUNT, ALL = "/ops/account/", "/ops/staff/sessions/"


@pytest.fixture
def ada(db):
    """An administrator."""
    return Portal.of(hire("ada", Role.ADMIN))


def session_of(portal):
    return StaffSession.objects.get(pk=id_of(portal.client.cookies[django_settings.SESSION_COOKIE_NAME].value))


def ended(portal):
    """Where the person is sent, and what the page there says."""
    answer = portal.opens("/ops/refusals/?kind=quota")
    assert answer.status_code == 302
    return answer.url, text_of(Portal().opens(answer.url))


def age(portal, **span):
    """Let so much time have passed since the session was used last."""
    session = session_of(portal)
    StaffSession.objects.filter(pk=session.pk).update(seen_at=session.seen_at - timedelta(**span))


def test_half_an_hour_without_use_ends_it_and_the_page_says_so_and_leads_back(sam):
    age(sam, minutes=30)

    url, said = ended(sam)

    assert url == "/admin/login/?next=/ops/refusals/%3Fkind%3Dquota&ended=idle"
    assert "You were signed out after 30 min without use. Sign in to go on where you were." in said
    assert 'name="next" value="/ops/refusals/?kind=quota"' in Portal().opens(url).content.decode()


def test_a_little_less_does_not(sam):
    age(sam, minutes=29)

    assert sam.opens("/ops/users/").status_code == 200


def test_use_keeps_it_open(sam):
    for _ in range(4):
        age(sam, minutes=20)
        assert sam.opens("/ops/users/").status_code == 200


def test_what_refreshes_itself_is_no_use(sam):
    for _ in range(2):
        age(sam, minutes=20)
        answer = sam.client.get("/ops/users/", headers={"HX-Request": "true"})

    assert answer.status_code == 302


def test_a_page_costs_no_write_but_once_a_minute(sam):
    def writes():
        with CaptureQueriesContext(connection) as queries:
            sam.opens("/ops/users/")
        return [query["sql"] for query in queries if query["sql"].startswith(("UPDATE", "INSERT", "DELETE"))]

    assert writes() == []
    age(sam, minutes=2)
    assert len(writes()) == 1
    assert writes() == []


def test_twelve_hours_end_it_however_it_is_used(sam):
    session = session_of(sam)
    assert session.expires_at - session.started_at == timedelta(hours=12)
    StaffSession.objects.filter(pk=session.pk).update(
        started_at=clock.utc_now() - timedelta(hours=12), expires_at=clock.utc_now()
    )

    assert "after 12 h, the longest that a session lasts" in ended(sam)[1]


def test_what_changes_in_a_session_does_not_move_its_longest_end(sam):
    before = session_of(sam).expires_at

    sam.opens("/ops/account/second-factor/")  # keeps a secret in the session

    assert session_of(sam).expires_at == before


def test_signing_out_ends_it_for_every_copy_of_its_cookie(sam):
    copy = Portal()
    copy.client.cookies = sam.client.cookies.copy()

    sam.client.post("/admin/logout/")

    assert copy.opens("/ops/users/").status_code == 302


def test_a_new_password_ends_the_others_and_they_are_told_why(sam):
    other, new = Portal(sam.staff), "another long one for the portal"

    sam.client.post("/admin/password_change/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})

    assert sam.opens("/ops/users/").status_code == 200
    assert "Your password was changed. That ended your other sessions." in ended(other)[1]
    entry = AuditEntry.objects.get(action="staff.password_changed")
    assert (entry.actor_id, entry.after) == (str(sam.staff.pk), {"sessions_ended": 1})


def test_one_sees_where_one_is_signed_in(sam):
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1 Version/17.0 Safari/604.1"
    other = Portal()
    other.client.post(
        "/admin/login/",
        {"username": sam.staff.username, "password": PASSWORD},
        HTTP_USER_AGENT=phone,
        REMOTE_ADDR="203.0.113.7",
    )

    said = other.reads(ACCOUNT)

    assert "Safari on iPhone This one" in said
    assert "203.0.113.7" in said
    assert "with 2 sessions open" in said
    assert "An unknown browser" in said


def test_one_ends_one_of_ones_own(sam):
    other = Portal(sam.staff)

    answer = sam.client.post(f"{ACCOUNT}sessions/{session_of(other).pk}/end/", follow=True)

    assert "That session has ended." in text_of(answer)
    assert "You ended this session from another one." in ended(other)[1]
    assert AuditEntry.objects.get(action="staff.sessions_ended").actor_id == str(sam.staff.pk)


def test_one_ends_all_others_at_once(sam):
    others = [Portal(sam.staff), Portal(sam.staff)]

    answer = sam.client.post(f"{ACCOUNT}sessions/end-others/", follow=True)

    assert "2 other sessions ended." in text_of(answer)
    assert [other.opens(ACCOUNT).status_code for other in others] == [302, 302]


def test_nobody_ends_somebody_elses_by_the_form_for_ones_own(sam, vera):
    answer = vera.client.post(f"{ACCOUNT}sessions/{session_of(sam).pk}/end/", follow=True)

    assert "had ended already" in text_of(answer)
    assert sam.opens(ACCOUNT).status_code == 200


def test_an_administrator_sees_all_and_ends_one_with_a_reason(ada, sam):
    other, session = Portal(sam.staff), session_of(sam)
    assert ada.reads(ALL).count(sam.staff.username) >= 2

    answer = ada.sends(f"/ops/staff/{sam.staff.pk}/end-sessions/?session={session.pk}")

    assert f"1 session of {sam.staff.username} ended." in ada.reads(answer.url)
    assert "An administrator ended this session." in ended(sam)[1]
    assert other.opens(ACCOUNT).status_code == 200
    entry = AuditEntry.objects.select_related("text").get(action="staff.sessions_ended")
    assert (entry.subject_id, entry.text.reason[:10]) == (str(sam.staff.pk), "The client")


def test_an_administrator_ends_all_of_one_person(ada, sam, vera):
    other = Portal(sam.staff)

    ada.sends(f"/ops/staff/{sam.staff.pk}/end-sessions/")

    assert [one.opens(ACCOUNT).status_code for one in (sam, other, vera, ada)] == [302, 302, 200, 200]


@pytest.mark.parametrize("reason", ["", "short"])
def test_without_a_reason_nothing_ends(ada, sam, reason):
    answer = ada.sends(f"/ops/staff/{sam.staff.pk}/end-sessions/", reason=reason)

    assert answer.status_code == 422
    assert sam.opens(ACCOUNT).status_code == 200


def test_the_same_form_ends_once_what_was_open_then(ada, sam):
    token = UUID(int=7)
    ada.sends(f"/ops/staff/{sam.staff.pk}/end-sessions/", once=token)
    back = Portal(sam.staff)

    ada.sends(f"/ops/staff/{sam.staff.pk}/end-sessions/", once=token)

    assert back.opens(ACCOUNT).status_code == 200


def test_a_session_that_was_ended_is_not_opened_again_by_a_request_under_way(sam):
    found, under_way = session_of(sam), sam.client.session
    under_way["something"] = 1
    StaffSession.objects.filter(pk=found.pk).update(ended_at=clock.utc_now(), ended_why="own", data="")

    with pytest.raises(UpdateError):
        under_way.save()
    assert session_of(sam).data == ""


@pytest.mark.parametrize("minutes", [2, 60])
def test_with_a_read_only_database_who_is_in_stays_in(sam, minutes):
    age(sam, minutes=minutes)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL transaction_read_only = on")

    assert sam.opens("/ops/users/").status_code == 200


def test_a_password_that_an_administrator_sets_ends_all_sessions_and_new_roles_end_none(sam):
    staff.put(username=sam.staff.username, password=PASSWORD, held=[Role.LEAD], actor=TESTER, now=NOON)
    assert sam.opens("/ops/users/").status_code == 200

    staff.put(username=sam.staff.username, password=f"{PASSWORD} now", held=[Role.LEAD], actor=TESTER, now=NOON)

    assert "Your password was changed." in ended(sam)[1]


def test_those_that_are_over_are_swept(sam, vera):
    StaffSession.objects.filter(pk=session_of(sam).pk).update(
        started_at=clock.utc_now() - timedelta(hours=13), expires_at=clock.utc_now() - timedelta(hours=1)
    )

    tasks.sweep_sessions()

    assert list(StaffSession.objects.values_list("staff_id", flat=True)) == [vera.staff.pk]


def test_what_is_recorded_of_signing_in_and_out_verifies(ada, sam):
    ada.sends(f"/ops/staff/{sam.staff.pk}/end-sessions/")
    now = clock.utc_now() + timedelta(minutes=1)
    sealing.seal(now=now)

    assert sealing.verify(now=now) == []
