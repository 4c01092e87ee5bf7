"""People who sign in as people do: by the forms, with an authenticator in their hand."""

import re
import time
from base64 import b32decode
from typing import Any

from django.test import Client
from django_otp.oath import TOTP

from ops.models import Authenticator
from tests.ops.portal import Portal, text_of
from tests.personas import PASSWORD

LOGIN, CODE, SET_UP = "/admin/login/", "/admin/login/code/", "/admin/login/set-up/"


class Phone:
    """An authenticator app with one secret. It shows each code once: what was shown before is taken as spent."""

    def __init__(self, secret: str) -> None:
        self.key = b32decode(secret.replace(" ", ""))

    def shows(self, *, steps_later: int = 0) -> str:
        totp = TOTP(self.key)
        totp.time = time.time() + 30 * steps_later
        return f"{totp.token():06}"

    def shows_nothing_like(self) -> str:
        """A code that is not right now, nor just before or after."""
        near = {self.shows(steps_later=steps) for steps in range(-3, 4)}
        return next(f"{number:06}" for number in range(10) if f"{number:06}" not in near)


class Visitor(Portal):
    """Somebody at the sign-in page."""

    def __init__(self, staff: Any = None, **options: Any) -> None:
        self.staff = staff
        self.client = Client(**options)
        self._phone: Phone | None = None
        self.recovery_codes: list[str] = []

    @property
    def phone(self) -> Phone:
        assert self._phone is not None, "no second factor is set up yet"
        return self._phone

    def gives_password(self, password: str = PASSWORD, *, name: str = "", **options: Any) -> Any:
        fields = {"username": name or self.staff.username, "password": password}
        return self.client.post(LOGIN, fields, **options)

    def gives_code(self, code: str, **options: Any) -> Any:
        return self.client.post(CODE, {"code": code}, **options)

    def sets_up(self) -> Any:
        """Scan the secret of the page and send the code that the app then shows; gives the answer."""
        page = text_of(self.client.get(SET_UP))
        secret = re.search(r"type the secret: ((?:[A-Z2-7]{4} ?){8})", page)
        assert secret is not None, page
        self._phone = Phone(secret[1])
        answer = self.client.post(SET_UP, {"code": self.phone.shows()})
        self.recovery_codes = re.findall(r"<code>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})</code>", answer.content.decode())
        return answer

    def signs_in(self, **options: Any) -> "Visitor":
        """Both steps; the first time sets the second factor up."""
        if self._phone is None:
            self.gives_password(**options)
            self.sets_up()
        else:
            self.forgets_spent_codes()
            self.gives_password(**options)
            self.gives_code(self.phone.shows(), **options)
        assert self.is_in(), "the sign-in did not work"
        return self

    def is_in(self) -> bool:
        return bool(self.opens("/ops/users/").status_code == 200)

    def elsewhere(self, **options: Any) -> "Visitor":
        """The same person with the same phone, in another browser."""
        other = Visitor(self.staff, **options)
        other._phone, other.recovery_codes = self._phone, self.recovery_codes
        return other

    def forgets_spent_codes(self) -> None:
        """As if half a minute had gone by: the code that the phone shows has not been used."""
        Authenticator.objects.filter(user=self.staff).update(last_step=-1)
