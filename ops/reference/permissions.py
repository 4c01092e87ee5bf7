"""docs/permissions.md"""

from collections.abc import Collection

from ops import roles
from ops.reference.tables import code, page, table
from ops.roles import Role

INTRODUCTION = """Who of the staff may do what, from `ops/roles.py`: the one table that pages and actions ask. A page or
an action that it does not list is closed to everybody."""


def render() -> str:
    raises = (
        f"`support` raises a quota to at most {roles.SUPPORT_MOST_TIMES_PLAN} times the plan's limit, for at most "
        f"{roles.SUPPORT_LONGEST_RAISE.days} days; `lead` without bound."
    )
    actions = [
        [
            code(action.name),
            *_marks(action.roles),
            "yes" if action.needs_second_person else "",
            "yes" if action.needs_fresh_sign_in else "",
        ]
        for action in roles.ACTIONS.values()
    ]
    pages = [[code(name), *_marks(allowed)] for name, allowed in roles.PAGES.items()]
    return page(
        "Permissions",
        INTRODUCTION,
        "## Actions",
        table(["action", *Role, "second person", "signs in anew"], actions),
        raises,
        "## Pages",
        table(["page", *Role], pages),
    )


def _marks(allowed: Collection[Role]) -> list[str]:
    return ["yes" if role in allowed else "" for role in Role]
