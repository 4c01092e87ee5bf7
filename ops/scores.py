"""Scores as pages show them: what each part adds, so that the parts can be seen to make up the sum. Pure Python."""

from dataclasses import dataclass

from memory.queries.retrieval import Components
from memory.rules.retrieval import Weights

SHOWN_DECIMALS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a score: its value from 0 to 1, None where the item has none, times its weight."""

    name: str
    value: float | None
    weight: float
    adds: float
    """To three decimals. The parts' figures add up to the score's: each is the difference of two rounded sums."""
    starts_percent: float
    adds_percent: float
    weight_percent: float
    """On a bar as long as all weights together: where this part begins, how far it goes, how far it could go."""


def parts_of(components: Components, weights: Weights) -> list[Part]:
    """The parts that weigh anything, in the order in which they are added up."""
    most = weights.semantic + weights.own_words + weights.context + weights.freshness
    parts, before = [], 0.0
    for name, value, weight in _terms(components, weights):
        if not weight:
            continue
        after = before + weight * (value or 0.0)
        parts.append(
            Part(
                name=name,
                value=value,
                weight=weight,
                adds=round(rounded(after) - rounded(before), SHOWN_DECIMALS),
                starts_percent=_percent(before, most),
                adds_percent=_percent(after - before, most),
                weight_percent=_percent(weight, most),
            )
        )
        before = after
    return parts


def rounded(score: float) -> float:
    """A score as it is shown."""
    return round(score, SHOWN_DECIMALS)


def _terms(components: Components, weights: Weights) -> list[tuple[str, float | None, float]]:
    is_spelling = components.spelling is not None
    return [
        ("Meaning", components.semantic, weights.semantic),
        (
            "Spelling" if is_spelling else "Own words",
            components.spelling if is_spelling else components.own_words,
            weights.own_words,
        ),
        ("Context", components.context, weights.context),
        ("Freshness", components.freshness, weights.freshness),
    ]


def _percent(value: float, most: float) -> float:
    return round(value / most * 100, 2)
