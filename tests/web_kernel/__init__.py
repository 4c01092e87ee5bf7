"""The kernel below the API: the strict parser, pages, tags, repeated calls."""
