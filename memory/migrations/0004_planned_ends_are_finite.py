from django.db import migrations

FORWARD = """
ALTER TABLE quota_override ADD CONSTRAINT quota_override_planned_end_ck CHECK (isfinite(planned_end_at));
ALTER TABLE throttle ADD CONSTRAINT throttle_planned_end_ck CHECK (isfinite(planned_end_at));
-- Refusals of one kind, newest first.
CREATE INDEX refusal_kind_ix ON refusal (kind, refused_at DESC, id DESC);
"""

BACKWARD = """
ALTER TABLE quota_override DROP CONSTRAINT quota_override_planned_end_ck;
ALTER TABLE throttle DROP CONSTRAINT throttle_planned_end_ck;
DROP INDEX refusal_kind_ix;
"""


class Migration(migrations.Migration):
    dependencies = [("memory", "0003_free_and_paid_plans")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
