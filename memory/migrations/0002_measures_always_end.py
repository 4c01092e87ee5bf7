from django.db import migrations

# isfinite(NULL) is NULL, and a CHECK lets NULL pass: an open end needs a clause of its own (docs/adr/0002).
FORWARD = """
ALTER TABLE quota_override ADD CONSTRAINT quota_override_period_ends_ck CHECK (
    NOT isempty(period) AND lower(period) IS NOT NULL AND upper(period) IS NOT NULL
    AND isfinite(lower(period)) AND isfinite(upper(period))
);
ALTER TABLE throttle ADD CONSTRAINT throttle_period_ends_ck CHECK (
    NOT isempty(period) AND lower(period) IS NOT NULL AND upper(period) IS NOT NULL
    AND isfinite(lower(period)) AND isfinite(upper(period))
);
-- A key lies below memory in the code, so the database alone knows that it may be bound to a user.
ALTER TABLE api_key ADD CONSTRAINT api_key_bound_user_id_fk
    FOREIGN KEY (bound_user_id) REFERENCES memory_user (id);
-- Throttles are looked up by "in force now" every second by each process.
CREATE INDEX throttle_in_force_ix ON throttle USING gist (period);
-- What expires next, over all users.
CREATE INDEX quota_override_in_force_ix ON quota_override USING gist (period);
"""

BACKWARD = """
ALTER TABLE quota_override DROP CONSTRAINT quota_override_period_ends_ck;
ALTER TABLE throttle DROP CONSTRAINT throttle_period_ends_ck;
ALTER TABLE api_key DROP CONSTRAINT api_key_bound_user_id_fk;
DROP INDEX throttle_in_force_ix;
DROP INDEX quota_override_in_force_ix;
"""


class Migration(migrations.Migration):
    dependencies = [("memory", "0001_users_items_and_limits"), ("clients", "0001_clients_and_keys")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
