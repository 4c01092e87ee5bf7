"""Acts that were taken back. An act has at most one row here: it is undone once, whoever clicks."""

from django.conf import settings
from django.db import models

from kimberly.audit.models import AuditEntry


class UndoneAct(models.Model):
    """One act of staff, by its audit entry, and who took it back."""

    act = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, primary_key=True, related_name="undone")
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    undone_at = models.DateTimeField()

    class Meta:
        db_table = "undone_act"

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        """The act's: what is told afterwards is that it was undone."""
        return str(self.act_id)
