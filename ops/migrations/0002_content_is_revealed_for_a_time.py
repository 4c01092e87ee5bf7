from datetime import timedelta

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import kimberly.db.defaults
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("memory", "0005_items_are_found_by_words_and_vectors"),
        ("ops", "0001_sent_forms_and_invariant_checks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ContentReveal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=kimberly.db.defaults.Uuid7(), editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reason", models.TextField()),
                ("ticket", models.CharField(blank=True, max_length=64)),
                ("started_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.CharField(blank=True, max_length=80)),
                (
                    "staff",
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
                        related_name="reveals",
                        to="memory.memoryuser",
                    ),
                ),
            ],
            options={
                "db_table": "content_reveal",
                "indexes": [models.Index(fields=["user", "-ends_at", "-id"], name="content_reveal_user_ix")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("started_at"))),
                        name="content_reveal_end_after_start_ck",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "ends_at__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("started_at"), "+", models.Value(timedelta(minutes=15))
                                ),
                            )
                        ),
                        name="content_reveal_length_ck",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("ended_by", "")),
                            models.Q(
                                ("ended_at__gte", models.F("started_at")),
                                ("ended_at__isnull", False),
                                ("ended_at__lt", models.F("ends_at")),
                                models.Q(("ended_by", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="content_reveal_early_end_ck",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            ("user", "="),
                            ("staff", "="),
                            (
                                models.Func(
                                    "started_at",
                                    django.db.models.functions.comparison.Coalesce("ended_at", "ends_at"),
                                    function="tstzrange",
                                    output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField(),
                                ),
                                "&&",
                            ),
                        ],
                        name="content_reveal_no_overlap_ex",
                    ),
                ],
            },
        ),
    ]
