from django.db import migrations

# PostgreSQL's parser looks for a host's or file's name from each `_` to the end of the run of letters anew: 40 kB of
# `a_a_a_...` took it 20 seconds, with the counter's row locked. Only ASCII runs are like that, and a name of more than 100
# characters is not looked for. Documents that are there already keep what they have: their long runs were read whole.
DOCUMENT = """
CREATE OR REPLACE FUNCTION memory_document(content text, metadata jsonb, created_at timestamptz) RETURNS tsvector
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
    RETURN {read}(concat_ws(' ', left(content, 200000), about));
EXCEPTION
    -- More than 1 MB of different words: their beginning is found.
    WHEN program_limit_exceeded THEN
        RETURN {read}(concat_ws(' ', left(content, 50000), about));
END $$;
"""
WORDS = """
CREATE FUNCTION memory_pieces(content text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN regexp_replace(content, '([!-~]{100})', '\\1 ', 'g');

CREATE FUNCTION memory_words(content text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_tsvector('pg_catalog.english'::regconfig, memory_pieces(content));
"""
NO_WORDS = """
DROP FUNCTION memory_words(text);
DROP FUNCTION memory_pieces(text);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("memory", "0006_what_follows_in_a_session_is_found_by_its_index"),
    ]

    operations = [
        migrations.RunSQL(WORDS, NO_WORDS),
        migrations.RunSQL(
            DOCUMENT.replace("{read}(", "memory_words("),
            DOCUMENT.replace("{read}(", "to_tsvector('pg_catalog.english'::regconfig, "),
        ),
    ]
