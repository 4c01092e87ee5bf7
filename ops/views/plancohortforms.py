"""The forms of plans of a cohort: whom, how much of each user, and the typed confirmation before many are reached."""

from collections.abc import Mapping
from typing import Any

from django import forms

from memory.queries.standing import Show
from memory.rules.tiers import TIERS_SHOWN, Tier
from memory.services.plans import Target
from ops import shows
from ops.views.cohortforms import ListFilter
from ops.views.forms import OTHER, UNITS, ReasonedForm
from ops.views.itemforms import CONFIRMED_SIGNS, Confirmed

USUAL = "usual"
SHARES = {"10": 0.1, "25": 0.25, "50": 0.5}


class PlanFilter(ListFilter):
    """A list or a beginning: plans archive of nobody whom nobody chose."""

    show = forms.ChoiceField(
        label="Of the list",
        choices=[("", "No list"), *((show, shows.ALL[show].label) for show in Show)],
        required=False,
    )


class PlanCohortForm(ReasonedForm):
    """A plan for each of these users."""

    pointers = {**ReasonedForm.pointers, "/target_bytes": "free", "/target_share": "free"}
    typed = {"free": (OTHER, "size")}

    scope = forms.ChoiceField(
        label="Of which tier",
        choices=[(USUAL, "Short- and long-term"), *((tier, tier.label) for tier in TIERS_SHOWN)],
        widget=forms.RadioSelect,
        initial=USUAL,
    )
    free = forms.ChoiceField(
        label="How much to free of each user, of what is active there",
        choices=[*((share, f"{share} %") for share in SHARES), (OTHER, "A size")],
        widget=forms.RadioSelect,
        initial="10",
    )
    size = forms.DecimalField(
        label="Size to free of each",
        min_value=0,
        max_digits=12,
        decimal_places=3,
        required=False,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_digits", "max_decimal_places", "max_whole_digits"),
            "A number above 0, of at most nine digits and three decimals.",
        ),
    )
    unit = forms.ChoiceField(label="Unit", choices=[(unit, unit) for unit in UNITS], required=False, initial="KiB")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("free") == OTHER and not cleaned.get("size") and "size" not in self.errors:
            self.add_error("size", "How much?")
        return cleaned

    @property
    def chosen_tier(self) -> Tier | None:
        """None: the usual scope."""
        chosen = self.cleaned_data["scope"]
        return None if chosen == USUAL else Tier(chosen)

    @property
    def target(self) -> Target:
        """What is to be freed of each; only once the form is valid."""
        share = SHARES.get(self.cleaned_data["free"])
        if share is not None:
            return Target(share=share)
        # A size of less than a byte is one byte, not nothing.
        return Target(size_bytes=max(1, int(self.cleaned_data["size"] * UNITS[self.cleaned_data["unit"] or "KiB"])))


class ConfirmedCohortForm(Confirmed, ReasonedForm):
    """Decide what reaches many: the sender types the end of the id."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, name: str, cohort: str) -> None:
        super().__init__(data, name=name)
        end = cohort[-CONFIRMED_SIGNS:]
        self.expect(end, meant=f"how the id of these plans ends, {end}")
