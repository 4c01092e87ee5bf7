from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("memory", "0007_long_runs_are_read_in_pieces"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="memoryuser",
            name="staff_notes",
        ),
    ]
