"""What staff prove their sign-in with beside the password: an authenticator, and recovery codes for when it is lost."""

import time
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django_otp.models import Device, TimestampMixin
from django_otp.oath import TOTP

from ops import sealed


class Authenticator(TimestampMixin, Device):  # type: ignore[misc] # django-otp has no types
    """A person's authenticator app. Verify by `django_otp.verify_token`, which lets one code through at a time."""

    sealed_secret = models.TextField(help_text="Base32, encrypted by ops.sealed.")
    last_step = models.BigIntegerField(default=-1, help_text="The time step of the last code: none is taken twice.")
    drift = models.SmallIntegerField(default=0, help_text="Steps by which the app's clock differs from ours.")

    class Meta:
        db_table = "authenticator"
        constraints = [
            # One app a person: a second one would be a second way in that nobody looks at.
            models.UniqueConstraint(fields=["user"], name="authenticator_user_uq"),
        ]

    def verify_token(self, token: Any) -> bool:
        """Whether the code is the current one, or that of a step before or after. It is spent by this."""
        totp = TOTP(sealed.key_of(sealed.vault().open(self.sealed_secret)), drift=self.drift)
        totp.time = time.time()
        if not totp.verify(int(token), tolerance=1, min_t=self.last_step + 1):
            return False
        self.last_step, self.drift = totp.t(), totp.drift
        self.sealed_secret = sealed.vault().seal(sealed.vault().open(self.sealed_secret))  # by the newest key
        self.set_last_used_timestamp(commit=False)
        self.save()
        return True


class RecoveryCode(models.Model):
    """One recovery code: 80 random bits, which need no slow hash. It works once."""

    sha256 = models.CharField(max_length=64)
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "recovery_code"
        constraints = [
            # Also finds the code of a person.
            models.UniqueConstraint(fields=["staff", "sha256"], name="recovery_code_staff_sha256_uq"),
            models.CheckConstraint(
                condition=Q(used_at=None) | Q(used_at__gte=F("made_at")), name="recovery_code_used_after_made_ck"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.staff_id} {'unused' if self.used_at is None else 'used'}"
