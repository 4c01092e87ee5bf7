"""The forms of the staff's actions. What a service refuses is shown beside the field that its pointer names."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

from django import forms

from kimberly.audit.trail import Why
from kimberly.lib import bytesize, clock, texts
from kimberly.lib.errors import Invalid, Refusal
from memory.models import Plan
from memory.queries.usage import TierUsage
from memory.rules.forecast import Limit
from memory.rules.limits import ThrottleScope
from memory.rules.tiers import Tier
from memory.services.limits import MOST_PER_MINUTE, REASON_CHARACTERS
from ops import words
from ops.queries.measures import MeasureRow
from ops.services.forms import SentOtherwise
from ops.services.measures import Sender

LONGEST_REASON = 2_000
LONGEST_TICKET = 64
AT, OTHER, BLOCK = "at", "other", "block"
ENDS = {"1h": timedelta(hours=1), "4h": timedelta(hours=4), "24h": timedelta(hours=24), "72h": timedelta(hours=72)}
RATES = ("1", "10", "60")
TIMES_PLAN = {"150": 1.5, "200": 2}
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20}
TOO_LONG = "This has %(show_value)d characters; at most %(limit_value)d characters are kept."
DATETIME_LOCAL = "%Y-%m-%dT%H:%M"
USER, SEARCH = "user", "search"
ALL = ThrottleScope.ALL
NOT_SAID = ("csrfmiddlewaretoken", "once")
Outlook = Callable[[TierUsage, Limit, datetime], str]
"""When a tier would be full under a limit, in words; empty where nobody knows how it grows."""


def _hash_of(data: Any) -> str:
    """A hash of what was filled in: the same for a double click, another one once something was changed."""
    said = sorted((name, values) for name, values in data.lists() if name not in NOT_SAID)
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _as_another_form(data: Any) -> Any:
    """What was filled in, with a token of its own: sent again it takes effect as well."""
    another = data.copy()
    another["once"] = str(uuid4())
    return another


def seen(text: str) -> None:
    """Refuse what makes a text other than it looks, beside all else that is wrong with a form."""
    if unseen := texts.unseen_error(text, allow_lines=True):
        raise forms.ValidationError(f"This {unseen}.")


class ReasonedForm(forms.Form):
    """Every action's: a reason, a ticket, and the token that makes the form take effect once."""

    pointers: ClassVar[Mapping[str, str]] = {"/reason": "reason", "/ticket": "ticket"}
    typed: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """Of a choice: the answer that is typed into a field of its own, and that field."""
    prefilled: ClassVar[tuple[str, ...]] = ()
    """The choices that a link to the form may make."""

    once = forms.UUIDField(
        widget=forms.HiddenInput, error_messages=dict.fromkeys(("required", "invalid"), "Open this page again.")
    )
    reason = forms.CharField(
        label="Reason",
        min_length=REASON_CHARACTERS,
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
        validators=[seen],
        help_text=f"At least {REASON_CHARACTERS} characters. The next reader sees it.",
        error_messages={
            "required": f"At least {REASON_CHARACTERS} characters, so that the next reader understands.",
            "min_length": "%(show_value)d characters; at least %(limit_value)d, so that the next reader understands.",
            "max_length": TOO_LONG,
        },
    )
    ticket = forms.CharField(
        label="Ticket, if there is one",
        max_length=LONGEST_TICKET,
        required=False,
        validators=[seen],
        error_messages={"max_length": TOO_LONG},
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, name: str) -> None:
        super().__init__(data, auto_id=f"{name}_%s")
        self.fields["once"].initial = uuid4()
        self.refusal: Refusal | None = None

    def prefill(self, wanted: Mapping[str, str]) -> None:
        """Choose beforehand what an address asks for, where it is one of the choices."""
        for name in self.prefilled:
            choices: Iterable[tuple[str, str]] = getattr(self.fields[name], "choices", ())
            if wanted.get(name) in {str(value) for value, _ in choices}:
                self.fields[name].initial = wanted[name]

    def sender(self, staff: Any, *, request_id: str) -> Sender:
        """Who sends this form; only once it is valid."""
        why = Why(self.cleaned_data["reason"], self.cleaned_data["ticket"])
        return Sender(staff, self.cleaned_data["once"], why, request_id, said=_hash_of(self.data))

    def mistaken(self) -> list[forms.BoundField]:
        """The fields that must be mended, as they stand: reason and ticket last, but for the typed confirmation."""
        fields = [field for field in self.visible_fields() if field.errors]
        return sorted(fields, key=lambda field: (field.name == "whom", field.name in ReasonedForm.base_fields))

    @property
    def page_after(self) -> str:
        """The page that is shown once it is done, by its URL name."""
        return "ops:user"

    def refuse(self, refusal: Refusal) -> None:
        """Show what the service refused: at the fields where it says which, else above the form."""
        if isinstance(refusal, SentOtherwise):
            self.data = _as_another_form(self.data)
        if not isinstance(refusal, Invalid):
            self.refusal = refusal
            return
        for pointer, sentence in refusal.errors:
            field = self._field_of(pointer)
            self.add_error(field, f"This {sentence}." if field else f"{pointer} {sentence}")

    def _field_of(self, pointer: str) -> str | None:
        field = self.pointers.get(pointer, "")
        answer, typed = self.typed.get(field, ("", ""))
        return (typed if typed and self.data.get(field) == answer else field) or None


