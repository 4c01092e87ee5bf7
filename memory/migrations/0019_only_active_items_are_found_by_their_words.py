from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("memory", "0018_plans_of_a_cohort"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="memoryitem", name="memory_item_words_ix"),
        migrations.AddIndex(
            model_name="memoryitem",
            index=GinIndex(
                condition=models.Q(("state", "active")),
                fastupdate=False,
                fields=["user", "search_document"],
                name="memory_item_words_ix",
            ),
        ),
    ]
