"""The demo in the database, as tests ask for it."""

from dataclasses import dataclass
from datetime import datetime

from memory.models import MemoryUser
from memory.queries.standing import Asked
from ops import badges
from ops.demo.loading import Loaded
from ops.demo.plans import Demo
from ops.queries import users
from ops.queries.users import UserRow
from ops.services.invariants import Violation


@dataclass(frozen=True)
class Furnished:
    plan: Demo
    loaded: Loaded
    now: datetime
    violations_before: list[Violation]

    def user(self, external_id: str) -> MemoryUser:
        return MemoryUser.objects.get(external_id=external_id)

    def users(self):
        return MemoryUser.objects.filter(external_id__in=[person.external_id for person in self.plan.people])

    def row(self, external_id: str) -> UserRow:
        """The user as the portal lists it."""
        [row] = users.page(Asked(beginning=external_id), now=self.now).rows
        return row

    def says(self, external_id: str) -> list[str]:
        """The words of its badges."""
        row = self.row(external_id)
        shown = badges.of_user(row.user.state, row.tiers, throttled_until=row.throttled_until, now=self.now)
        return [badge.text for badge in shown]
