"""The state that every measurement begins in, whatever was measured before it."""

from tests import plugin


def settle() -> None:
    """What the server does by itself in the hours after a load: clean up, count anew, and write down what changed.

    After a checkpoint each page is written whole to the log when it is first changed. Measurements of which some begin
    there and others do not cannot be compared.
    """
    with plugin.postgres().connect() as raw:
        raw.execute("VACUUM (ANALYZE)")
        raw.execute("CHECKPOINT")