class EndingForm(ReasonedForm):
    """An action that ends by itself."""

    pointers = {**ReasonedForm.pointers, "/ends_at": "end"}
    typed = {"end": (AT, "ends_at")}

    end = forms.ChoiceField(
        label="Ends by itself after",
        choices=[*((key, key.replace("h", " h")) for key in ENDS), (AT, "At a time")],
        widget=forms.RadioSelect,
        initial="1h",
    )
    ends_at = forms.DateTimeField(
        label="End, in UTC",
        required=False,
        widget=forms.DateTimeInput(format=DATETIME_LOCAL, attrs={"type": "datetime-local"}),
        error_messages={"invalid": "A day and a time, such as 2026-11-17 13:00."},
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("end") == AT and not cleaned.get("ends_at") and "ends_at" not in self.errors:
            self.add_error("ends_at", "Which time? It must end some day.")
        return cleaned

    def ends(self, now: datetime) -> datetime:
        """When the measure ends; only once the form is valid."""
        chosen: datetime = self.cleaned_data["ends_at"]
        length = ENDS.get(self.cleaned_data["end"])
        return now + length if length else chosen


class ThrottleForm(EndingForm):
    """Brake a user."""

    pointers = {**EndingForm.pointers, "/per_minute": "rate"}
    typed = {**EndingForm.typed, "rate": (OTHER, "other")}
    prefilled = ("scope", "rate", "end")

    scope = forms.ChoiceField(
        label="Which calls",
        choices=[(ThrottleScope.WRITE, "Writes"), (ThrottleScope.QUERY, "Reads"), (ThrottleScope.ALL, "Both")],
        widget=forms.RadioSelect,
        initial=ThrottleScope.WRITE,
    )
    rate = forms.ChoiceField(
        label="Calls a minute",
        choices=[*((rate, rate) for rate in RATES), (OTHER, "Other"), (BLOCK, "Block")],
        widget=forms.RadioSelect,
        initial="10",
    )
    other = forms.IntegerField(
        label="Other rate, calls a minute",
        min_value=1,
        max_value=MOST_PER_MINUTE,
        required=False,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"), f"A whole number from 1 to {MOST_PER_MINUTE:,}."
        ),
    )

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, name: str, plan: Plan, held: Sequence[MeasureRow]
    ) -> None:
        """`held` are the user's throttles in force."""
        super().__init__(data, name=name)
        self.plan = plan
        self.held = held

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("rate") == OTHER and not cleaned.get("other") and "other" not in self.errors:
            self.add_error("other", "How many calls a minute?")
        return cleaned

    @property
    def throttle_scope(self) -> ThrottleScope:
        return ThrottleScope(self.cleaned_data["scope"])

    @property
    def per_minute(self) -> int | None:
        """The rate; None blocks."""
        rate = self.cleaned_data["rate"]
        if rate == BLOCK:
            return None
        return int(self.cleaned_data["other"] if rate == OTHER else rate)

    def previews(self) -> list[dict[str, Any]]:
        """For each choice of calls: what holds now, the throttle to end first, and those that stay beside a new one."""
        return [
            {
                "scope": scope,
                "now": self._now(scope),
                "first": next((held for held in self.held if held.scope is scope), None),
                "beside": [held for held in self.held if held.scope is not scope and ALL in (held.scope, scope)],
            }
            for scope in ThrottleScope
        ]

    def _now(self, scope: ThrottleScope) -> str:
        """`10 writes a minute`; for both sorts of calls what holds for each."""
        parts = (ThrottleScope.WRITE, ThrottleScope.QUERY) if scope is ALL else (scope,)
        return ", ".join(dict.fromkeys(self._strictest(part) for part in parts))

    def _strictest(self, scope: ThrottleScope) -> str:
        plan = self.plan.write_per_minute if scope is ThrottleScope.WRITE else self.plan.query_per_minute
        rules = [(held.per_minute or 0, held.says) for held in self.held if held.scope in (scope, ALL)]
        return min([*rules, (plan, words.rate(scope, plan))])[1]


