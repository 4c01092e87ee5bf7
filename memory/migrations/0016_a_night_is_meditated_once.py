from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("memory", "0015_runs_of_some_users"),
    ]

    operations = [
        migrations.AddField(
            model_name="meditationrun",
            name="due_at",
            field=models.DateTimeField(null=True, help_text="When a schedule wanted it; None: somebody did."),
        ),
        migrations.AddConstraint(
            model_name="meditationrun",
            constraint=models.UniqueConstraint(fields=["due_at"], name="meditation_run_due_once_uq"),
        ),
    ]
