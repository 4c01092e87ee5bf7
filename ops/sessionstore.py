"""Where sessions are kept (SESSION_ENGINE), and when they end: 30 minutes without use, 12 hours in any case.

Django's own store knows one end, which each change of the session moves away; it keeps the cookie's key as it is, and
cannot say whose a session is. Here a row says whose, since when and from where, and an ended one says why.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import IntegrityError, connection, transaction

from kimberly.lib import clock
from ops.models import StaffSession

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
TO_SIGN_IN = timedelta(minutes=15)
"""How long somebody may take between the password and the code."""

SIGNED_IN = "signed_in"
"""The key under which a session says how its person signed in (`ops.services.signing`)."""

STAFF = "_auth_user_id"  # Django's


def id_of(session_key: str) -> UUID:
    """The id of the session with this key; the key cannot be found from it."""
    return UUID(bytes=hashlib.sha256(session_key.encode()).digest()[:16])


def why_over(session: StaffSession, now: datetime) -> str:
    """`idle`, `length`, or what ended it; empty while it lasts."""
    if session.ended_at is not None:
        return session.ended_why
    if session.expires_at <= now:
        return "length"
    return "idle" if session.staff_id and session.seen_at + IDLE <= now else ""


def _nothing_can_be_written() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('transaction_read_only')::boolean")
        return bool(cursor.fetchone()[0])


class SessionStore(DatabaseStore):
    """One request's session."""

    row: StaffSession | None = None
    over: str = ""
    """Why the session that the cookie names has ended."""

    @classmethod
    def get_model_class(cls) -> type[StaffSession]:  # type: ignore[override] # not a child of Django's
        return StaffSession

    def load(self) -> dict[str, Any]:
        row = StaffSession.objects.filter(pk=id_of(self.session_key or "")).first()
        self.over = why_over(row, clock.utc_now()) if row else ""
        if self.over == "idle" and _nothing_can_be_written():
            # Nobody's use could be noted, and nobody could sign in again: who is in stays in, and can only read.
            self.over = ""
        if row is None or self.over:
            self._session_key = None
            return {}
        self.row = row
        found: dict[str, Any] = self.decode(row.data)
        return found

    def exists(self, session_key: str) -> bool:
        return StaffSession.objects.filter(pk=id_of(session_key)).exists()

    def save(self, must_create: bool = False) -> None:
        """Store the session. One that was ended meanwhile stays so: UpdateError."""
        if self.session_key is None:
            return self.create()
        data, now = self._get_session(no_load=must_create), clock.utc_now()  # type: ignore[attr-defined] # Django's own
        columns = self._columns(data, now)
        if must_create:
            self._insert(columns)
        elif not StaffSession.objects.filter(pk=id_of(self.session_key), ended_at=None).update(**columns):
            raise UpdateError
        return None

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            StaffSession.objects.filter(pk=id_of(key)).delete()

    @classmethod
    def clear_expired(cls) -> None:
        StaffSession.objects.filter(expires_at__lte=clock.utc_now()).delete()

    def _insert(self, columns: Mapping[str, Any]) -> None:
        try:
            with transaction.atomic():
                self.row = StaffSession.objects.create(pk=id_of(self.session_key or ""), **columns)
        except IntegrityError as error:
            raise CreateError from error

    def _columns(self, data: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        signed_in = data.get(SIGNED_IN, {})
        started_at = datetime.fromisoformat(signed_in["at"]) if signed_in else now
        return {
            "staff_id": data.get(STAFF),
            "data": self.encode(dict(data)),
            "address": signed_in.get("address"),
            "agent": signed_in.get("agent", ""),
            "started_at": started_at,
            "seen_at": now,
            "expires_at": started_at + (LONGEST if signed_in else TO_SIGN_IN),
        }
