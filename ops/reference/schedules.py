"""docs/schedules.md"""

from ops.reference.tables import code, page, table
from ops.schedules import ALL, Schedule

INTRODUCTION = """What runs by itself, in UTC, from `ops/schedules.py`. `manage.py sync_schedules` puts what is missing
into the database, which beat reads, and changes a row only while nobody has changed it there."""


def render() -> str:
    rows = [
        [when(schedule.crontab), code(schedule.name), schedule.about, code(schedule.task), schedule.queue]
        for schedule in sorted(ALL, key=_time_of_day)
    ]
    return page("Schedules", INTRODUCTION, table(["when", "name", "what it does", "task", "queue"], rows))


def when(crontab: str) -> str:
    """The crontab in words, where it is one of the simple kinds."""
    minute, hour, *rest = crontab.split()
    if rest != ["*", "*", "*"] or not (minute == "*" or minute.isdecimal()):
        return code(crontab)
    if hour == "*":
        return "every minute" if minute == "*" else f"minute {minute} of each hour"
    return f"daily at {int(hour):02}:{int(minute):02}" if hour.isdecimal() and minute != "*" else code(crontab)


def _time_of_day(schedule: Schedule) -> tuple[int, int, str]:
    minute, hour, *_ = schedule.crontab.split()
    return (int(hour) if hour.isdecimal() else -1, int(minute) if minute.isdecimal() else -1, schedule.name)
