"""No password, key or token stands in the repository."""

import math
import re
from collections import Counter

import pytest

from tests.house.sources import files, text_of

pytestmark = pytest.mark.promise("D4")

KNOWN = {
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "key of this service": r"\bkmb_[0-9a-f]{8}_[A-Za-z0-9_-]{40,}",
    "AWS key": r"\bAKIA[0-9A-Z]{16}\b",
    "GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36}",
    "Slack token": r"\bxox[abprs]-[0-9A-Za-z-]{10,}",
    "JSON web token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}",
    "age identity": r"AGE-SECRET-KEY-1[0-9A-Z]{20,}",
    "password in a URL": r"\b(?:postgres(?:ql)?|rediss?|https?|amqp)://[^\s/:@'\"{<]+:[^\s/@'\"{<$]{6,}@",
}
TOKEN = re.compile(r"[A-Za-z0-9_+-]{32,}")
LEAST_BITS = 4.4  # a character: random base64 has about 5, words and hexadecimal hashes less than 4.2
BINARY = {".png", ".jpg", ".ico", ".woff2", ".gz", ".webp"}
# Read and found harmless.
HARMLESS = {
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN",  # the type checker's secret key
}


def looks_random(token):
    counts = Counter(token)
    bits = -sum(n / len(token) * math.log2(n / len(token)) for n in counts.values())
    kinds = [re.search(kind, token) is not None for kind in ("[a-z]", "[A-Z]", "[0-9]")]
    return bits >= LEAST_BITS and all(kinds)


def findings(text):
    for what, pattern in KNOWN.items():
        yield from (f"{what}: {found[:24]}…" for found in re.findall(pattern, text))
    for token in set(TOKEN.findall(text)) - HARMLESS:
        if looks_random(token):
            yield f"looks random: {token[:12]}…"


def test_no_file_holds_a_secret():
    found = {
        str(path): list(findings(text_of(path)))
        for path in files()
        if path.suffix not in BINARY and not path.name.startswith("requirements")
    }

    assert {path: what for path, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "secret",
    [
        "kmb_" + "0a1b2c3d_" + "Zx9" * 15,
        "postgresql://app:" + "correcthorse@db/kimberly",
        "-----BEGIN " + "PRIVATE KEY-----",
        "k7Qz2mXw9Rt4Yv8" + "Lp3Ns6Hd1Jf5Gb0Ca",
    ],
)
def test_a_secret_would_be_found(secret):
    assert list(findings(f"value = {secret!r}")) != []
