from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("memory", "0008_usage_is_sampled_each_hour"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="memoryuser",
            name="staff_notes",
        ),
    ]
