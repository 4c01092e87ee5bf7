"""The forms of prune plans: what a plan is to free, and the typed confirmation before it is applied."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from types import MappingProxyType
from typing import Any

from django import forms

from kimberly.lib import bytesize
from memory.queries.usage import TierUsage
from memory.rules import plans as rules
from memory.rules.remedies import Movable
from memory.rules.tiers import TIERS_SHOWN, Tier
from memory.services.plans import Target
from ops import words
from ops.views.forms import OTHER, UNITS, ReasonedForm
from ops.views.itemforms import Confirmed

USUAL = "usual"
SCOPES = [(USUAL, "Short- and long-term"), *((tier, tier.label) for tier in TIERS_SHOWN)]
SHARES = {"10": 0.1, "25": 0.25, "50": 0.5}
DECIMALS = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Before:
    """A scope of a plan as it is used now, and after each share: names of choices, and figures.

    `asked` is the same after the size that a link has filled in; empty where it filled in none.
    """

    scope: str
    label: str
    now: str
    after: list[tuple[str, str]]
    asked: str


class FreeingForm(ReasonedForm):
    """How much is to be freed: a share of what is active, or a size."""

    pointers = {**ReasonedForm.pointers, "/target_bytes": "free", "/target_share": "free"}
    typed = {"free": (OTHER, "size")}

    free = forms.ChoiceField(
        label="How much to free, of what is active there",
        choices=[*((share, f"{share} %") for share in SHARES), (OTHER, "A size")],
        widget=forms.RadioSelect,
        initial="25",
    )
    size = forms.DecimalField(
        label="Size to free",
        min_value=0,
        max_digits=12,
        decimal_places=3,
        required=False,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_digits", "max_decimal_places", "max_whole_digits"),
            "A number above 0 such as 1.5, of at most nine digits and three decimals.",
        ),
    )
    unit = forms.ChoiceField(label="Unit", choices=[(unit, unit) for unit in UNITS], required=False, initial="KiB")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("free") == OTHER and not cleaned.get("size") and "size" not in self.errors:
            self.add_error("size", "How much?")
        return cleaned

    @property
    def target(self) -> Target:
        """What is to be freed; only once the form is valid."""
        share = SHARES.get(self.cleaned_data["free"])
        if share is not None:
            return Target(share=share)
        # A size of less than a byte is one byte, not nothing.
        return Target(size_bytes=max(1, int(self.cleaned_data["size"] * UNITS[self.cleaned_data["unit"] or "KiB"])))


class PlanForm(FreeingForm):
    """Plan a prune of a user: where, and how much of it."""

    prefilled = ("tier", "free", "unit")

    tier = forms.ChoiceField(label="Of which tier", choices=SCOPES, widget=forms.RadioSelect, initial=USUAL)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        name: str,
        tiers: Mapping[Tier, TierUsage],
        movable: Mapping[Tier, Movable] = MappingProxyType({}),
    ) -> None:
        """`movable` says how much of each tier may go: what it is used to show beforehand is a bound only with it."""
        super().__init__(data, name=name)
        self.tiers = tiers
        self.movable = movable
        self.asked_bytes = 0

    def prefill(self, wanted: Mapping[str, str]) -> None:
        """As a refusal or a burst asks for it: `tier`, and `size` in bytes or `free` as one of the shares."""
        super().prefill(wanted)
        text = wanted.get("size", "")
        if text.isascii() and text.isdecimal() and 0 < len(text) < 13 and int(text):
            # Rounded up: who sends it as it is frees enough.
            self.asked_bytes = int(text)
            kibibytes = (Decimal(text) / UNITS["KiB"]).quantize(DECIMALS, rounding=ROUND_CEILING)
            self.fields["free"].initial, self.fields["unit"].initial = OTHER, "KiB"
            self.fields["size"].initial = kibibytes.normalize() if kibibytes % 1 else kibibytes.to_integral_value()

    @property
    def chosen_tier(self) -> Tier | None:
        """None: the usual scope."""
        chosen = self.cleaned_data["tier"]
        return None if chosen == USUAL else Tier(chosen)

    def previews(self) -> Iterator[Before]:
        """Each scope as it is now and as it would be: seen before anything is sent."""
        for scope in (USUAL, *TIERS_SHOWN):
            tiers = rules.scope(None if scope == USUAL else Tier(scope))
            used = [self.tiers[tier] for tier in tiers if tier in self.tiers]
            active_bytes = sum(tier.active_bytes for tier in used)
            after = [
                (free, f"at most {self._left(used, rules.share_bytes(share, active_bytes))}")
                for free, share in SHARES.items()
            ]
            label = words.listed([str(tier) for tier in tiers])
            yield Before(scope, label, self._used(used, active_bytes), after, self._asked(used))

    def _asked(self, tiers: list[TierUsage]) -> str:
        if not self.asked_bytes:
            return ""
        return f"with {bytesize.at_least(self.asked_bytes)} at most {self._left(tiers, self.asked_bytes)}"

    def _left(self, tiers: list[TierUsage], target_bytes: int) -> str:
        """What is used once a plan has freed so much, or all that may go."""
        may_go = sum(self.movable[tier.tier].bytes for tier in tiers if tier.tier in self.movable)
        return self._used(tiers, sum(tier.active_bytes for tier in tiers) - min(target_bytes, may_go))

    def _used(self, tiers: list[TierUsage], used_bytes: int) -> str:
        limit_bytes = sum(tier.limit_bytes for tier in tiers)
        return f"{bytesize.human(used_bytes)}, {words.percent(used_bytes / limit_bytes)}" if limit_bytes else "nothing"


class ApplyPlanForm(Confirmed, ReasonedForm):
    """Archive what a plan of the user with this external id shows."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, name: str, external_id: str) -> None:
        super().__init__(data, name=name)
        self.expect(external_id, meant="the external id of the user whose plan this is")


class UndoPlanForm(ReasonedForm):
    """Bring back all that a plan archived."""
