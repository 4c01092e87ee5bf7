from django.db import migrations, models
from django.db.models import Case, Q, Value, When

UNFINISHED = ("queued", "running", "held")


class Migration(migrations.Migration):
    dependencies = [
        ("memory", "0014_undos_of_whole_runs_are_rows"),
    ]

    operations = [
        migrations.AddField(
            model_name="meditationrun",
            name="cohort",
            field=models.JSONField(
                default=dict, db_default={}, help_text="Of whom, where it is about some (memory.queries.cohorts)."
            ),
        ),
        migrations.AddField(
            model_name="meditationrun",
            name="scope",
            field=models.GeneratedField(
                expression=Case(
                    When(user__isnull=False, then=Value("user")),
                    When(cohort={}, then=Value("all")),
                    default=Value("some"),
                ),
                output_field=models.CharField(max_length=16),
                db_persist=True,
            ),
        ),
        migrations.AddConstraint(
            model_name="meditationrun",
            constraint=models.CheckConstraint(condition=Q(user=None) | Q(cohort={}), name="meditation_run_cohort_ck"),
        ),
        migrations.AddConstraint(
            model_name="meditationrun",
            constraint=models.UniqueConstraint(
                fields=["scope"],
                name="meditation_run_one_of_many_uq",
                condition=Q(scope__in=["all", "some"], state__in=UNFINISHED),
            ),
        ),
        migrations.RemoveConstraint(
            model_name="meditationrun",
            name="meditation_run_one_of_all_uq",
        ),
    ]
