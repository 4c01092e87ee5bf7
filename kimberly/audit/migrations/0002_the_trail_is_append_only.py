from django.db import migrations

# Triggers hold for every role, the owner's too; the app's role has no right to change these tables at all (the `migrate`
# command takes it away). TRUNCATE fires no row trigger, so it has a trigger of its own.
FORWARD = """
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION audit_text_only_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL AND NEW.entry_id = OLD.entry_id THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an audit text is only ever emptied by an erasure'
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION audit_queue_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_pending (entry_id) VALUES (NEW.id);
    RETURN NULL;
END $$;

CREATE TRIGGER audit_entry_no_change BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_seal_no_change BEFORE UPDATE OR DELETE ON audit_seal
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_seal_no_truncate BEFORE TRUNCATE ON audit_seal
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_text_only_erased BEFORE UPDATE ON audit_text
    FOR EACH ROW EXECUTE FUNCTION audit_text_only_erasure();
CREATE TRIGGER audit_text_no_delete BEFORE DELETE ON audit_text
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_text_no_truncate BEFORE TRUNCATE ON audit_text
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_entry_is_queued AFTER INSERT ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_queue_entry();
"""

BACKWARD = """
DROP TRIGGER audit_entry_no_change ON audit_entry;
DROP TRIGGER audit_entry_no_truncate ON audit_entry;
DROP TRIGGER audit_entry_is_queued ON audit_entry;
DROP TRIGGER audit_seal_no_change ON audit_seal;
DROP TRIGGER audit_seal_no_truncate ON audit_seal;
DROP TRIGGER audit_text_only_erased ON audit_text;
DROP TRIGGER audit_text_no_delete ON audit_text;
DROP TRIGGER audit_text_no_truncate ON audit_text;
DROP FUNCTION audit_refuse_change;
DROP FUNCTION audit_text_only_erasure;
DROP FUNCTION audit_queue_entry;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_entries_and_seals")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
