"""The demo's people: made up from a seed and the time, then made through the services."""
