"""The append-only trail: who did what to whom, sealed each minute into a chain that shows every later change."""