class RaiseForm(EndingForm):
    """Give a tier a higher limit for a time."""

    pointers = {**EndingForm.pointers, "/hard_bytes": "to"}
    typed = {**EndingForm.typed, "to": (OTHER, "size")}
    prefilled = ("tier", "to", "end")

    to = forms.ChoiceField(
        label="New limit, of the plan’s",
        choices=[("150", "1.5 times"), ("200", "2 times"), (OTHER, "Other")],
        widget=forms.RadioSelect,
        initial="150",
    )
    size = forms.DecimalField(
        label="Other limit",
        min_value=0,
        max_digits=12,
        decimal_places=3,
        required=False,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_digits", "max_decimal_places", "max_whole_digits"),
            "A number above 0 such as 1.5, of at most nine digits and three decimals.",
        ),
    )
    replaces = forms.CharField(widget=forms.HiddenInput, required=False, max_length=200)
    unit = forms.ChoiceField(label="Unit", choices=[(unit, unit) for unit in UNITS], required=False, initial="MiB")

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, name: str, tiers: Mapping[Tier, TierUsage], outlook: Outlook
    ) -> None:
        super().__init__(data, name=name)
        self.tiers, self.outlook = tiers, outlook
        fullest = max(tiers, key=lambda tier: tiers[tier].active_bytes / tiers[tier].plan_bytes, default=None)
        choices = [(tier, tier.label) for tier in tiers]
        self.fields["tier"] = forms.ChoiceField(
            label="Tier", choices=choices, widget=forms.RadioSelect, initial=fullest
        )
        self.fields["end"].initial = "24h"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("to") == OTHER and not cleaned.get("size") and "size" not in self.errors:
            self.add_error("size", "How much?")
        return cleaned

    @property
    def chosen_tier(self) -> Tier:
        return Tier(self.cleaned_data["tier"])

    @property
    def hard_bytes(self) -> int:
        """The new limit in bytes."""
        times = TIMES_PLAN.get(self.cleaned_data["to"])
        if times:
            return int(self.tiers[self.chosen_tier].plan_bytes * times)
        return int(self.cleaned_data["size"] * UNITS[self.cleaned_data["unit"] or "MiB"])

    @property
    def held(self) -> str:
        """The raises in force, which whoever reads the form sees on it."""
        return " ".join(str(usage.override_id) for usage in self.tiers.values() if usage.override_id)

    @property
    def replacing(self) -> UUID | None:
        """The raise in force of the chosen tier, where the sender has seen it: of another they must be told first."""
        holds = self.tiers[self.chosen_tier].override_id
        return holds if str(holds) in self.cleaned_data["replaces"].split() else None

    def previews(self) -> list[dict[str, Any]]:
        """For each tier the limit, the use and when it is full, now and after each choice: seen before it is sent."""
        now = clock.utc_now()
        return [
            {
                "tier": usage.tier,
                "limit": bytesize.human(usage.limit_bytes),
                "used": words.percent(usage.share),
                "full": self.outlook(usage, usage.limit, now),
                "after": [
                    self._after(usage, to, int(usage.plan_bytes * times), now) for to, times in TIMES_PLAN.items()
                ],
            }
            for usage in self.tiers.values()
        ]

    def _after(self, usage: TierUsage, to: str, hard_bytes: int, now: datetime) -> dict[str, Any]:
        limits = {end: Limit(hard_bytes, now + length, usage.plan_bytes) for end, length in ENDS.items()}
        return {
            "to": to,
            "limit": bytesize.human(hard_bytes),
            "used": words.percent(usage.active_bytes / hard_bytes),
            "full": [(end, self.outlook(usage, limit, now)) for end, limit in limits.items()],
        }


class EndForm(ReasonedForm):
    """End a measure before its time."""


class ReturningForm(ReasonedForm):
    """An action that is offered on a user's page and on their search page: `then` is where one goes back to."""

    then = forms.ChoiceField(
        choices=[(USER, USER), (SEARCH, SEARCH)], widget=forms.HiddenInput, required=False, initial=USER
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, name: str, then: str = USER) -> None:
        super().__init__(data, name=name)
        self.fields["then"].initial = then if then == SEARCH else USER

    @property
    def page_after(self) -> str:
        return "ops:search" if self.data.get("then") == SEARCH else "ops:user"


class RevealForm(ReturningForm):
    """Show a user's content to oneself."""


class MaskForm(ReturningForm):
    """End a reveal. One's own needs no reason: nothing should stand in the way of masking."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, name: str, then: str = USER, is_own: bool) -> None:
        super().__init__(data, name=name, then=then)
        if is_own:
            self.fields["reason"].required = False
            self.fields["reason"].label = "Reason, if there is one"
            self.fields["reason"].help_text = ""
