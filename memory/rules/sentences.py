"""What was decided of a memory, and what its score came from, in plain words. No content: figures and reasons only."""

from collections.abc import Mapping
from datetime import datetime

from kimberly.lib import bytesize, clock
from memory.rules.meditation import Act, Reason
from memory.rules.scoring import COMPONENTS, Parts, Profile, order_key

ACTS: Mapping[Act, str] = {
    Act.PROMOTED: "Moved to long-term",
    Act.ARCHIVED: "Archived",
    Act.PURGED: "Erased for good",
}
WHY: Mapping[Reason, str] = {
    Reason.WORTHY: "its life was over, and its score {score} reached the threshold {threshold}",
    Reason.EXPIRED: "its life was over, and its score {score} was below the threshold {threshold}",
    Reason.NO_ROOM: "its life was over; its score {score} reached the threshold {threshold}, but long-term "
    "had no room for its {size}",
    Reason.SOFT_LIMIT: "{tier} was above its soft limit, and of what may be archived there score / √bytes was among "
    "the lowest: {score} / √{size_bytes:,} = {order_key}",
    Reason.PLAN: "somebody applied a prune plan, and of what may go score / √bytes was among the lowest: {score} / "
    "√{size_bytes:,} = {order_key}",
    Reason.GRACE: "it had lain in the archive for as long as was promised. No score is asked for that",
}
ABOUT = {
    "relevance": "relevance to the user's goals",
    "emotional": "emotional weight",
    "predictive": "predictive value",
    "recency": "recency",
}


def decision(
    act: Act,
    reason: Reason,
    *,
    tier: str,
    size_bytes: int,
    score: float | None,
    order_key: float | None,
    threshold: float | None,
    decided_at: datetime,
    undone_at: datetime | None,
) -> str:
    """What was done to the item, when and why, and whether it was undone."""
    why = WHY[reason].format(
        tier=tier,
        score=figure(score),
        threshold="of its profile" if threshold is None else f"{threshold:g}",
        size=bytesize.human(size_bytes),
        size_bytes=size_bytes,
        order_key=figure(order_key),
    )
    undone = f" It was undone on {day_and_time(undone_at)}." if undone_at else ""
    return f"{ACTS[act]} on {day_and_time(decided_at)}: {why}.{undone}"


def planned(position: int, *, tier: str, size_bytes: int, score: float) -> str:
    """Why an item is on a plan's list, at this place."""
    key = figure(order_key(score, size_bytes))
    return (
        f"Number {position:,} of what may go, the least worth keeping first: in {tier} its score / √bytes is "
        f"{figure(score)} / √{size_bytes:,} = {key}."
    )


def score(value: float, parts: Parts, profile: Profile) -> str:
    """The score as the weighted mean of the components that are present, and which are absent."""
    values = {name: getattr(parts, name) for name in COMPONENTS}
    present = [name for name in COMPONENTS if values[name] is not None]
    terms = " + ".join(f"{profile.weights[name]:g} × {figure(values[name])} {ABOUT[name]}" for name in present)
    total = sum(profile.weights[name] for name in present)
    absent = [ABOUT[name] for name in COMPONENTS if values[name] is None]
    missing = f" Nothing to go by for {' and '.join(absent)}: left out, not counted as 0." if absent else ""
    return f"Score {figure(value)} by profile {profile.version}: ({terms}) / {total:g}.{missing}"


def figure(value: float | None) -> str:
    """Six decimals, as scores are kept; `unknown` where there is none."""
    return "unknown" if value is None else f"{value:.6f}"


def day_and_time(at: datetime) -> str:
    return f"{clock.as_read(at):%Y-%m-%d %H:%M} {clock.zone_name(at)}"
