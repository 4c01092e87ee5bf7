"""What the last check of the invariants found."""

from django.db import models
from django.db.models import Q


class InvariantCheck(models.Model):
    """The newest result of checking one invariant, so that a scrape need not check it again."""

    invariant = models.CharField(max_length=8, primary_key=True)
    violations = models.IntegerField()
    checked_at = models.DateTimeField()

    class Meta:
        db_table = "invariant_check"
        constraints = [models.CheckConstraint(condition=Q(violations__gte=0), name="invariant_check_violations_ck")]

    def __str__(self) -> str:
        return f"{self.invariant}: {self.violations}"
