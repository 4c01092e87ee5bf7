"""Single values that must be refused: times, ids, query parameters."""

BAD_TIMES = (
    "",
    "yesterday",
    "2026-11-17",
    "2026-11-17T03:12:04",
    "2026-11-17T03:12:04 Z Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "1899-12-31T23:59:59Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
    "10000-01-01T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-11-17T24:00:01Z",
    "2026-11-17T03:12:04+24:00",
    "2026-11-17T03:12:04+99:99",
    "-2026-11-17T03:12:04Z",
    "1700000000",
    "1700000000000",
    "1e9",
    "P1D",
    "٢٠٢٦-11-17T03:12:04Z",
)
BAD_USER_IDS = (
    *("", " ", ".", "..", "a/b", "a\\b", " a", "a ", "a\tb", "a\nb", "\x7f", "x" * 129),
    *("\x1b[31m", "\u0085", "a\u009bb"),
)
BAD_ITEM_IDS = (
    *("x", "mem_", "mem", "mem_0199a3c27d1e7b6c8f21d3a4b5c6d7e", "mem_0199a3c27d1e7b6c8f21d3a4b5c6d7e8a"),
    *(
        "usr_0199a3c27d1e7b6c8f21d3a4b5c6d7e8",
        "mem_0199A3C27D1E7B6C8F21D3A4B5C6D7E8",
        "MEM_0199a3c27d1e7b6c8f21d3a4b5c6d7e8",
    ),
    *(
        "mem__0199a3c27d1e7b6c8f21d3a4b5c6d7e",
        "0",
        "-1",
        "null",
        "undefined",
        "NaN",
        "1e3",
        "%00",
        "%0d%0a",
    ),
    *(
        "mem_%00199a3c27d1e7b6c8f21d3a4b5c6d7e8",
        "é",
        "\u0660" * 32,
        "{0199a3c2-7d1e-7b6c-8f21-d3a4b5c6d7e8}",
        "' OR 1=1 --",
        "x" * 4_000,
    ),
    *("0199a3c2-7d1e-7b6c-8f21-d3a4b5c6d7e", "urn:uuid:0199a3c2-7d1e-7b6c-8f21-d3a4b5c6d7e8", "*", "%2e%2e", "a%2fb"),
)
BAD_QUERIES: tuple[tuple[str, str], ...] = (
    *(("page", value) for value in ("0", "-1", "101", "1e3", "1.5", "x", "", "9" * 30, str(1 << 63), "NaN", "٣")),
    *(("per_page", value) for value in ("0", "-1", "101", "1e9", "x", "", str(1 << 63), str(1 << 64), "9" * 400)),
    *(
        ("cursor", value)
        for value in ("x", "====", "e30", "bnVsbA", "W10", "WzEsMiwzXQ", "%00", "é", "x" * 301, "x" * 5_000)
    ),
    *(("type", value) for value in ("", "short", "LONG-TERM", "all", "long-term,permanent", "\x00")),
    *(("state", value) for value in ("", "purged", "Active", "*")),
    *(
        ("sort", value)
        for value in ("", "id", "-id", "content", "created_at,id", "--created_at", "created_at; DROP TABLE plan")
    ),
    *(("since", value) for value in (*BAD_TIMES[:5], "2026-11-17T03:12:04+99:99", "1700000000")),
    *(("until", value) for value in ("", "now", "2026-11-17", "1e9")),
    *(("q", value) for value in ("", "x" * 501, "a\x00b", "\x00")),
    *(("tag", value) for value in ("", "x" * 501, "\x00")),
    *(("user_id", value) for value in ("", ".", "a/b", "x" * 129)),
    *(("Page", "1"), ("limit", "10"), ("offset", "5"), ("user_id[]", "x"), ("", "x"), ("é", "x"), ("a" * 3_000, "1")),
)
