from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ops", "0005_notes_and_acts_that_were_undone"),
    ]

    operations = [
        migrations.AddField(
            model_name="sentform",
            name="said",
            field=models.CharField(db_default="", help_text="A hash of what it said.", max_length=64),
        ),
    ]
