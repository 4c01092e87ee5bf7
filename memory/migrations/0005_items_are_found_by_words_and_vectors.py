import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import kimberly.db.defaults
import pgvector.django.halfvec
from django.db import migrations, models

# A generated column needs functions that are immutable: hence the months' names, and times in UTC only.
FUNCTIONS = """
CREATE FUNCTION memory_document(content text, metadata jsonb, created_at timestamptz) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    moment timestamp := created_at AT TIME ZONE 'UTC';
    about text := concat_ws(
        ' ', left(metadata ->> 'speaker', 200), left(metadata ->> 'title', 500), left((metadata -> 'tags')::text, 2000),
        extract(day FROM moment),
        (ARRAY[
            'January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October',
            'November', 'December'
        ])[extract(month FROM moment)::int],
        extract(year FROM moment)
    );
BEGIN
    IF content IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN to_tsvector('pg_catalog.english'::regconfig, concat_ws(' ', left(content, 200000), about));
EXCEPTION
    -- More than 1 MB of different words: their beginning is found.
    WHEN program_limit_exceeded THEN
        RETURN to_tsvector('pg_catalog.english'::regconfig, concat_ws(' ', left(content, 50000), about));
END $$;

-- Items of one session share a number: a client's own name for it might not fit into an index.
CREATE FUNCTION memory_session_key(metadata jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN hashtextextended(metadata ->> 'session', 0);
"""

NO_FUNCTIONS = """
DROP FUNCTION memory_document(text, jsonb, timestamptz);
DROP FUNCTION memory_session_key(jsonb);
"""

# A model's name ends with its dimensions. Vectors of other lengths than their model's could not be compared; longer
# ones would not fit into the index.
RULES = """
CREATE FUNCTION memory_dimensions_of(model text) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN substring(model FROM ':([1-9][0-9]{0,3})$')::int;
ALTER TABLE memory_item ADD CONSTRAINT memory_item_embedding_size_ck CHECK (
    embedding IS NULL
    OR (memory_dimensions_of(embedding_model) IS NOT NULL
        AND vector_dims(embedding) = memory_dimensions_of(embedding_model) AND vector_dims(embedding) <= 1024)
);
ALTER TABLE goal ADD CONSTRAINT goal_embedding_size_ck CHECK (
    embedding IS NULL
    OR (memory_dimensions_of(embedding_model) IS NOT NULL
        AND vector_dims(embedding) = memory_dimensions_of(embedding_model) AND vector_dims(embedding) <= 1024)
);

CREATE FUNCTION memory_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a version of % is never changed: make another one', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER retrieval_profile_no_change BEFORE UPDATE OR DELETE ON retrieval_profile
    FOR EACH ROW EXECUTE FUNCTION memory_refuse_change();
CREATE TRIGGER retrieval_profile_no_truncate BEFORE TRUNCATE ON retrieval_profile
    FOR EACH STATEMENT EXECUTE FUNCTION memory_refuse_change();

-- Measured on conversations with labelled questions: TARGETS.
INSERT INTO retrieval_profile (version, semantic, own_words, context, freshness, created_at, created_by)
VALUES (1, 0.2, 0.5, 0.3, 0, now(), 'command:migrate');
"""

