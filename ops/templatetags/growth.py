"""Tags of the pages that tell how tiers grow: when they are full, how fast they fill, what a history looks like."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from memory.queries.usage import TierUsage
from memory.rules.forecast import Forecast
from memory.rules.tiers import Tier
from ops import words
from ops.badges import NEARLY_FULL
from ops.charts import Chart, Lines
from ops.queries.burst import Filler
from ops.queries.growth import Growth

register = template.Library()


@register.inclusion_tag("portal/usage.html")
def filler_usage(filler: Filler, tier: Tier) -> dict[str, Any]:
    """The same bar in the list of who fills a tier."""
    limit_bytes = filler.limit.hard_bytes
    most = max(limit_bytes, filler.used_bytes)
    return {
        "tier": {"active_bytes": filler.used_bytes, "limit_bytes": limit_bytes, "tier": tier},
        "percent": words.percent(filler.share),
        "most": most,
        "high": round(limit_bytes * NEARLY_FULL),
        "low": min(filler.soft_bytes, round(limit_bytes * NEARLY_FULL)),
        "tick": f"{min(100.0, filler.soft_bytes / most * 100):.1f}",
    }


@register.filter
def percent(share: float) -> str:
    """`37 %`."""
    return words.percent(share)


@register.filter
def portion(share: float) -> str:
    """A part of a whole that many share: `37.9 %`."""
    return f"{share * 100:.1f} %"


@register.inclusion_tag("ops/parts/outlook.html", takes_context=True)
def outlook(context: Mapping[str, Any], growth: Mapping[Tier, Growth], tier: TierUsage) -> dict[str, Any]:
    """How fast a tier grows and when it is full, beside its bar."""
    grown = growth[tier.tier]
    slopes = [slope for slope in (grown.day, grown.week) if slope is not None]
    told = [(words.pace(slope.bytes_per_hour), words.span(slope.over)) for slope in slopes]
    return {"slopes": list(dict.fromkeys(told)), "forecast": grown.forecast, "now": context["now"]}


@register.simple_tag(takes_context=True)
def full(context: Mapping[str, Any], forecast: Forecast) -> SafeString:
    """When a tier is full: `full in 9 h`, with the exact time on hover."""
    text = words.outlook(forecast, context["now"])
    if forecast.full_at is None:
        return format_html("{}", text)
    at = forecast.full_at
    return format_html('<time datetime="{}" title="{}">{}</time>', f"{at:%Y-%m-%dT%H:%M:%SZ}", words.exact(at), text)


@register.simple_tag
def place(percent: float) -> str:
    """A place in a picture, in percent of it."""
    return f"{percent:.2f}"


@register.simple_tag
def level(chart: Chart | Lines, used_bytes: int) -> str:
    """How far down so many bytes stand in the chart."""
    return f"{chart.frame.y(used_bytes):.2f}"


@register.filter
def span(length: timedelta) -> str:
    """`5 h`."""
    return words.span(length)


@register.filter
def pace(bytes_per_hour: float) -> str:
    """`+154 KiB/h`."""
    return words.pace(bytes_per_hour)
