"""Forms of pages take effect once, however often they are sent: a double click, a reload, the back button."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction

from kimberly.lib.errors import Kind, Refusal
from ops.models import SentForm

KEPT = timedelta(days=2)


class Outcome(Protocol):
    """What a form makes or ends."""

    @property
    def public_id(self) -> str: ...


T = TypeVar("T", bound=Outcome)


class AlreadySent(Refusal):
    """The same form was sent before, and took effect then."""

    slug = "form-already-sent"
    kind = Kind.CONFLICT
    title = "This form was sent before. It took effect once."

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome

    def facts(self) -> dict[str, Any]:
        return {"outcome": self.outcome}


def once(token: UUID, effect: Callable[[], T], *, staff: Any, now: datetime) -> T:
    """Run the effect and spend the form's token in one transaction, or raise AlreadySent and do nothing.

    A second sending waits for the first one's end: when that one was refused, the form can be sent again.
    """
    with transaction.atomic():
        sent = _spend(token, staff=staff, now=now)
        outcome = effect()
        sent.outcome = outcome.public_id
        sent.save(update_fields=["outcome"])
    return outcome


def _spend(token: UUID, *, staff: Any, now: datetime) -> SentForm:
    old = SentForm.objects.filter(sent_at__lt=now - KEPT).select_for_update(skip_locked=True)
    SentForm.objects.filter(pk__in=old.values("pk")).delete()
    try:
        with transaction.atomic():
            return SentForm.objects.create(id=token, staff=staff, sent_at=now)
    except IntegrityError as error:
        raise AlreadySent(SentForm.objects.get(pk=token).outcome) from error
