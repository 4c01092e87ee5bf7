"""Forms of what is done to chosen items, to a whole user, and to notes; and the form that takes an act back."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms

from kimberly.lib import ids
from kimberly.lib.errors import Refusal
from memory.services.selections import Chosen
from ops.models import UserNote
from ops.services.notes import NoteChanged
from ops.views.forms import ReasonedForm

SPECIAL = re.compile(r"([\\^$.|?*+()\[\]{}/])")
CONFIRMED_SIGNS = 6
OPEN_AGAIN = "Choose the items again: what this form holds cannot be read."


class ItemsForm(ReasonedForm):
    """Items that were chosen on a page, frozen with their versions: one that changes since is left out."""

    def __init__(self, data: Any = None, *, name: str, chosen: Sequence[Chosen] = ()) -> None:
        """`chosen` are those of a form that is opened; one that is sent brings its own."""
        super().__init__(data, name=name)
        self.chosen = list(chosen) if data is None else _chosen_in(data)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.chosen:
            self.add_error(None, OPEN_AGAIN)
        return cleaned

    @property
    def frozen(self) -> list[str]:
        """The values of the form's hidden fields."""
        return [f"{ids.encode(ids.Prefix.ITEM, one.id)}:{one.version}" for one in self.chosen]


def _chosen_in(data: Any) -> list[Chosen]:
    """The items in what was sent; what cannot be read is left out."""
    chosen = []
    for text in data.getlist("item"):
        item, _, version = text.partition(":")
        item_id = ids.decode(ids.Prefix.ITEM, item)
        if item_id is not None and version.isascii() and version.isdecimal() and len(version) < 10:
            chosen.append(Chosen(item_id, int(version)))
    return chosen


class Confirmed(forms.Form):
    """It stops or destroys something: the sender types whom it is about."""

    whom = forms.CharField(
        max_length=128,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
        error_messages={"required": "Type it, so that nothing is done to the wrong person."},
    )

    def expect(self, text: str, *, meant: str = "the id of the user whose page this is") -> None:
        """Ask for this id. A browser that matches it lights the button up."""
        field = self.fields["whom"]
        field.label = f"Type {text}"
        field.widget.attrs["pattern"] = SPECIAL.sub(r"\\\1", text)
        self.expected, self.meant = text, meant

    def clean_whom(self) -> str:
        typed: str = self.cleaned_data["whom"]
        if typed != self.expected.strip():
            raise forms.ValidationError(f"This is not {self.meant}.")
        return typed


class DeleteItemsForm(Confirmed, ItemsForm):
    """Delete chosen items of the user with this external id."""

    def __init__(self, data: Any = None, *, name: str, chosen: Sequence[Chosen] = (), external_id: str) -> None:
        super().__init__(data, name=name, chosen=chosen)
        self.expect(external_id)


class SuspendForm(Confirmed, ReasonedForm):
    """Stop a user."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, name: str, external_id: str) -> None:
        super().__init__(data, name=name)
        self.expect(external_id)


class ResumeForm(ReasonedForm):
    """Let a suspended user go on."""


class MeditateForm(ReasonedForm):
    """Meditate on one user, or on all."""


class ConfirmedRunForm(Confirmed, ReasonedForm):
    """Decide of a run what reaches many: the sender types the end of its id."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, name: str, run: str) -> None:
        super().__init__(data, name=name)
        self.expect(run[-CONFIRMED_SIGNS:], meant=f"how the id of this run ends, {run[-CONFIRMED_SIGNS:]}")


class NoteForm(ReasonedForm):
    """A note: its words are the reason for writing it. A changed one says which version its author saw."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1)

    def __init__(self, data: Any = None, *, name: str, note: UserNote | None = None) -> None:
        super().__init__(data, name=name)
        words = self.fields["reason"]
        words.label = "Note"
        words.widget.attrs["rows"] = 4
        words.help_text = "At least 10 characters. Every colleague sees it, with your name; the user does not."
        if note is not None:
            initial = {"reason": note.text, "ticket": note.ticket, "version": note.version}
            for name_of_field, value in initial.items():
                self.fields[name_of_field].initial = value

    def refuse(self, refusal: Refusal) -> None:
        """After a conflict the form holds the version that was shown: sent again, it writes over that one."""
        super().refuse(refusal)
        if isinstance(refusal, NoteChanged):
            self.data = {name: self.data.get(name) for name in self.data} | {"version": refusal.current.version}


class UndoForm(ReasonedForm):
    """Take an act back. The act itself is the reason; whoever wants to says more."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, name: str) -> None:
        super().__init__(data, name=name)
        reason = self.fields["reason"]
        reason.required, reason.label, reason.help_text = False, "Reason, if there is one", ""


def ids_in(texts: Sequence[str]) -> list[UUID]:
    """The items in an address; what is no id is left out."""
    found = (ids.decode(ids.Prefix.ITEM, text) for text in texts)
    return [item_id for item_id in found if item_id is not None]
