"""How Kimberly is run: the portal, its actions, and the jobs that look after the service."""
