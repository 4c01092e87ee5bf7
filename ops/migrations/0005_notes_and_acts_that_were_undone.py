import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
import kimberly.db.defaults
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_the_trail_is_append_only"),
        ("memory", "0007_long_runs_are_read_in_pieces"),
        ("ops", "0003_staff_sessions_and_second_factors"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="UndoneAct",
            fields=[
                (
                    "act",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="undone",
                        serialize=False,
                        to="audit.auditentry",
                    ),
                ),
                ("undone_at", models.DateTimeField()),
                (
                    "staff",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "undone_act",
            },
        ),
        migrations.CreateModel(
            name="UserNote",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=kimberly.db.defaults.Uuid7(), editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("text", models.TextField()),
                ("ticket", models.CharField(blank=True, max_length=64)),
                ("version", models.IntegerField(default=1)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(null=True)),
                (
                    "author",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notes",
                        to="memory.memoryuser",
                    ),
                ),
            ],
            options={
                "db_table": "user_note",
                "indexes": [
                    models.Index(
                        condition=models.Q(("removed_at", None)),
                        fields=["user", "-created_at", "-id"],
                        name="user_note_newest_ix",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("text", ""), _negated=True),
                            django.db.models.lookups.LessThanOrEqual(
                                django.db.models.functions.text.Length("text"), 2000
                            ),
                        ),
                        name="user_note_text_length_ck",
                    ),
                    models.CheckConstraint(condition=models.Q(("version__gte", 1)), name="user_note_version_ck"),
                    models.CheckConstraint(
                        condition=models.Q(("changed_at__gte", models.F("created_at"))),
                        name="user_note_changed_after_made_ck",
                    ),
                ],
            },
        ),
    ]
