"""The recipe of the score in plain Python, over one user's memories: what the statement is held against."""

import math
import re
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, replace

from memory.rules import scoring
from memory.rules.scoring import Inputs

NAME_INSIDE = re.compile(r"""[a-z0-9,;:"'] +[A-Z][a-z]""")
FIRST_PERSON = re.compile(r"\b(i|me|my|mine|myself|we|us|our|ours)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Memory:
    """What the recipe reads of one item."""

    key: object
    content: str
    lexemes: frozenset[str]
    age_days: float
    accesses: int
    cosine: float | None
    emotional: float | None
    helpful: int
    unhelpful: int


def scores(memories, profile):
    """Each memory's components and score."""
    found = inputs_of(memories, profile)
    return {key: scoring.score(scoring.parts(one, profile), profile) for key, one in found.items()}


def inputs_of(memories, profile):
    rare = rarity(memories)
    places = ranks(expected(memories, rare))
    raw = {one.key: _raw(one, places[one.key]) for one in memories}
    recency = {key: _recency(one, profile) for key, one in raw.items()}
    least, most = min(recency.values()), max(recency.values())
    return {key: replace(one, least=least, most=most) for key, one in raw.items()}


def rarity(memories):
    number = len(memories)
    counts = Counter(lexeme for one in memories for lexeme in one.lexemes)
    return {lexeme: math.log(1 + (number - df + 0.5) / (df + 0.5)) for lexeme, df in counts.items()}


def top3(memory, rare):
    best = sorted((rare[lexeme] for lexeme in memory.lexemes), reverse=True)[:3]
    return sum(best) / len(best) if best else -math.inf


def idf_sum(memory, rare):
    return math.fsum(rare[lexeme] for lexeme in memory.lexemes) if memory.lexemes else -math.inf


def expected(memories, rare):
    """P5 of each, without its sigmoid."""
    third = ranks({one.key: round(top3(one, rare), 9) for one in memories})
    summed = ranks({one.key: round(idf_sum(one, rare), 9) for one in memories})
    names = ranks({one.key: len(NAME_INSIDE.findall(one.content)) for one in memories})
    return {
        one.key: round(_p5(one, third[one.key], summed[one.key], names[one.key]), 9) if one.lexemes else -math.inf
        for one in memories
    }


def _p5(memory, third, summed, names):
    first = bool(FIRST_PERSON.search(memory.content))
    question, digit = "?" in memory.content, any(sign in "0123456789" for sign in memory.content)
    return 2.34 * third + 1.16 * summed + 0.34 * names + 0.93 * first - 0.5 * question + 0.5 * digit


def ranks(values):
    """How many are below, of all others; a half for one that is alone."""
    if len(values) == 1:
        return dict.fromkeys(values, 0.5)
    ordered = sorted(values.values())
    return {key: bisect_left(ordered, value) / (len(ordered) - 1) for key, value in values.items()}


def _raw(one, rank):
    return Inputs(
        best_cosine=one.cosine,
        emotional=one.emotional,
        rank=rank,
        accesses=one.accesses,
        helpful=one.helpful,
        unhelpful=one.unhelpful,
        age_days=one.age_days,
        least=0,
        most=0,
    )


def _recency(one, profile):
    return 2 ** -min(one.age_days / profile.half_life_days, 1_000) * (1 + math.log(1 + one.accesses))
