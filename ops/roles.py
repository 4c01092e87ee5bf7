"""Who may do what: the one table that pages, API and runbook steps ask.

A page that is not listed cannot be opened, and an action that is not listed cannot be taken: tests fail for both.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group

from kimberly.lib.errors import Kind, Refusal


class Role(StrEnum):
    """The groups of staff; a person may have several, and only lead includes another's rights (support's)."""

    VIEWER = "viewer"
    SUPPORT = "support"
    LEAD = "lead"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    ADMIN = "admin"


EVERYBODY = frozenset(Role)
SUPPORT_AND_LEAD = frozenset({Role.SUPPORT, Role.LEAD})
LEAD = frozenset({Role.LEAD})
OPERATOR = frozenset({Role.OPERATOR})
ADMIN = frozenset({Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Action:
    """Something a person of staff can do to the service. `verb` finishes "Sam cannot ..."; `label` is on the button."""

    name: str
    roles: frozenset[Role]
    verb: str
    label: str
    needs_second_person: bool = False
    needs_fresh_sign_in: bool = False
    """It stops or destroys something: whoever takes it proves anew who they are, unless they did so lately."""


THROTTLE = Action("throttle", SUPPORT_AND_LEAD, "throttle users", "Throttle")
LIFT_THROTTLE = Action("lift-throttle", SUPPORT_AND_LEAD, "lift throttles", "Lift the throttle")
RAISE_QUOTA = Action("raise-quota", SUPPORT_AND_LEAD, "raise quotas", "Raise a quota")
END_OVERRIDE = Action("end-override", SUPPORT_AND_LEAD, "end raises", "End the raise")
REVEAL = Action("reveal", LEAD, "reveal content", "Reveal content")
MASK = Action("mask", LEAD, "mask content again", "Mask again")
END_SESSIONS = Action("end-sessions", ADMIN, "end other people’s sessions", "End sessions")

PROTECT = Action("protect", SUPPORT_AND_LEAD, "protect items", "Protect items")
UNPROTECT = Action("unprotect", SUPPORT_AND_LEAD, "unprotect items", "Unprotect items")
DELETE_ITEMS = Action("delete-items", LEAD, "delete items", "Delete items", needs_fresh_sign_in=True)
RESTORE_ITEMS = Action("restore-items", LEAD, "restore items", "Restore items")
SUSPEND = Action("suspend", LEAD, "suspend users", "Suspend", needs_fresh_sign_in=True)
RESUME = Action("resume", LEAD, "resume users", "Resume")
NOTE = Action("note", SUPPORT_AND_LEAD, "write notes", "Write a note")
CHANGE_NOTE = Action("change-note", SUPPORT_AND_LEAD, "change notes", "Change the note")
MEDITATE = Action("meditate", SUPPORT_AND_LEAD | {Role.OPERATOR}, "start a meditation of one user", "Meditate now")
MEDITATE_ALL = Action("meditate-all", OPERATOR, "start a meditation of all users", "Meditate all")
MEDITATE_SOME = Action("meditate-some", OPERATOR, "start a meditation of some users", "Meditate on these")
APPROVE = Action("approve-meditation", OPERATOR, "let held meditations go on", "Let it go on", needs_fresh_sign_in=True)
ABORT = Action("abort-meditation", OPERATOR, "abort meditations", "Abort")
RETRY = Action("retry-meditation", OPERATOR, "retry meditations", "Do the failed shards again")
UNDO_RUN = Action("undo-meditation", OPERATOR, "undo whole meditations", "Undo the run", needs_fresh_sign_in=True)
STOP_UNDO = Action("stop-undo", OPERATOR, "stop undos", "Stop the undo")
UNDO_DECISIONS = Action("undo-decisions", LEAD | OPERATOR, "undo what a meditation decided of a user", "Undo")
PLAN_PRUNE = Action("plan-prune", SUPPORT_AND_LEAD, "plan prunes", "Plan a prune")
APPLY_PLAN = Action("apply-plan", LEAD, "apply prune plans", "Apply the plan", needs_fresh_sign_in=True)
UNDO_PLAN = Action("undo-plan", LEAD, "undo prune plans", "Undo the plan")

PLAN_COHORT = Action("plan-cohort", SUPPORT_AND_LEAD, "plan prunes of many users", "Plan for these users")
APPLY_COHORT = Action("apply-cohort", LEAD, "apply plans of many users", "Apply the plans", needs_fresh_sign_in=True)
UNDO_COHORT = Action("undo-cohort", LEAD, "undo plans of many users", "Undo the plans", needs_fresh_sign_in=True)
STOP_COHORT = Action("stop-cohort", SUPPORT_AND_LEAD, "stop what is done with plans of many users", "Stop")

ACTIONS = {
    action.name: action
    for action in (
        THROTTLE, LIFT_THROTTLE, RAISE_QUOTA, END_OVERRIDE, REVEAL, MASK, END_SESSIONS,
        PROTECT, UNPROTECT, DELETE_ITEMS, RESTORE_ITEMS, SUSPEND, RESUME, NOTE, CHANGE_NOTE,
        MEDITATE, MEDITATE_ALL, MEDITATE_SOME, APPROVE, ABORT, RETRY, UNDO_RUN, STOP_UNDO, UNDO_DECISIONS,
        PLAN_COHORT, APPLY_COHORT, UNDO_COHORT, STOP_COHORT,
        PLAN_PRUNE, APPLY_PLAN, UNDO_PLAN,
    )
}  # fmt: skip

# Pages by URL name. What is not listed here is refused, and a test fails.
PAGES: dict[str, frozenset[Role]] = {
    "ops:overview": EVERYBODY,
    "ops:find": EVERYBODY,
    "ops:users": EVERYBODY,
    "ops:user": EVERYBODY,
    "ops:refusals": EVERYBODY,
    "ops:throttle": EVERYBODY,
    "ops:lift-throttle": EVERYBODY,
    "ops:raise-quota": EVERYBODY,
    "ops:end-override": EVERYBODY,
    "ops:protect": EVERYBODY,
    "ops:unprotect": EVERYBODY,
    "ops:delete-items": EVERYBODY,
    "ops:restore-items": EVERYBODY,
    "ops:suspend": EVERYBODY,
    "ops:resume": EVERYBODY,
    "ops:note": EVERYBODY,
    "ops:change-note": EVERYBODY,
    "ops:undo": EVERYBODY,
    "ops:zone": EVERYBODY,
    "ops:shortcuts": EVERYBODY,
    "ops:reveal": EVERYBODY,
    "ops:mask": EVERYBODY,
    "ops:search": EVERYBODY,
    "ops:burst": EVERYBODY,
    "ops:expiring": EVERYBODY,
    "ops:schedules": EVERYBODY,
    "ops:meditation": EVERYBODY,
    "ops:meditation-run": EVERYBODY,
    "ops:meditate": EVERYBODY,
    "ops:meditate-all": EVERYBODY,
    "ops:meditate-some": EVERYBODY,
    "ops:approve-meditation": EVERYBODY,
    "ops:abort-meditation": EVERYBODY,
    "ops:retry-meditation": EVERYBODY,
    "ops:undo-meditation": EVERYBODY,
    "ops:stop-undo": EVERYBODY,
    "ops:undo-decisions": EVERYBODY,
    "ops:cohorts": EVERYBODY,
    "ops:cohort": EVERYBODY,
    "ops:plan-cohort": EVERYBODY,
    "ops:apply-cohort": EVERYBODY,
    "ops:undo-cohort": EVERYBODY,
    "ops:stop-cohort": EVERYBODY,
    "ops:plans": EVERYBODY,
    "ops:plan": EVERYBODY,
    "ops:plan-prune": EVERYBODY,
    "ops:apply-plan": EVERYBODY,
    "ops:undo-plan": EVERYBODY,
    "ops:account": EVERYBODY,
    "ops:second-factor": EVERYBODY,
    "ops:recovery-codes": EVERYBODY,
    "ops:end-own-session": EVERYBODY,
    "ops:end-own-others": EVERYBODY,
    "ops:staff-sessions": ADMIN,
    "ops:end-sessions": ADMIN,
}

# Beside those of actions that need a fresh sign-in: on these pages whoever finds an open window could take it over.
PROVED_PAGES = frozenset({"ops:second-factor", "ops:recovery-codes"})

SUPPORT_MOST_TIMES_PLAN = 2
SUPPORT_LONGEST_RAISE = timedelta(days=7)

Staff = AbstractBaseUser | AnonymousUser


class NotYourRole(Refusal):
    """The person's roles do not cover this action."""

    slug = "not-your-role"
    kind = Kind.FORBIDDEN
    title = "Your role does not cover this."

    def __init__(self, name: str, action: Action, held: Collection[Role]) -> None:
        super().__init__(name, action.name)
        self.name = name
        self.action = action
        self.held = held

    @property
    def detail(self) -> str:
        *others, last = sorted(role for role in self.action.roles)
        who = f"{', '.join(others)} and {last}" if others else last
        held = ", ".join(sorted(self.held)) or "no role"
        return f"{self.name} ({held}) cannot {self.action.verb}: {who} can."

    def facts(self) -> dict[str, Any]:
        return {"action": self.action.name, "roles": sorted(self.action.roles)}