NO_RULES = """
DROP TRIGGER retrieval_profile_no_truncate ON retrieval_profile;
DROP TRIGGER retrieval_profile_no_change ON retrieval_profile;
DROP FUNCTION memory_refuse_change();
ALTER TABLE goal DROP CONSTRAINT goal_embedding_size_ck;
ALTER TABLE memory_item DROP CONSTRAINT memory_item_embedding_size_ck;
DROP FUNCTION memory_dimensions_of(text);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("memory", "0004_planned_ends_are_finite"),
    ]

    operations = [
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        migrations.CreateModel(
            name="AccessEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=kimberly.db.defaults.Uuid7(), editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("item_ids", django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None)),
                ("asked_at", models.DateTimeField()),
            ],
            options={
                "db_table": "access_event",
            },
        ),
        migrations.CreateModel(
            name="Goal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=kimberly.db.defaults.Uuid7(), editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("text", models.CharField(max_length=500)),
                ("embedding", pgvector.django.halfvec.HalfVectorField(null=True)),
                ("embedding_model", models.CharField(max_length=80, null=True)),
                ("created_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=80)),
            ],
            options={
                "db_table": "goal",
            },
        ),
        migrations.CreateModel(
            name="ItemFeedback",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=kimberly.db.defaults.Uuid7(), editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("helpful", models.BooleanField(null=True)),
                ("emotional_weight", models.FloatField(null=True)),
                ("created_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=80)),
            ],
            options={
                "db_table": "item_feedback",
            },
        ),
        migrations.CreateModel(
            name="RetrievalProfile",
            fields=[
                ("version", models.IntegerField(primary_key=True, serialize=False)),
                ("semantic", models.FloatField()),
                ("own_words", models.FloatField()),
                ("context", models.FloatField()),
                ("freshness", models.FloatField()),
                ("created_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=80)),
            ],
            options={
                "db_table": "retrieval_profile",
            },
        ),
        migrations.RemoveConstraint(
            model_name="memoryitem",
            name="memory_item_tombstone_is_empty_ck",
        ),
        migrations.RemoveConstraint(
            model_name="memoryitem",
            name="memory_item_embedding_has_model_ck",
        ),
        migrations.AddField(
            model_name="memoryitem",
            name="session_key",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Func(models.F("metadata"), function="memory_session_key"),
                output_field=models.BigIntegerField(null=True),
            ),
        ),
        migrations.AddField(
            model_name="usagecounter",
            name="writes",
            field=models.BigIntegerField(db_default=0, help_text="Grows with each write of the items."),
        ),
        migrations.RemoveField(model_name="memoryitem", name="search_document"),
        migrations.AddField(
            model_name="memoryitem",
            name="search_document",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Func(
                    models.F("content"), models.F("metadata"), models.F("created_at"), function="memory_document"
                ),
                output_field=django.contrib.postgres.search.SearchVectorField(null=True),
            ),
        ),
        migrations.AddIndex(
            model_name="memoryitem",
            index=models.Index(
                condition=models.Q(("state", "active")),
                fields=["user", "embedding_model"],
                include=("id", "embedding"),
                name="memory_item_vectors_ix",
            ),
        ),
        migrations.AddIndex(
            model_name="memoryitem",
            index=models.Index(
                condition=models.Q(("state", "active")),
                fields=["user", "session_key", "created_at", "id"],
                name="memory_item_session_ix",
            ),
        ),
        migrations.AddIndex(
            model_name="memoryitem",
            index=models.Index(
                condition=models.Q(("state", "active")), fields=["embedding_model", "id"], name="memory_item_model_ix"
            ),
        ),
        migrations.AddIndex(
            model_name="memoryitem",
            index=django.contrib.postgres.indexes.GinIndex(
                fastupdate=False, fields=["user", "search_document"], name="memory_item_words_ix"
            ),
        ),
        migrations.AddConstraint(
            model_name="memoryitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "purged"), _negated=True),
                    models.Q(
                        ("content", None), ("embedding", None), ("embedding_model", None), ("metadata__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="memory_item_tombstone_is_empty_ck",
            ),
        ),
        migrations.AddConstraint(
            model_name="memoryitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("embedding", None), ("embedding_model__isnull", False), _connector="OR"),
                name="memory_item_embedding_has_model_ck",
            ),
        ),
        migrations.AddField(
            model_name="accessevent",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="accesses",
                to="memory.memoryuser",
            ),
        ),
        migrations.AddField(
            model_name="goal",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="goals",
                to="memory.memoryuser",
            ),
        ),
        migrations.AddField(
            model_name="itemfeedback",
            name="item",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="feedback", to="memory.memoryitem"
            ),
        ),
        migrations.AddConstraint(
            model_name="retrievalprofile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("context__gte", 0),
                    ("own_words__gte", 0),
                    ("semantic__gte", 0),
                    ("context__lte", 1),
                    ("own_words__lte", 1),
                    ("semantic__lte", 1),
                    models.Q(("context", 0), ("own_words", 0), ("semantic", 0), _negated=True),
                ),
                name="retrieval_profile_weights_ck",
            ),
        ),
        migrations.AddConstraint(
            model_name="retrievalprofile",
            constraint=models.CheckConstraint(
                condition=models.Q(("freshness__gte", 0), ("freshness__lte", 0.05)),
                name="retrieval_profile_freshness_ck",
            ),
        ),
        migrations.AddIndex(
            model_name="accessevent",
            index=models.Index(fields=["user", "asked_at"], name="access_event_user_ix"),
        ),
        migrations.AddIndex(
            model_name="accessevent",
            index=models.Index(fields=["asked_at"], name="access_event_asked_ix"),
        ),
        migrations.AddConstraint(
            model_name="goal",
            constraint=models.CheckConstraint(condition=models.Q(("text", ""), _negated=True), name="goal_text_ck"),
        ),
        migrations.AddConstraint(
            model_name="goal",
            constraint=models.CheckConstraint(
                condition=models.Q(("embedding", None), ("embedding_model__isnull", False), _connector="OR"),
                name="goal_embedding_has_model_ck",
            ),
        ),
        migrations.AddConstraint(
            model_name="goal",
            constraint=models.UniqueConstraint(fields=("user", "text"), name="goal_user_text_uq"),
        ),
        migrations.AddConstraint(
            model_name="itemfeedback",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("emotional_weight", None), ("helpful__isnull", False)),
                    models.Q(("emotional_weight__gte", 0), ("emotional_weight__lte", 1), ("helpful", None)),
                    _connector="OR",
                ),
                name="item_feedback_one_kind_ck",
            ),
        ),
        migrations.RunSQL(RULES, NO_RULES),
    ]
