"""What staff decides of a run of the meditation: go on, abort, retry, undo all of it, or what it did to one user."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from kimberly.audit.models import AuditEntry
from kimberly.lib import clock, ids
from memory import tasks
from memory.models import MeditationUndo
from memory.rules.meditation import UNFINISHED, RunState, UndoState
from memory.services import meditationbrakes
from memory.services.limits import REASON_CHARACTERS
from memory.services.meditationundo import Undone
from ops import nights, roles, words
from ops.queries import meditations, runacts, undoable
from ops.queries.meditations import RunRow
from ops.queries.names import Names
from ops.queries.runacts import UndoRow
from ops.queries.undoable import Undoable
from ops.roles import Action
from ops.services import meditations as deciding
from ops.services.forms import Outcome
from ops.services.measures import Sender
from ops.views import actions, meditating, pages
from ops.views.actions import Offer, get_or_post
from ops.views.forms import ReasonedForm
from ops.views.itemforms import ConfirmedRunForm, UndoForm, ids_in
from ops.views.meditating import Change, RunOffer

STATES = {state: str(state) for state in RunState}


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoDecisionsOffer(Offer):
    """The undo of what a run decided of one user, with what it would do."""

    row: RunRow
    preview: Undoable | None = None
    item_ids: tuple[str, ...] = ()


def on(row: RunRow, undo: UndoRow | None, *, staff: Any) -> list[Offer]:
    """What can be decided of the run as it is, by whom; each has a page of its own."""
    state = RunState(row.run.state)
    if undo is not None and undo.is_running:
        return [_stop_offer(undo.undo, row, staff)]
    fit: list[Callable[..., Offer]] = []
    if state is RunState.HELD:
        fit.append(_approve_offer)
    if state in UNFINISHED:
        fit.append(_abort_offer)
    if state is RunState.FAILED:
        fit.append(_retry_offer)
    is_undone = undo is not None and undo.undo.state == UndoState.ENDED and not undo.refused
    if state not in UNFINISHED and row.progress.archived + row.progress.promoted and not is_undone:
        fit.append(_undo_offer)
    return [offer(row, staff) for offer in fit]


@get_or_post
def approve(request: HttpRequest, run: str) -> HttpResponse:
    """Let a held run go on."""
    row = _row_or_404(run)
    form = ConfirmedRunForm(actions.sent(request), name="approve", run=row.run.public_id)

    def act(sender: Sender) -> AuditEntry:
        return meditating.and_send(lambda: deciding.approve(sender, row.run.pk, now=row.now))

    return _answer(request, row, _approve_offer(row, request.user, form), act)


@get_or_post
def abort(request: HttpRequest, run: str) -> HttpResponse:
    """End a run that is not finished."""
    row = _row_or_404(run)
    form = ReasonedForm(actions.sent(request), name="abort")

    def act(sender: Sender) -> AuditEntry:
        return deciding.abort(sender, row.run.pk, now=row.now)

    return _answer(request, row, _abort_offer(row, request.user, form), act)


@get_or_post
def retry(request: HttpRequest, run: str) -> HttpResponse:
    """Do the failed shards of a run once more."""
    row = _row_or_404(run)
    form = ReasonedForm(actions.sent(request), name="retry")

    def act(sender: Sender) -> AuditEntry:
        return meditating.and_send(lambda: deciding.retry(sender, row.run.pk, now=row.now))

    return _answer(request, row, _retry_offer(row, request.user, form), act)


@get_or_post
def undo(request: HttpRequest, run: str) -> HttpResponse:
    """Undo all that a run decided, user by user, in the background."""
    row = _row_or_404(run)
    form = ConfirmedRunForm(actions.sent(request), name="undo", run=row.run.public_id)

    def act(sender: Sender) -> MeditationUndo:
        begin = partial(deciding.undo_run, sender, row.run.pk, now=row.now)
        return meditating.and_send(begin, send=tasks.send_for_undo)

    return _answer(request, row, _undo_offer(row, request.user, form), act, tab="undo")


@get_or_post
def stop_undo(request: HttpRequest, undo: UUID) -> HttpResponse:
    """Let the undo of a run reach no more users."""
    found = runacts.undo_with(undo)
    if found is None:
        raise Http404
    row = _row_or_404(ids.encode(ids.Prefix.RUN, found.run_id))
    form = ReasonedForm(actions.sent(request), name="stop")

    def act(sender: Sender) -> AuditEntry:
        return deciding.stop_undo(sender, found.pk, now=row.now)

    return _answer(request, row, _stop_offer(found, row, request.user, form), act, tab="undo")


@get_or_post
def undo_decisions(request: HttpRequest, run: str, user: str) -> HttpResponse:
    """Undo what a run decided of one user: of the items that `item` in the address names, or of all."""
    row, profile = _row_or_404(run), actions.profile_or_404(user)
    data = actions.sent(request)
    named = (data or request.GET).getlist("item")
    item_ids = ids_in(named)
    if len(item_ids) != len(named):  # without one of them it would be about other items, or about all
        raise Http404
    form = UndoForm(data, name="undo")
    form.fields["reason"].required = True
    form.fields["reason"].label = "Reason"
    form.fields["reason"].help_text = f"At least {REASON_CHARACTERS} characters. The next reader sees it."

    def act(sender: Sender) -> Undone:
        return deciding.undo_decisions(sender, row.run.pk, user_id=profile.user.pk, item_ids=item_ids, now=row.now)

    preview = undoable.preview(row.run.pk, user_id=profile.user.pk, item_ids=item_ids, tiers=profile.tiers, now=row.now)
    offer = UndoDecisionsOffer(
        action=roles.UNDO_DECISIONS,
        url=reverse("ops:undo-decisions", args=[row.run.public_id, profile.user.public_id]),
        form=form,
        why_not=actions.refused_to(request.user, roles.UNDO_DECISIONS) or _against(preview),
        row=row,
        preview=preview,
        item_ids=tuple(ids.encode(ids.Prefix.ITEM, item_id) for item_id in item_ids),
        change=preview.change,
        tab="history",
    )
    return actions.answer(request, profile, offer, act, "undo_decisions_form")


def _against(preview: Undoable) -> str:
    if not preview.items:
        left = f": {preview.left_out}" if preview.left_out else ": it decided nothing of this user that stands"
        return f"There is nothing to undo{left}."
    if preview.shortage is not None:
        return f"{preview.shortage.detail} What would help: {' '.join(preview.shortage.remedies())}"
    return ""


def _approve_offer(row: RunRow, staff: Any, form: ReasonedForm | None = None) -> RunOffer:
    form = form or ConfirmedRunForm(name="approve", run=row.run.public_id)
    warning = (
        "No brake holds it from then on but each user’s daily cap. What it archives can come back until its grace ends."
    )
    return _offer(row, roles.APPROVE, form, (RunState.HELD,), staff, change=tuple(_approved(row)), warning=warning)


def _approved(row: RunRow) -> Iterator[Change]:
    of = row.progress
    yield "State", f"held for {words.span(row.now - (row.run.held_at or row.now))}", "running"
    yield "Users done", f"{of.users_done:,} of {of.users:,}", f"all {of.users:,}"
    share, usual = nights.archived_share(row), meditationbrakes.usual(before=row.run)
    yield "Archived", f"{words.counted(of.archived, 'item')}, {share:.1%} of those scored", "more"
    usually = f"usually {usual.share:.1%} of those scored" if usual.scored else "nothing to compare it with"
    yield "Held by", nights.held_by(row.run), usually


def _abort_offer(row: RunRow, staff: Any, form: ReasonedForm | None = None) -> RunOffer:
    of = row.progress
    change = (
        ("State", STATES[RunState(row.run.state)], "aborted"),
        ("Users done", f"{of.users_done:,} of {of.users:,}", f"{of.users_done:,}: what was done of them stays done"),
        ("The next night", "is skipped while this run is unfinished", "begins as ever"),
    )
    warning = (
        "A shard that is being done now is rolled back. An aborted run does not go on; begin another one for that."
    )
    form = form or ReasonedForm(name="abort")
    return _offer(row, roles.ABORT, form, UNFINISHED, staff, change=change, warning=warning)


def _retry_offer(row: RunRow, staff: Any, form: ReasonedForm | None = None) -> RunOffer:
    of = row.progress
    change = (
        ("State", "failed", "running"),
        ("Failed shards", f"{of.shards_failed:,} of {of.shards:,}", "done again, each up to three times"),
        ("Shards that are done", f"{of.shards_done:,}", "stay as they are"),
    )
    form = form or ReasonedForm(name="retry")
    return _offer(row, roles.RETRY, form, (RunState.FAILED,), staff, change=change)


def _undo_offer(row: RunRow, staff: Any, form: ReasonedForm | None = None) -> RunOffer:
    ended = tuple(state for state in RunState if state not in UNFINISHED)
    change: tuple[Change, ...] = ()
    why_not = ""
    if form is not None:
        stands = runacts.standing(row.run.pk)
        change = (
            ("Users", f"{stands.users:,} as the run left them", "as they were before it"),
            ("Items", f"{words.counted(stands.items, 'item')}, of them {stands.promoted:,} promoted", "back"),
        )
        why_not = "" if stands.users else "There is nothing to undo: nothing that it decided stands."
    form = form or ConfirmedRunForm(name="undo", run=row.run.public_id)
    warning = (
        "Each user comes back as a whole or not at all, one after the other; whom there is no room for is listed. "
        "What changed since, or is past its grace, stays as it is. Short-term items live another 24 h, and the next "
        "meditation looks at all of it anew: change the weights or limits, or protect what must stay, before it."
    )
    return _offer(row, roles.UNDO_RUN, form, ended, staff, change=change, warning=warning, why_not=why_not)


def _stop_offer(undo: MeditationUndo, row: RunRow, staff: Any, form: ReasonedForm | None = None) -> RunOffer:
    is_over = undo.state != UndoState.RUNNING
    return RunOffer(
        action=roles.STOP_UNDO,
        url=reverse("ops:stop-undo", args=[undo.pk]),
        form=form or ReasonedForm(name="stop"),
        why_not=actions.refused_to(staff, roles.STOP_UNDO)
        or ("There is nothing to stop: it is over." if is_over else ""),
        change=(("Undo", "under way", "stopped; who is undone stays so, and a new undo goes on with the others"),),
        row=row,
        home=_home(row),
    )


def _offer(
    row: RunRow,
    action: Action,
    form: ReasonedForm,
    states: tuple[RunState, ...],
    staff: Any,
    *,
    change: tuple[Change, ...] = (),
    warning: str = "",
    why_not: str = "",
) -> RunOffer:
    url = reverse(f"ops:{action.name}", args=[row.run.public_id])
    over = "" if row.run.state in states else f"The run is {row.run.state}, so this cannot be decided of it."
    refused = actions.refused_to(staff, action) or over or why_not
    return RunOffer(action, url, form, refused, home=_home(row), change=change, row=row, warning=warning)


def _answer(
    request: HttpRequest, row: RunRow, offer: RunOffer, act: Callable[[Sender], Outcome], *, tab: str = "history"
) -> HttpResponse:
    title = f"{offer.action.label}: {nights.name(row)}"
    after = f"{offer.home}?tab={tab}&done="
    return meditating.answer(request, offer, act, title=title, after=lambda done: after + done)


def _home(row: RunRow) -> str:
    return reverse("ops:meditation-run", args=[row.run.public_id])


def _row_or_404(run: str) -> RunRow:
    row = meditations.one(pages.id_or_404(ids.Prefix.RUN, run), names=Names(), now=clock.utc_now())
    if row is None:
        raise Http404
    return row
