"""How many threads a web process may have, and what for (docs/adr/0005). Threads are started as they are needed."""

MOST = 128
MOST_WAITING_FOR_BODIES = 96
"""The others are kept for calls that have no body, so that reading goes on whatever the writers do."""
