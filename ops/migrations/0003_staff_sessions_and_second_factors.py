import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ops", "0002_content_is_revealed_for_a_time"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Authenticator",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="The human-readable name of this device.", max_length=64)),
                ("confirmed", models.BooleanField(default=True, help_text="Is this device ready for use?")),
                (
                    "created_at",
                    models.DateTimeField(
                        auto_now_add=True,
                        help_text="The date and time when this device was initially created in the system.",
                        null=True,
                    ),
                ),
                (
                    "last_used_at",
                    models.DateTimeField(
                        blank=True, help_text="The most recent date and time this device was used.", null=True
                    ),
                ),
                ("sealed_secret", models.TextField(help_text="Base32, encrypted by ops.sealed.")),
                (
                    "last_step",
                    models.BigIntegerField(
                        default=-1, help_text="The time step of the last code: none is taken twice."
                    ),
                ),
                (
                    "drift",
                    models.SmallIntegerField(default=0, help_text="Steps by which the app's clock differs from ours."),
                ),
                (
                    "user",
                    models.ForeignKey(
                        help_text="The user that this device belongs to.",
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "authenticator",
                "constraints": [models.UniqueConstraint(fields=("user",), name="authenticator_user_uq")],
            },
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(max_length=64)),
                ("made_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "staff",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "recovery_code",
                "constraints": [
                    models.UniqueConstraint(fields=("staff", "sha256"), name="recovery_code_staff_sha256_uq"),
                    models.CheckConstraint(
                        condition=models.Q(("used_at", None), ("used_at__gte", models.F("made_at")), _connector="OR"),
                        name="recovery_code_used_after_made_ck",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StaffSession",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("data", models.TextField(help_text="Signed by the secret key; empty once the session has ended.")),
                ("address", models.GenericIPAddressField(null=True)),
                ("agent", models.CharField(blank=True, help_text="What the browser said it is.", max_length=200)),
                ("started_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField(help_text="When its person last asked for a page, to the minute.")),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_why", models.CharField(blank=True, max_length=20)),
                (
                    "staff",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "staff_session",
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at", None)),
                        fields=["staff", "-seen_at"],
                        name="staff_session_open_ix",
                    ),
                    models.Index(fields=["expires_at"], name="staff_session_expires_ix"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("ended_why", "")),
                            models.Q(
                                ("data", ""), ("ended_at__isnull", False), models.Q(("ended_why", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="staff_session_end_ck",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("started_at"))), name="staff_session_length_ck"
                    ),
                ],
            },
        ),
    ]
