"""The portal as one person sees it, asked in this process."""

import html
import re
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.test import Client
from django.urls import reverse

from kimberly.audit.models import AuditEntry
from kimberly.lib import ids
from memory.models import MeditationRun, MemoryUser, PrunePlan, QuotaOverride, Throttle
from memory.rules.tiers import Purpose, UserState
from ops import words
from ops.models import ContentReveal, UserNote
from tests.personas import Person

WHY = "The client is in a loop, HD-2214"
MEDITATE_ALL = "/ops/meditation/all/"
MEDITATE_SOME = "/ops/meditation/some/"


def run_page(run: MeditationRun, rest: str = "") -> str:
    """A run's page, or what is below it."""
    return f"/ops/meditation/{run.public_id}/{rest}"


class Portal:
    """A browser without scripts: it opens addresses, and sends the forms that pages hold."""

    def __init__(self, staff: Any = None, **options: Any) -> None:
        self.staff = staff
        self.client = Client(**options)
        if staff is not None:
            self.client.force_login(staff)

    @classmethod
    def of(cls, staff: Any) -> "Portal":
        return cls(staff)

    def opens(self, path: str) -> Any:
        return self.client.get(path)

    def reads(self, path: str) -> str:
        """The page's text without its tags, as a person reads it."""
        answer = self.opens(path)
        assert answer.status_code == 200, answer.status_code
        return text_of(answer)

    def sends(self, path: str, **fields: Any) -> Any:
        """Send the form at this address, with a token of its own unless one is given."""
        return self.client.post(path, {"once": uuid4(), "reason": WHY, "ticket": "", **fields})

    def throttles(self, person: Person, **fields: Any) -> Any:
        return self.sends(throttle_page(person), **{"scope": "write", "rate": "10", "end": "1h", **fields})

    def raises(self, person: Person, **fields: Any) -> Any:
        return self.sends(raise_page(person), **{"tier": "short-term", "to": "150", "end": "24h", **fields})

    def lifts(self, throttle: Throttle, **fields: Any) -> Any:
        return self.sends(lift_page(throttle), **fields)

    def meditates_all(self, **fields: Any) -> Any:
        """With as many typed as there are."""
        there = MemoryUser.objects.filter(purpose=Purpose.CUSTOMER, state__in=[UserState.ACTIVE, UserState.SUSPENDED])
        return self.sends(MEDITATE_ALL, **{"whom": words.counted(there.count(), "user"), **fields})

    def reveals(self, person: Person, **fields: Any) -> Any:
        return self.sends(reveal_page(person), **fields)

    def masks(self, reveal: ContentReveal, **fields: Any) -> Any:
        return self.sends(mask_page(reveal), **fields)

    def searches(self, person: Person, question: str, **fields: Any) -> Any:
        """Ask, and go where the answer is."""
        return self.client.post(search_page(person), {"question": question, **fields}, follow=True)

    def ends(self, override: QuotaOverride, **fields: Any) -> Any:
        return self.sends(end_page(override), **fields)

    def changes(self, deed: str, person: Person, *items: UUID, **fields: Any) -> Any:
        """Open the form with these items, and send what it holds; deleting, type whom it is about."""
        typed = {"whom": person.external_id} if deed == "delete" else {}
        return self.sends(items_page(deed, person), item=self.frozen(deed, person, *items), **{**typed, **fields})

    def frozen(self, deed: str, person: Person, *items: UUID) -> list[str]:
        """The items as the form holds them: with their versions, from when it was opened."""
        page = self.opens(items_page(deed, person, *items)).content.decode()
        return re.findall(r'name="item" value="([^"]+)"', page)

    def suspends(self, person: Person, **fields: Any) -> Any:
        return self.sends(suspend_page(person), **{"whom": person.external_id, **fields})

    def resumes(self, person: Person, **fields: Any) -> Any:
        return self.sends(resume_page(person), **fields)

    def plans(self, person: Person, **fields: Any) -> Any:
        """Plan a prune of half of long-term."""
        return self.sends(prune_page(person), **{"tier": "long-term", "free": "50", **fields})

    def applies(self, plan: PrunePlan, **fields: Any) -> Any:
        return self.sends(plan_page(plan, "apply/"), **{"whom": plan.user.external_id, **fields})

    def takes_back(self, plan: PrunePlan, **fields: Any) -> Any:
        """Undo the plan."""
        return self.sends(plan_page(plan, "undo/"), **fields)

    def notes(self, person: Person, text: str, **fields: Any) -> Any:
        return self.sends(note_page(person), reason=text, **fields)

    def undoes(self, act: AuditEntry, **fields: Any) -> Any:
        return self.sends(undo_page(act), **{"reason": "", **fields})


def text_of(answer: Any) -> str:
    body = answer.content.decode()
    visible = re.sub(r"(?s)<(script|svg|head).*?</\1>", " ", body)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", visible)).split())


def user_page(person: Person, query: str = "") -> str:
    return reverse("ops:user", args=[ids.encode(ids.Prefix.USER, person.id)]) + query


def throttle_page(person: Person) -> str:
    return f"{user_page(person)}throttle/"


def raise_page(person: Person) -> str:
    return f"{user_page(person)}raise-quota/"


def reveal_page(person: Person) -> str:
    return f"{user_page(person)}reveal/"


def search_page(person: Person) -> str:
    return f"{user_page(person)}search/"


def items_page(deed: str, person: Person, *items: UUID) -> str:
    """The form of what is done to these items."""
    chosen = "&".join(f"item=mem_{item.hex}" for item in items)
    return f"{user_page(person)}items/{deed}/{f'?{chosen}' if chosen else ''}"


def suspend_page(person: Person) -> str:
    return f"{user_page(person)}suspend/"


def resume_page(person: Person) -> str:
    return f"{user_page(person)}resume/"


def meditate_page(person: Person) -> str:
    return f"{user_page(person)}meditate/"


def prune_page(person: Person, query: str = "") -> str:
    """The form in which a prune of this user is planned."""
    return f"{user_page(person)}plan/{query}"


def plan_page(plan: PrunePlan, rest: str = "") -> str:
    """A plan's page, or what is below it."""
    return f"/ops/plans/{plan.public_id}/{rest}"


def note_page(person: Person) -> str:
    return f"{user_page(person)}note/"


def change_note_page(note: UserNote) -> str:
    return reverse("ops:change-note", args=[note.pk])


def undo_page(act: AuditEntry) -> str:
    return reverse("ops:undo", args=[act.pk])


def mask_page(reveal: ContentReveal) -> str:
    return reverse("ops:mask", args=[reveal.pk])


def lift_page(throttle: Throttle) -> str:
    return reverse("ops:lift-throttle", args=[throttle.public_id])


def end_page(override: QuotaOverride) -> str:
    return reverse("ops:end-override", args=[override.public_id])


def local(moment: datetime) -> str:
    """As an input of the type datetime-local sends it."""
    return f"{moment:%Y-%m-%dT%H:%M}"
