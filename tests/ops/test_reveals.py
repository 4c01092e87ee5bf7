"""Content is masked until somebody gives a reason; then it shows to them for 15 minutes, and everybody can see it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from kimberly.audit.models import AuditEntry
from memory.models import MemoryUser
from memory.services import items
from ops.models import ContentReveal
from ops.roles import Role, groups_of
from tests.ops.portal import WHY, Portal, mask_page, reveal_page, search_page, text_of, user_page
from tests.personas import NOON, TESTER, Person, hire

pytestmark = [pytest.mark.promise("V8"), pytest.mark.usefixtures("clock_at_noon")]

MINUTE = timedelta(minutes=1)
SECRET = "The safe's combination is “seven-eleven”, and nobody may know."


@pytest.fixture
def dana(db):
    person = Person.register("dana", display_name="Dana Whitfield")
    person.writes(SECRET, metadata={"title": "combination"})
    return person


@pytest.fixture
def luis(db):
    """Another lead."""
    return Portal.of(hire("luis", Role.LEAD))


def shows(portal, dana):
    """On how many of the pages with items the content shows to this person."""
    pages = (user_page(dana), user_page(dana, "?tab=items"))
    return sum("seven-eleven" in portal.opens(page).content.decode() for page in pages)


def test_a_reveal_shows_the_content_to_who_asked_and_to_nobody_else(lena, luis, vera, dana):
    lena.reveals(dana)

    assert [shows(portal, dana) for portal in (lena, luis, vera)] == [2, 0, 0]


def test_a_reveal_is_one_row_and_one_entry_with_its_reason(lena, dana):
    lena.reveals(dana, ticket="HD-2214")

    made, entry = ContentReveal.objects.get(), AuditEntry.objects.get(action="content.revealed")
    assert (made.user_id, made.staff_id, made.reason, made.ticket) == (dana.id, lena.staff.pk, WHY, "HD-2214")
    assert (made.started_at, made.ends_at) == (NOON, NOON + 15 * MINUTE)
    assert (entry.subject_id, entry.actor_id) == (str(dana.id), str(lena.staff.pk))
    assert entry.text.reason == WHY
    assert SECRET not in str(vars(entry))
    assert AuditEntry.objects.filter(actor_kind="staff").count() == 1


@pytest.mark.parametrize("role", Role)
def test_only_a_lead_may_reveal(dana, role):
    portal = Portal.of(hire(str(role), role))

    answer = portal.reveals(dana)

    may = role is Role.LEAD
    assert answer.status_code == (302 if may else 403)
    assert ContentReveal.objects.count() == may
    assert AuditEntry.objects.filter(action="content.revealed").count() == may
    assert shows(portal, dana) == (2 if may else 0)


@pytest.mark.parametrize("reason", ["", "look", "          ", "a reason \u202e turned around"])
def test_without_a_reason_nothing_is_revealed_and_what_was_typed_is_kept(lena, dana, reason):
    answer = lena.reveals(dana, reason=reason, ticket="HD-2214")

    assert answer.status_code == 422
    assert "HD-2214" in answer.content.decode()
    assert ContentReveal.objects.count() == AuditEntry.objects.filter(actor_kind="staff").count() == 0


def test_it_ends_by_itself_after_fifteen_minutes(lena, dana, clock_at_noon):
    lena.reveals(dana)

    clock_at_noon.move_to(NOON + 15 * MINUTE - timedelta(seconds=1))
    before = shows(lena, dana)
    clock_at_noon.move_to(NOON + 15 * MINUTE)

    assert (before, shows(lena, dana)) == (2, 0)
    assert "Content is masked." in lena.reads(user_page(dana))


def test_the_next_reader_sees_who_reads_until_when_and_for_what(lena, vera, dana, clock_at_noon):
    lena.reveals(dana, ticket="HD-2214")

    clock_at_noon.move_to(NOON + 4 * MINUTE)
    text, history = vera.reads(user_page(dana)), vera.reads(user_page(dana, "?tab=history"))

    assert f"Content is masked. {lena.staff.username} has it revealed until 12:15 , for HD-2214: {WHY}" in text
    assert "Revealed content to themselves for 15 min" in history
    assert WHY in history


def test_who_reads_sees_who_else_does_before_it_says_that_nobody_else_can(lena, luis, dana):
    lena.reveals(dana)
    luis.reveals(dana)

    text = lena.reads(user_page(dana))

    assert f"{luis.staff.username} reads it too, until 12:15 . Everybody else sees it masked. It is recorded." in text


def test_a_later_reader_still_sees_who_read_last(lena, vera, dana, clock_at_noon):
    lena.reveals(dana, ticket="HD-2214")

    clock_at_noon.move_to(NOON + 60 * MINUTE)

    assert f"{lena.staff.username} read it 60 min ago , for HD-2214: {WHY} " in Portal.of(vera.staff).reads(
        user_page(dana)
    )


def test_says_until_when_it_shows_and_offers_the_mask(lena, dana):
    answer = lena.reveals(dana)

    page = lena.opens(answer.url)
    made = ContentReveal.objects.get()
    assert f"Content of Dana Whitfield shows to {lena.staff.username} until 12:15, in 15 min." in text_of(page)
    assert "Content shows to you until 12:15 , 15 min left" in text_of(page)
    assert f'action="{mask_page(made)}"' in page.content.decode()


def test_one_goes_back_to_the_page_that_one_came_from(lena, dana):
    revealed = lena.reveals(dana, then="search")
    masked = lena.masks(ContentReveal.objects.get(), then="https://evil.example/")

    assert revealed.url.partition("?")[0] == search_page(dana)
    assert masked.status_code == 422
    assert "evil" not in masked.get("Location", "")


def test_ones_own_is_masked_again_at_once_and_without_a_reason(lena, dana):
    lena.reveals(dana)

    answer = lena.masks(ContentReveal.objects.get(), reason="")

    made, entry = ContentReveal.objects.get(), AuditEntry.objects.get(action="content.masked")
    assert "Content of Dana Whitfield is masked to" in lena.reads(answer.url)
    assert (made.ended_at, made.ended_by) == (NOON, f"staff:{lena.staff.pk}")
    assert entry.after == {"reveal": made.public_id, "revealed_to": str(lena.staff.pk)}
    assert shows(lena, dana) == 0


def test_another_leads_is_masked_with_a_reason(lena, luis, dana):
    lena.reveals(dana)

    refused = luis.masks(ContentReveal.objects.get(), reason="")
    assert (refused.status_code, shows(lena, dana)) == (422, 2)
    done = luis.masks(ContentReveal.objects.get())

    assert (done.status_code, shows(lena, dana)) == (302, 0)


def test_a_second_reveal_is_refused_with_the_end_of_the_first(lena, dana):
    lena.reveals(dana)

    page, answer = lena.opens(reveal_page(dana)), lena.reveals(dana)

    assert "It shows to you until 12:15 UTC: mask it first, or wait until then." in text_of(page)
    assert (answer.status_code, "It shows to you until 12:15 UTC" in text_of(answer)) == (409, True)
    assert ContentReveal.objects.count() == 1


def test_after_the_end_a_new_reason_reveals_it_again(lena, dana, clock_at_noon):
    lena.reveals(dana)
    clock_at_noon.move_to(NOON + 15 * MINUTE)

    lena.reveals(dana, reason="The caller has called again")

    assert (ContentReveal.objects.count(), shows(lena, dana)) == (2, 2)


def test_what_is_over_cannot_be_masked(lena, dana, clock_at_noon):
    lena.reveals(dana)
    made = ContentReveal.objects.get()
    clock_at_noon.move_to(NOON + 16 * MINUTE)

    page, answer = lena.opens(mask_page(made)), lena.masks(made)

    assert "There is nothing to mask: this reveal is over." in text_of(page)
    assert answer.status_code == 409
    assert lena.opens(f"/ops/reveals/{uuid4()}/mask/").status_code == 404


def test_a_form_that_is_sent_twice_reveals_once(lena, dana):
    token = uuid4()

    answers = [lena.reveals(dana, once=token) for _ in range(3)]

    assert len({answer.url for answer in answers}) == 1
    assert ContentReveal.objects.count() == AuditEntry.objects.filter(action="content.revealed").count() == 1


def test_who_loses_the_role_reads_no_more(lena, luis, dana):
    lena.reveals(dana)
    lena.staff.groups.set(groups_of([Role.SUPPORT]))

    assert shows(lena, dana) == 0
    assert "has it revealed" not in luis.reads(user_page(dana))


def test_an_account_that_is_off_reads_no_more(lena, luis, dana):
    lena.reveals(dana)
    lena.staff.is_active = False
    lena.staff.save()

    assert shows(lena, dana) == 0
    assert "has it revealed" not in luis.reads(user_page(dana))


def test_a_purged_memory_has_nothing_to_show(lena, dana):
    stored = dana.writes("Another one: seven-eleven")
    items.purge_item(stored.id, user_id=dana.id, actor=TESTER, now=NOON)
    lena.reveals(dana)

    text = lena.reads(user_page(dana, "?tab=items&state=purged"))

    assert "erased" in text
    assert "seven-eleven" not in text


def test_archived_ones_show_as_well(lena, dana):
    stored = dana.writes("Another one: 4712")
    items.delete_item(stored.id, user_id=dana.id, actor=TESTER, now=NOON)
    lena.reveals(dana)

    assert "4712" in lena.reads(user_page(dana, "?tab=items&state=archived"))


def test_a_long_text_unfolds_and_says_where_it_is_cut(lena, dana):
    dana.writes("word " * 4_000)
    lena.reveals(dana)

    body = lena.opens(user_page(dana, "?tab=items")).content.decode()

    assert '<details class="k-content">' in body
    assert "The first 8,000 of 20,000 characters." in body
    assert body.count("word") < 2_000


def test_a_reveal_shows_one_user_and_no_other(lena, dana):
    other = Person.register("other")
    other.writes(SECRET)

    lena.reveals(dana)

    assert shows(lena, other) == 0


def test_no_cache_keeps_a_page_with_content(lena, dana):
    lena.reveals(dana)

    answers = [lena.opens(user_page(dana, "?tab=items")), lena.searches(dana, "combination")]

    assert all("no-store" in answer["Cache-Control"] for answer in answers)
    assert all("seven-eleven" in answer.content.decode() for answer in answers)


def test_an_erased_user_is_not_revealed_and_the_page_says_why(lena, dana):
    MemoryUser.objects.filter(pk=dana.id).update(state="erased")

    assert "This user is erased: there is nothing to read." in lena.reads(reveal_page(dana))
    assert lena.reveals(dana).status_code == 404


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"ends_at": NOON}, "content_reveal_end_after_start_ck"),
        ({"ends_at": NOON + 15 * MINUTE + timedelta(microseconds=1)}, "content_reveal_length_ck"),
        ({"ended_at": NOON + 16 * MINUTE, "ended_by": "staff:1"}, "content_reveal_early_end_ck"),
        ({"ended_at": NOON + MINUTE}, "content_reveal_early_end_ck"),
        ({"ended_by": "staff:1"}, "content_reveal_early_end_ck"),
    ],
)
def test_the_database_refuses_a_reveal_without_its_end(lena, dana, fields, rule):
    reveal = {"started_at": NOON, "ends_at": NOON + 15 * MINUTE, "reason": WHY}

    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        ContentReveal.objects.create(user_id=dana.id, staff=lena.staff, **{**reveal, **fields})


def test_the_database_refuses_a_second_one_at_the_same_time(lena, dana):
    lena.reveals(dana)

    with pytest.raises(IntegrityError, match="content_reveal_no_overlap_ex"), transaction.atomic():
        ContentReveal.objects.create(
            user_id=dana.id, staff=lena.staff, reason=WHY, started_at=NOON + MINUTE, ends_at=NOON + 16 * MINUTE
        )
