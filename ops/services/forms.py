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


class Sending(Protocol):
    """One sending of a form: by whom, the token that the form was rendered with, and a hash of what it says."""

    @property
    def staff(self) -> Any: ...

    @property
    def form(self) -> UUID: ...

    @property
    def said(self) -> str: ...


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


class SentOtherwise(Refusal):
    """The form took effect before, and said something else then: back in the browser, changed, and sent again."""

    slug = "form-sent-otherwise"
    kind = Kind.CONFLICT
    title = "This form was sent before, and took effect as it was then."

    @property
    def detail(self) -> str:
        return f"{self.title} It has been changed since: what it says now was not done."

    def remedies(self) -> list[str]:
        return ["To do this as well, read it once more and send it again."]


def once(sent: Sending, effect: Callable[[], T], *, now: datetime) -> T:
    """Run the effect and spend the form's token in one transaction; else raise AlreadySent, or SentOtherwise when the
    form said something else the first time, and do nothing.

    A second sending waits for the first one's end: when that one was refused, the form can be sent again.
    """
    with transaction.atomic():
        spent = _spend(sent, now=now)
        outcome = effect()
        spent.outcome = outcome.public_id
        spent.save(update_fields=["outcome"])
    return outcome


def _spend(sent: Sending, *, now: datetime) -> SentForm:
    old = SentForm.objects.filter(sent_at__lt=now - KEPT).select_for_update(skip_locked=True)
    SentForm.objects.filter(pk__in=old.values("pk")).delete()
    try:
        with transaction.atomic():
            return SentForm.objects.create(id=sent.form, staff=sent.staff, said=sent.said, sent_at=now)
    except IntegrityError as error:
        first = SentForm.objects.get(pk=sent.form)
        if first.said != sent.said:
            raise SentOtherwise from error
        raise AlreadySent(first.outcome) from error