def roles_of(staff: Any) -> frozenset[Role]:
    """The roles of a signed-in person, read once a request; none for strangers and for accounts that are off."""
    if not (staff.is_authenticated and staff.is_active and staff.is_staff):
        return frozenset()
    held: frozenset[Role] | None = getattr(staff, "held_roles", None)
    if held is None:
        known = {str(role) for role in Role}
        names = staff.groups.order_by("name").values_list("name", flat=True)
        held = staff.held_roles = frozenset(Role(name) for name in names if name in known)
    return held


def may_open(staff: Any, page: str) -> bool:
    """Whether the person may open the page with this URL name."""
    return bool(roles_of(staff) & PAGES.get(page, frozenset()))


def needs_fresh_sign_in(staff: Any, page: str) -> bool:
    """Whether the person must have proved lately who they are to go on at the page with this URL name."""
    action = ACTIONS.get(page.removeprefix("ops:"))
    return page in PROVED_PAGES or (
        action is not None and action.needs_fresh_sign_in and why_not(staff, action) is None
    )


def what_follows(page: str) -> str:
    """The action for which the page with this URL name stands, as its button says; empty where it is for none."""
    action = ACTIONS.get(page.removeprefix("ops:"))
    return action.label if action else ""


def why_not(staff: Any, action: Action) -> NotYourRole | None:
    """Why the person may not take the action; None when they may."""
    held = roles_of(staff)
    return None if held & action.roles else NotYourRole(label_of(staff), action, held)


def require(staff: Any, action: Action) -> None:
    """Raise NotYourRole unless the person may take the action."""
    refusal = why_not(staff, action)
    if refusal is not None:
        raise refusal


def label_of(staff: Any) -> str:
    """The name by which colleagues know the person."""
    return str(staff.get_full_name() or staff.get_username())


def groups_of(held: Collection[Role]) -> list[Group]:
    """The groups of these roles, made where they are missing."""
    return [Group.objects.get_or_create(name=str(role))[0] for role in held]
