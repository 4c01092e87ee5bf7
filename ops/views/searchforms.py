"""The form of a search in one user's memories, with the API's limits."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms

from kimberly.lib import ids
from memory.queries.retrieval import Narrowing
from memory.rules.retrieval import LONGEST_TAG, MOST_QUERY_CHARACTERS, MOST_TAGS
from memory.rules.tiers import TIERS_SHOWN, Tier
from ops.services.searches import Asked
from ops.views.forms import DATETIME_LOCAL

HOW_MANY = ("10", "20", "50", "100")
OUT, IN = "out", "in"


class Question(forms.CharField):
    """The text as it was typed: browsers send two characters for the end of a line, clients one.

    What is too long is refused and kept. A browser that knew the limit would cut it without a word.
    """

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\r\n", "\n")

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {name: value for name, value in super().widget_attrs(widget).items() if name != "maxlength"}


def _moment(label: str) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        required=False,
        widget=forms.DateTimeInput(format=DATETIME_LOCAL, attrs={"type": "datetime-local"}),
        error_messages={"invalid": "A date and a time, such as 2026-11-17T03:12."},
    )


class SearchForm(forms.Form):
    """What to look for, where, and which memory is missed."""

    question = Question(
        label="The question",
        max_length=MOST_QUERY_CHARACTERS,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
        help_text=f"In the person’s own words, as the client sends it: at most {MOST_QUERY_CHARACTERS:,} characters.",
        error_messages={"required": "What was asked?"},
    )
    expected = forms.CharField(
        label="The memory you expected, if there is one",
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
        help_text="Its mem_ id. The answer says where it stands, or why it is missing.",
    )
    tier = forms.ChoiceField(
        label="Tier",
        choices=[("", "All"), *((tier.value, tier.label) for tier in TIERS_SHOWN)],
        widget=forms.RadioSelect,
        required=False,
        initial="",
    )
    archived = forms.ChoiceField(
        label="Archive",
        choices=[(OUT, "Left out"), (IN, "Searched as well")],
        widget=forms.RadioSelect,
        required=False,
        initial=OUT,
    )
    top_k = forms.ChoiceField(
        label="How many",
        choices=[(number, number) for number in HOW_MANY],
        widget=forms.RadioSelect,
        required=False,
        initial=HOW_MANY[0],
    )
    tags = forms.CharField(
        label="Tags, with commas between them", required=False, help_text="Only memories that have all of them."
    )
    since = _moment("Said since, in UTC")
    until = _moment("Said before, in UTC")

    def __init__(self, data: Mapping[str, Any] | None = None, *, expected: str = "") -> None:
        super().__init__(data, auto_id="search_%s", initial={"expected": expected})

    def clean_question(self) -> str:
        question: str = self.cleaned_data["question"]
        if not question.strip():
            raise forms.ValidationError("What was asked?")
        return question

    def clean_expected(self) -> UUID | None:
        text: str = self.cleaned_data["expected"]
        found = ids.decode(ids.Prefix.ITEM, text.lower()) if text else None
        if text and found is None:
            raise forms.ValidationError("This is no mem_ id: those are mem_ and 32 digits from 0 to f.")
        return found

    def clean_tags(self) -> tuple[str, ...]:
        tags = tuple(dict.fromkeys(tag.strip() for tag in self.cleaned_data["tags"].split(",") if tag.strip()))
        if len(tags) > MOST_TAGS:
            raise forms.ValidationError(f"{len(tags)} tags; at most {MOST_TAGS}.")
        if any(len(tag) > LONGEST_TAG for tag in tags):
            raise forms.ValidationError(f"A tag has at most {LONGEST_TAG} characters.")
        return tags

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since >= until:
            self.add_error("until", "This must be later than the beginning.")
        return cleaned

    @property
    def sent(self) -> dict[str, str]:
        """Each field as it was sent, from which the same form can be made again."""
        return {name: self.data.get(name, "") for name in self.fields}

    @property
    def narrows(self) -> bool:
        """Whether a filter is set or in error, so that it must be seen."""
        initial = {"archived": OUT, "top_k": HOW_MANY[0]}
        names = ("tier", "archived", "top_k", "tags", "since", "until")
        return any(name in self.errors or self[name].value() not in ("", None, initial.get(name)) for name in names)

    def asked(self) -> Asked:
        """What is asked; only once the form is valid."""
        cleaned = self.cleaned_data
        narrowing = Narrowing(
            tier=Tier(cleaned["tier"]) if cleaned["tier"] else None,
            tags=cleaned["tags"],
            since=cleaned["since"],
            until=cleaned["until"],
            include_archived=cleaned["archived"] == IN,
        )
        return Asked(cleaned["question"], int(cleaned["top_k"] or HOW_MANY[0]), narrowing, cleaned["expected"])
