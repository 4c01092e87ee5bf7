from datetime import UTC, datetime

from django.db import migrations

KIB, MIB = 1 << 10, 1 << 20
HARD_BYTES = {"short-term": 512 * KIB, "long-term": 2 * MIB, "permanent": 10 * MIB}
DAY_SECONDS = 24 * 3600
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def make_plans(apps, schema_editor):
    """The first values of the design: soft 80 %, archive 4 x hard, the paid plan ten times the free one."""
    plan_model = apps.get_model("memory", "Plan")
    policy_model = apps.get_model("memory", "TierPolicy")
    database = schema_editor.connection.alias
    for slug, name, factor in (("free", "Free", 1), ("paid", "Paid", 10)):
        plan = plan_model.objects.using(database).create(
            slug=slug, name=name, write_per_minute=1200 * factor, query_per_minute=1200 * factor
        )
        for tier, hard_bytes in HARD_BYTES.items():
            policy_model.objects.using(database).create(
                plan=plan,
                tier=tier,
                soft_bytes=hard_bytes * factor * 8 // 10,
                hard_bytes=hard_bytes * factor,
                archived_bytes=hard_bytes * factor * 4,
                life_seconds=DAY_SECONDS if tier == "short-term" else None,
                grace_days=30,
                daily_cap_share=0.25,
                changed_at=BEGINNING,
            )


class Migration(migrations.Migration):
    dependencies = [("memory", "0002_measures_always_end")]
    operations = [migrations.RunPython(make_plans, migrations.RunPython.noop)]
