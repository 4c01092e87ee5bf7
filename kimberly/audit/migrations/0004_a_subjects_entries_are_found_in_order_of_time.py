from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0003_acts_of_staff_are_found_by_an_index"),
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
