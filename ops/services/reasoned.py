"""One way to send a form with a reason: the role table first, then the reason, then its effect, once."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

from memory.services import limits
from ops import roles
from ops.roles import Action
from ops.services import forms
from ops.services.forms import Outcome
from ops.services.measures import Sender

T = TypeVar("T", bound=Outcome)


def once(sender: Sender, action: Action, effect: Callable[..., T], now: datetime) -> T:
    """Call the effect with `actor`, `why` and `now`, and spend the form.

    Raises NotYourRole, Invalid, AlreadySent, and what the effect raises.
    """
    roles.require(sender.staff, action)
    limits.require_reason(sender.why)
    take_effect = partial(effect, actor=sender.actor, why=sender.why, now=now)
    return forms.once(sender, take_effect, now=now)
