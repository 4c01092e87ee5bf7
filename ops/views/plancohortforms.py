"""The forms of plans of a cohort: whom, how much of each user, and the typed confirmation before many are reached."""

from collections.abc import Mapping
from typing import Any

from django import forms

from memory.queries.standing import Show
from memory.rules.tiers import Tier
from ops import shows
from ops.views.cohortforms import ListFilter
from ops.views.forms import ReasonedForm
from ops.views.itemforms import CONFIRMED_SIGNS, Confirmed
from ops.views.planforms import SCOPES, USUAL, FreeingForm


class PlanFilter(ListFilter):
    """A list or a beginning: plans archive of nobody whom nobody chose."""

    show = forms.ChoiceField(
        label="Of the list",
        choices=[("", "No list"), *((show, shows.ALL[show].label) for show in Show)],
        required=False,
    )


class PlanCohortForm(FreeingForm):
    """A plan for each of these users. Its tier is called scope: the filter, which is sent along, has a tier as well."""

    prefilled = ("scope", "free")

    scope = forms.ChoiceField(label="Of which tier", choices=SCOPES, widget=forms.RadioSelect, initial=USUAL)

    def __init__(self, data: Mapping[str, Any] | None = None, *, name: str) -> None:
        super().__init__(data, name=name)
        self.fields["free"].label = "How much to free of each user, of what is active there"
        self.fields["free"].initial = "10"

    @property
    def chosen_tier(self) -> Tier | None:
        """None: the usual scope."""
        chosen = self.cleaned_data["scope"]
        return None if chosen == USUAL else Tier(chosen)


class ConfirmedCohortForm(Confirmed, ReasonedForm):
    """Decide what reaches many: the sender types the end of the id."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, name: str, cohort: str) -> None:
        super().__init__(data, name=name)
        end = cohort[-CONFIRMED_SIGNS:]
        self.expect(end, meant=f"how the id of these plans ends, {end}")
