"""Proving anew who one is, before what destroys: asked at the page itself, so that nothing that was typed is lost."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from kimberly.lib import clock
from ops.services import lockouts, secondfactors, signing
from ops.services.lockouts import Step, Tries
from ops.views.signinforms import ProofForm

LOOKING, SENDING = "looking", "sending"
OURS = ("csrfmiddlewaretoken", "proving")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page that asks shows. `carried` are the fields of the form that waits."""

    form: ProofForm
    tries: Tries | None
    proving: str
    carried: list[tuple[str, str]]

    @property
    def status(self) -> int:
        if self.tries and self.tries.locked_until:
            return 429
        return 403 if self.proving == SENDING else 200


def ask(request: HttpRequest) -> Asked | HttpResponse | None:
    """What stands between the person and this page: a question, a way back to it once answered, or nothing."""
    now = clock.utc_now()
    if signing.is_fresh(request, now=now):
        return None
    proving = request.POST.get("proving", "")
    asks_for_code = secondfactors.is_on(request.user)
    form = ProofForm(request.POST if proving else None, asks_for_code=asks_for_code)
    if proving and form.is_valid():
        given = form.cleaned_data
        if signing.prove(request, password=given["password"], code=given.get("code", ""), now=now):
            return redirect(request.get_full_path()) if proving == LOOKING else None
    kind = proving or (SENDING if request.method == "POST" else LOOKING)
    return Asked(form, _tries(request, asked=bool(proving), now=now), kind, _carried(request, form))


def _tries(request: HttpRequest, *, asked: bool, now: datetime) -> Tries | None:
    username = request.user.get_username()
    counted = [lockouts.tries(request, step, username) for step in Step]
    locked = [tries for tries in counted if tries.locked_until and tries.locked_until > now]
    fewest = min(counted, key=lambda tries: tries.left)
    return (locked[0] if locked else fewest) if locked or asked else None


def _carried(request: HttpRequest, form: ProofForm) -> list[tuple[str, str]]:
    own = {*OURS, *(form.add_prefix(name) for name in form.fields)}
    return [(name, value) for name, values in request.POST.lists() if name not in own for value in values]
