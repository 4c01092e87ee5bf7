from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("memory", "0012_what_meditation_knows_and_did"),
    ]

    operations = [
        migrations.AddField(
            model_name="meditationdecision",
            name="item_version",
            field=models.IntegerField(help_text="The item's version as the decision left it.", null=True),
        ),
    ]
