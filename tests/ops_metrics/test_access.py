"""Who may read /metrics: whoever has the token, and whoever asks from an allowed network where that says something."""

import dataclasses
import os
from ipaddress import ip_network

import pytest

from ops.views.metrics import may_scrape
from tests.personas import issue_key
from tests.web import WebServer

TOKEN = os.environ["KIMBERLY_METRICS_TOKEN"]


@pytest.fixture
def allowed(settings):
    """Set what is allowed: networks, how many proxies stand in front, and the token."""

    def allow(*networks, proxies=0, token=TOKEN):
        settings.KIMBERLY = dataclasses.replace(
            settings.KIMBERLY,
            metrics_allow=tuple(ip_network(network) for network in networks),
            trusted_proxies=proxies,
            metrics_token=token,
        )

    return allow


def asks(rf, peer, authorization="", **headers):
    given = {"HTTP_AUTHORIZATION": authorization} if authorization else {}
    return may_scrape(rf.get("/metrics", REMOTE_ADDR=peer, **given, **headers))


@pytest.mark.parametrize(
    ("peer", "may"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.20.30.40", True),
        ("::ffff:10.20.30.40", True),
        ("fe80::1%eth0", True),
        ("11.0.0.1", False),
        ("::2", False),
        ("::ffff:11.0.0.1", False),
        ("", False),
        ("unix:", False),
        ("localhost", False),
    ],
)
def test_a_network_opens_it(rf, allowed, peer, may):
    allowed("127.0.0.0/8", "::1/128", "10.0.0.0/8", "fe80::/10")

    assert asks(rf, peer) is may


@pytest.mark.parametrize(
    ("authorization", "may"),
    [
        ("Bearer {token}", True),
        ("bearer {token}", True),
        ("Bearer {token}x", False),
        ("Bearer {token:.10}", False),
        ("Bearer ", False),
        ("Basic {token}", False),
        ("Bearer \N{SNOWMAN}", False),
        ("", False),
    ],
)
def test_the_token_opens_it_from_anywhere(rf, allowed, authorization, may):
    allowed("10.0.0.0/8")

    assert asks(rf, "192.0.2.1", authorization.format(token=TOKEN)) is may


def test_a_wrong_token_is_refused_from_an_allowed_network_too(rf, allowed):
    allowed("10.0.0.0/8")

    assert not asks(rf, "10.0.0.1", "Bearer wrong")


def test_without_a_token_no_bearer_opens_it(rf, allowed):
    allowed("10.0.0.0/8", token="")

    assert not asks(rf, "192.0.2.1", "Bearer ")
    assert not asks(rf, "192.0.2.1", "Bearer x")


def test_behind_a_proxy_only_the_token_counts(rf, allowed):
    allowed("127.0.0.0/8", "10.0.0.0/8", proxies=1)

    assert not asks(rf, "127.0.0.1")
    assert not asks(rf, "127.0.0.1", HTTP_X_FORWARDED_FOR="10.0.0.1")
    assert asks(rf, "127.0.0.1", f"Bearer {TOKEN}")


@pytest.mark.slow
def test_over_http_it_is_closed_to_everybody_else(committed_db):
    environment = {"KIMBERLY_METRICS_ALLOW": "10.0.0.0/8"}
    with WebServer(workers=1, environment=environment) as web, web.client() as nobody, web.client(TOKEN) as prometheus:
        with web.client(issue_key()) as client:
            refused = [nobody.get("/metrics"), client.get("/metrics")]
        opened = prometheus.get("/metrics")

    assert [answer.status_code for answer in refused] == [403, 403]
    assert all("kimberly_" not in answer.text for answer in refused)
    assert opened.status_code == 200
    assert opened.headers["Content-Type"].startswith("text/plain; version=0.0.4")
