"""GET /metrics, for Prometheus: by token, or from an allowed network."""

import secrets
from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from ops import exporter


@require_safe
def scrape(request: HttpRequest) -> HttpResponse:
    if not may_scrape(request):
        said = "Send the metrics token as a bearer, or ask from an allowed network.\n"
        return HttpResponse(said, status=403, content_type="text/plain")
    return HttpResponse(exporter.exposition(), content_type=exporter.CONTENT_TYPE)


def may_scrape(request: HttpRequest) -> bool:
    """By bearer token (needs no database), or from a network of KIMBERLY_METRICS_ALLOW.

    Behind trusted proxies the peer is the proxy, so that a network says nothing about who asks: only the token counts.
    """
    config = settings.KIMBERLY
    scheme, _, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if config.metrics_token and scheme.lower() == "bearer":
        return secrets.compare_digest(given.encode(), config.metrics_token.encode())
    if config.trusted_proxies:
        return False
    peer = _peer(request.META.get("REMOTE_ADDR", ""))
    return peer is not None and any(peer in network for network in config.metrics_allow)


def _peer(text: str) -> IPv4Address | IPv6Address | None:
    """The address without its zone; an IPv4 peer of a socket that takes both kinds is an IPv4 address."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
