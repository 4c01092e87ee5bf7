"""The forms of signing in. What is wrong with a password or a code is not said: only that it did not work."""

from typing import Any

from django import forms
from django.contrib.auth.forms import UsernameField

LONGEST_NAME = 150  # the column's
LONGEST_CODE = 40


def code_field(*, label: str = "Code from your authenticator", **options: Any) -> forms.CharField:
    """Six digits, or a recovery code."""
    attributes = {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}
    return forms.CharField(label=label, max_length=LONGEST_CODE, widget=forms.TextInput(attrs=attributes), **options)


def password_field() -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": "current-password"})
    return forms.CharField(label="Password", strip=False, widget=widget)


class PasswordForm(forms.Form):
    """The first step."""

    username = UsernameField(
        label="User name",
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = password_field()


class CodeForm(forms.Form):
    """The second step."""

    code = code_field(help_text="6 digits, or one of your recovery codes.")


class SetUpForm(forms.Form):
    """The proof that an authenticator has the secret."""

    code = code_field(label="Code that the app shows now", help_text="6 digits.")


class ProofForm(forms.Form):
    """Who sits before a session that is open already. The names are prefixed: it travels with another form."""

    password = password_field()
    code = code_field(help_text="6 digits, or one of your recovery codes.", required=False)

    def __init__(self, data: Any = None, *, asks_for_code: bool) -> None:
        super().__init__(data, prefix="proof", auto_id="proof_%s")
        if asks_for_code:
            self.fields["code"].required = True
        else:
            del self.fields["code"]
