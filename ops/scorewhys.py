"""Why a memory was promoted, archived or purged, in words: the parts of its score and what each came from.

Everything is told from what the decision kept, by the formula of the profile of that time: never from the content,
which may be gone.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kimberly.lib import bytesize
from memory.models import MeditationDecision
from memory.rules import scoring
from memory.rules.meditation import Reason
from memory.rules.scoring import COMPONENTS, Inputs, Parts, Profile
from ops import words

BY_LIFE = (Reason.WORTHY, Reason.EXPIRED, Reason.NO_ROOM)


def told(decision: MeditationDecision, profile: Profile | None) -> Iterator[tuple[str, str]]:
    """Names and values: the score, what it was measured against, its parts. Of what is purged no score was asked."""
    if profile is None or decision.score is None:
        return
    inputs = Inputs.kept(decision.inputs)
    parts = scoring.parts(inputs, profile)
    yield _score(parts, profile)
    if decision.reason in BY_LIFE:
        yield "Threshold", f"{profile.threshold:g}: from there on an item is promoted"
    elif decision.reason == Reason.SOFT_LIMIT:
        yield _order(decision.score, decision.size_bytes)
    yield from _parts(parts, inputs, profile)


def planned(kept: Mapping[str, Any], *, score: float, size_bytes: int, profile: Profile) -> Iterator[tuple[str, str]]:
    """Names and values of an item of a prune plan: the score, its place in the order, its parts."""
    inputs = Inputs.kept(kept)
    parts = scoring.parts(inputs, profile)
    yield _score(parts, profile)
    yield _order(score, size_bytes)
    yield from _parts(parts, inputs, profile)


def in_short(kept: Mapping[str, Any], profile: Profile) -> str:
    """The components that are present: `relevance 0.240, predictive 0.201, recency 0.050`."""
    parts = scoring.parts(Inputs.kept(kept), profile)
    values = [(name, getattr(parts, name)) for name in COMPONENTS]
    return ", ".join(f"{name} {value:.3f}" for name, value in values if value is not None)


def _score(parts: Parts, profile: Profile) -> tuple[str, str]:
    return "Score", f"{scoring.score(parts, profile):.6f}, by scoring profile {profile.version}"


def _order(score: float, size_bytes: int) -> tuple[str, str]:
    key = scoring.order_key(score, size_bytes)
    return "Order", f"{key:.6f}, the score by the root of {bytesize.human(size_bytes)}: the lowest go first"


def _parts(parts: Parts, inputs: Inputs, profile: Profile) -> Iterator[tuple[str, str]]:
    weights = profile.weights
    yield "Relevance to goals", _part(parts.relevance, weights["relevance"], _relevance(inputs))
    yield "Emotional weight", _part(parts.emotional, weights["emotional"], _emotional(inputs))
    yield "Predictive value", _part(parts.predictive, weights["predictive"], _predictive(inputs))
    yield "Recency and frequency", _part(parts.recency, weights["recency"], _recency(inputs))


def _part(value: float | None, weight: float, came_from: str) -> str:
    return f"absent, so not counted: {came_from}" if value is None else f"{value:.3f}, weighs {weight:g}: {came_from}"


def _relevance(inputs: Inputs) -> str:
    if inputs.best_cosine is None:
        return "the user had no goal to compare it with"
    return f"the closest goal is {inputs.best_cosine:.3f} alike"


def _emotional(inputs: Inputs) -> str:
    return "nobody had said so" if inputs.emotional is None else "as a client last said"


def _predictive(inputs: Inputs) -> str:
    rank = f"it says more than {words.percent(inputs.rank)} of the user’s memories"
    if not inputs.accesses + inputs.helpful + inputs.unhelpful:
        return f"{rank}; never returned or rated"
    rated = f", rated {inputs.helpful:,} times as helpful and {inputs.unhelpful:,} times not"
    return f"{rank}; {_returned(inputs)}{rated if inputs.helpful + inputs.unhelpful else ''}"


def _recency(inputs: Inputs) -> str:
    return f"{inputs.age_days:.1f} days before the user’s newest memory, {_returned(inputs)}"


def _returned(inputs: Inputs) -> str:
    return f"returned {words.counted(inputs.accesses, 'time')}"
