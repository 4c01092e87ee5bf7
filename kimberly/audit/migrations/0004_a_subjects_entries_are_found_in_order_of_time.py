from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_the_trail_is_append_only"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="auditentry",
            name="audit_entry_subject_ix",
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["subject_kind", "subject_id", "-at", "-id"], name="audit_entry_subject_ix"),
        ),
    ]
