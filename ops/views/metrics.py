"""GET /metrics, for Prometheus: by token, or from an allowed network."""

import secrets
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from ops import exporter


@require_safe
def scrape(request: HttpRequest) -> HttpResponse:
    if not may_scrape(request):
        return HttpResponse("Send the metrics token as a bearer, or ask from an allowed network.\n", status=403, content_type="text/plain")
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
    try:
        peer = ip_address(request.META.get("REMOTE_ADDR", "").rpartition("%")[0] or request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(peer in network for network in config.metrics_allow)
