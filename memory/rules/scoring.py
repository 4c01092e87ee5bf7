"""How much a memory is worth keeping: the components, their weights, and the score that follows. Pure Python.

What memory/sql/scored_items.sql computes for all of a user's memories at once, this computes for one, from the inputs
that are kept with each decision: so a decision can be explained when the memories around it are long gone.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

COMPONENTS = ("relevance", "emotional", "predictive", "recency")
DECIMALS = 6
MOST_HALF_LIVES = 1_000  # 2^-1000 is still a number; a client may date a memory to 1900.


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Weights and parameters of one version. `threshold` is the score from which a short-term item is promoted."""

    version: int
    relevance: float
    emotional: float
    predictive: float
    recency: float
    threshold: float
    half_life_days: float
    use_prior: float
    """How many uses it takes until they count as much as what the text alone lets expect."""

    def parameters(self) -> dict[str, float]:
        """What memory/sql/scored_items.sql asks for."""
        return {**self.weights, "half_life_days": self.half_life_days, "use_prior": self.use_prior}

    @property
    def weights(self) -> dict[str, float]:
        return {name: float(getattr(self, name)) for name in COMPONENTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What one item's score came from, as it was when it was scored. None where there was nothing to go by.

    `rank` is the place of the item's P5 among the user's items, 0 to 1. `age_days` counts back from the user's newest
    memory. `least` and `most` are the ends of the user's recency values.
    """

    best_cosine: float | None
    emotional: float | None
    rank: float
    accesses: int
    helpful: int
    unhelpful: int
    age_days: float
    least: float
    most: float

    @classmethod
    def kept(cls, facts: Mapping[str, Any]) -> Self:
        """As a decision keeps them, beside figures that only tell more."""
        return cls(
            best_cosine=facts["cosine"],
            emotional=facts["emotional"],
            rank=facts["rank"],
            accesses=facts["access_count"],
            helpful=facts["helpful"],
            unhelpful=facts["unhelpful"],
            age_days=facts["age_days"],
            least=facts["least"],
            most=facts["most"],
        )


@dataclass(frozen=True, slots=True)
class Parts:
    """The components, 0 to 1; None where one is absent."""

    relevance: float | None
    emotional: float | None
    predictive: float
    recency: float


def parts(inputs: Inputs, profile: Profile) -> Parts:
    """The components that follow from the inputs."""
    return Parts(
        relevance=None if inputs.best_cosine is None else min(1.0, max(0.0, (inputs.best_cosine - 0.1) / 0.5)),
        emotional=inputs.emotional,
        predictive=_predictive(inputs, profile),
        recency=_scaled(_recency(inputs, profile), inputs.least, inputs.most),
    )


def score(found: Parts, profile: Profile) -> float:
    """The weighted mean over the components that are present, to six decimals."""
    values = {name: getattr(found, name) for name in COMPONENTS}
    present = {name: float(value) for name, value in values.items() if value is not None}
    weights = profile.weights
    total = sum(weights[name] for name in present)
    mean = sum(weights[name] * value for name, value in present.items()) / total
    return round(mean, DECIMALS)


def order_key(found: float, size_bytes: int) -> float:
    """What goes first has the lowest: a long memory must be worth more than a short one."""
    return found / math.sqrt(size_bytes)


def _predictive(inputs: Inputs, profile: Profile) -> float:
    """The rank, mixed with the smoothed rate of use once the item was returned or rated."""
    rated = inputs.helpful + inputs.unhelpful
    seen = inputs.accesses + rated
    if not seen:
        return inputs.rank
    # Laplace's rule: one use and one that was none, before anything was seen.
    rate = (inputs.accesses + inputs.helpful + 1.0) / (seen + 2.0)
    trust = seen / (seen + profile.use_prior)
    return (1 - trust) * inputs.rank + trust * rate


def _recency(inputs: Inputs, profile: Profile) -> float:
    return math.pow(2, -min(inputs.age_days / profile.half_life_days, MOST_HALF_LIVES)) * (
        1 + math.log(1 + inputs.accesses)
    )


def _scaled(value: float, least: float, most: float) -> float:
    """Between both ends; 1 where they are one."""
    return (value - least) / (most - least) if most > least else 1.0
