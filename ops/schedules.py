"""What runs when: one table of crontabs, in UTC. docs/schedules.md is made from it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Schedule:
    """One job. The crontab is minute, hour, day of month, month, day of week."""

    name: str
    task: str
    queue: str
    crontab: str
    about: str


ALL = (
    Schedule("audit-seal", "audit.seal", "default", "* * * * *", "Seal the audit entries of the last minute."),
    Schedule(
        "embed-late",
        "memory.embed_late",
        "maintenance",
        "* * * * *",
        "Embed what the current model has not seen yet.",
    ),
    Schedule("meditation-nightly", "memory.meditate_nightly", "maintenance", "0 2 * * *", "Meditate on all customers."),
    Schedule(
        "meditation-watch",
        "memory.watch_meditations",
        "maintenance",
        "* * * * *",
        "Take up what a killed worker or a lost message left of a meditation.",
    ),
    Schedule("usage-sample", "memory.sample_usage", "maintenance", "0 * * * *", "Sample the usage that has changed."),
    Schedule(
        "access-sweep", "ops.sweep_accesses", "maintenance", "29 3 * * *", "Delete accesses past their retention."
    ),
    Schedule(
        "idempotency-sweep",
        "ops.sweep_idempotency",
        "maintenance",
        "23 * * * *",
        "Delete kept answers past their 24 h.",
    ),
    Schedule("session-sweep", "ops.sweep_sessions", "maintenance", "11 3 * * *", "Delete ended portal sessions."),
    Schedule(
        "refusal-sweep", "ops.sweep_refusals", "maintenance", "41 3 * * *", "Delete refusals past their retention."
    ),
    Schedule(
        "usage-sample-sweep",
        "ops.sweep_usage_samples",
        "maintenance",
        "53 3 * * *",
        "Delete usage samples past their retention.",
    ),
    Schedule(
        "usage-reconcile", "ops.reconcile_usage", "maintenance", "17 4 * * *", "Compare the counters with the items."
    ),
    Schedule(
        "invariants-check", "ops.check_invariants", "maintenance", "47 4 * * *", "Check every invariant of the store."
    ),
)
