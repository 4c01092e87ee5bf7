"""Which customers an act on some is about: chosen by the address, and sent along with its form."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django import forms

from kimberly.lib import clock
from memory.queries.cohorts import Cohort, Window
from memory.queries.standing import Asked, Show
from memory.rules.tiers import TIERS_SHOWN
from ops import shows, words
from ops.views.finding import LONGEST_SEARCH
from ops.views.forms import DATETIME_LOCAL, ReasonedForm, seen
from ops.views.itemforms import Confirmed

NO_TIME = {"invalid": "A day and a time, such as 2026-11-17 02:00."}


class ListFilter(forms.Form):
    """The list of users, and how their ids or names begin."""

    show = forms.ChoiceField(
        label="Of the list",
        choices=[("", "All customers"), *((show, shows.ALL[show].label) for show in Show)],
        required=False,
    )
    tier = forms.ChoiceField(
        label="In", choices=[("", "Any tier"), *((tier, tier.label) for tier in TIERS_SHOWN)], required=False
    )
    q = forms.CharField(
        label="Whose ids or names begin with", max_length=LONGEST_SEARCH, required=False, validators=[seen]
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("tier") and not cleaned.get("show"):
            self.add_error("tier", "Of which list? A tier narrows one.")
        return cleaned

    def cohort(self, *, now: datetime) -> Cohort:
        """Who is asked for; only once the form is valid."""
        of = self.cleaned_data
        return Cohort(asked=Asked(show=of["show"] or None, tier=of["tier"] or None, beginning=of["q"]))

    def hidden(self, *, now: datetime) -> list[tuple[str, str]]:
        """Names and values by which the same customers are asked for again."""
        return [(name, str(self.cleaned_data[name])) for name in ("show", "tier", "q") if self.cleaned_data[name]]


class CohortFilter(ListFilter):
    """Of a list those who were missed in a window, where one is given."""

    since = forms.DateTimeField(
        label="Missed since, in UTC",
        required=False,
        widget=forms.DateTimeInput(format=DATETIME_LOCAL, attrs={"type": "datetime-local"}),
        error_messages=NO_TIME,
        help_text="A backfill: those on whom nobody has meditated since. Empty: whenever they were scored.",
    )
    until = forms.DateTimeField(
        label="Until, in UTC",
        required=False,
        widget=forms.DateTimeInput(format=DATETIME_LOCAL, attrs={"type": "datetime-local"}),
        error_messages=NO_TIME,
        help_text="Who was registered later was not missed. Empty: now.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and since >= clock.utc_now():
            self.add_error("since", "This is still to come: nobody was missed yet.")
        elif until and not since and "since" not in self.errors:
            self.add_error("since", "Since when? A window has a beginning.")
        elif since and until and until <= since:
            self.add_error("until", "This must be after the beginning of the window.")
        return cleaned

    def cohort(self, *, now: datetime) -> Cohort:
        cohort, since = super().cohort(now=now), self.cleaned_data["since"]
        missed = Window(since, self.cleaned_data["until"] or now) if since else None
        return replace(cohort, missed=missed)

    def hidden(self, *, now: datetime) -> list[tuple[str, str]]:
        """The window's end is fixed."""
        chosen, of = super().hidden(now=now), self.cleaned_data
        if of["since"]:
            times = (("since", of["since"]), ("until", of["until"] or now))
            chosen += [(name, f"{at:%Y-%m-%dT%H:%M:%S}") for name, at in times]
        return chosen


class MeditateSomeForm(Confirmed, ReasonedForm):
    """Meditate on so many customers: the sender types how many."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, name: str, users: int) -> None:
        super().__init__(data, name=name)
        self.expect(words.counted(users, "user"), meant="how many users these are by now")
