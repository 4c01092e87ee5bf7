"""What the demo's people are told to have said: nothing is made here, all of it follows from the seed and the time."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from memory.rules.tiers import Tier
from ops.demo import documents, generator, histories, voices
from ops.demo.plans import Written

NOW = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def demo():
    return generator.plan(seed="one", now=NOW)


SLOT = re.compile(r"{(\w*)}")
ENDS = re.compile(r"(?<=[^\d][.!?])\s+|(?<=[。！？])|\n+")  # "am 3. Mai" goes on, and so does "1. Budget".


def memories_by(person):
    return [memory for deed in person.deeds if isinstance(deed, Written) for memory in deed.memories]


def memories_of(demo):
    return [memory for person in demo.people for memory in memories_by(person)]


def sentences_of(person):
    told = [sentence.strip() for memory in memories_by(person) for sentence in ENDS.split(memory.content)]
    return [sentence for sentence in told if sentence]


@cache
def pattern_of(sentence):
    """Matches the sentence with whatever stands in its places."""
    parts = SLOT.split(sentence)
    wild = [".{1,18}" if slot in voices.DAYS else ".{1,60}" for slot in parts[1::2]]
    fixed = [re.escape(part) for part in parts[::2]]
    return re.compile(
        "".join(fixed[place // 2] if place % 2 == 0 else wild[place // 2] for place in range(len(parts))), re.IGNORECASE
    )


def test_the_same_seed_and_time_make_the_same_people_and_words(demo):
    assert generator.plan(seed="one", now=NOW) == demo


def test_another_seed_makes_other_words(demo):
    other = generator.plan(seed="two", now=NOW)

    said, said_otherwise = ({memory.content for memory in memories_of(each)} for each in (demo, other))
    assert len(said & said_otherwise) < len(said) / 3


def test_at_another_time_the_same_people_have_the_same_ages(demo):
    later = generator.plan(seed="one", now=NOW + timedelta(days=40))

    ages = [(person.external_id, NOW - person.registered_at) for person in demo.people]
    assert [(person.external_id, NOW + timedelta(days=40) - person.registered_at) for person in later.people] == ages


def test_about_a_hundred_and_twenty_people_of_eight_languages_have_come_over_twelve_weeks(demo):
    languages = Counter(person.language for person in demo.people)
    ages = [NOW - person.registered_at for person in demo.people]

    assert 100 <= len(demo.people) <= 125
    assert set(languages) == set(voices.LANGUAGES)
    assert min(languages.values()) >= 8
    assert min(ages) < timedelta(days=1)
    assert timedelta(weeks=11) < max(ages) <= timedelta(weeks=12)
    assert len({person.time_zone for person in demo.people}) > 20


def test_every_person_is_called_by_an_id_of_their_own_and_reached_at_example_org(demo):
    assert len({person.external_id for person in demo.people}) == len(demo.people)
    assert {person.email.partition("@")[2] for person in demo.people if person.email} == {"example.org"}


def test_nobody_says_a_sentence_twice(demo):
    twice = {
        (person.external_id, sentence): times
        for person in demo.people
        for sentence, times in Counter(sentences_of(person)).items()
        if times > 1
    }

    assert len(memories_of(demo)) > 3_500
    assert twice == {}


def test_hardly_a_sentence_is_said_by_two(demo):
    said = [sentence for person in demo.people for sentence in sentences_of(person)]

    assert len(said) > 50_000
    assert len(set(said)) > 0.99 * len(said)


def test_most_memories_are_a_sentence_or_two(demo):
    lengths = sorted(len(memory.content) for memory in memories_of(demo))

    assert lengths[len(lengths) * 9 // 10] < 200


def test_a_fact_is_told_once_a_person_so_that_no_second_contradicts_it(demo):
    for person in demo.people:
        topics = voices.words_of(person.language)["topics"].values()
        facts = [fact for topic in topics for fact in topic["facts"]]
        facts += [before for topic in topics for before, _ in topic.get("changes", ())]
        noted = [memory.content for memory in memories_by(person)]
        told = {fact: [text for text in noted if pattern_of(fact).fullmatch(text)] for fact in facts}
        assert {fact: texts for fact, texts in told.items() if len(texts) > 1} == {}, person.external_id


def test_what_has_changed_is_said_after_what_it_changes(demo):
    found = 0
    for person in demo.people:
        noted = memories_by(person)
        for topic in voices.words_of(person.language)["topics"].values():
            for before, after in topic.get("changes", ()):
                firsts, seconds = (
                    [memory for memory in noted if pattern_of(pattern).fullmatch(memory.content)]
                    for pattern in (before, after)
                )
                for second in seconds:
                    assert [first.created_at < second.created_at for first in firsts] == [True]
                    found += 1

    assert found > 50


def test_of_the_last_two_days_is_no_more_than_a_quarter(demo):
    lately = [memory for memory in memories_of(demo) if memory.created_at > NOW - timedelta(days=2)]

    assert len(lately) < len(memories_of(demo)) / 4


def test_some_people_are_quiet_and_some_are_very_active(demo):
    known = [person for person in demo.people if NOW - person.registered_at > timedelta(weeks=4)]
    written = sorted(len(memories_by(person)) for person in known)

    assert written[len(written) // 10] <= 14
    assert written[-len(written) // 10] >= 50


def test_people_have_weekdays_of_their_own(demo):
    busiest = Counter(
        Counter(memory.created_at.weekday() for memory in memories_by(person)).most_common(1)[0][0]
        for person in demo.people
    )

    assert len(busiest) == 7
    assert max(busiest.values()) < len(demo.people) / 2


def test_nothing_happens_before_its_person_came_nor_in_the_future(demo):
    for person in demo.people:
        times = [deed.at for deed in person.deeds]
        assert times == sorted(times)
        assert person.registered_at <= times[0]
        assert times[-1] <= NOW


def test_nothing_is_stored_before_it_was_said(demo):
    written = [deed for person in demo.people for deed in person.deeds if isinstance(deed, Written)]

    assert all(memory.created_at <= deed.at for deed in written for memory in deed.memories)


def test_short_term_holds_the_last_day_and_what_last_night_looked_at(demo):
    short = [memory.created_at for memory in memories_of(demo) if memory.tier is Tier.SHORT_TERM]
    older = [at for at in short if at <= NOW - timedelta(hours=24)]

    assert len(short) > 500
    assert 20 < len(older) < 200
    assert demo.night - timedelta(hours=48) < min(older)
    assert max(older) < demo.night - timedelta(hours=24)


@pytest.mark.parametrize("language", voices.LANGUAGES)
def test_a_language_has_a_word_for_each_place_in_its_sentences(language):
    words = voices.words_of(language)
    own = {*words["persona"], *voices.OWN_NUMBERS, "home", "at_home", "trip", "at_trip"}
    drawn = {*words["fresh"], *voices.NUMBERS, *voices.MONEY, *voices.HOURS, *voices.DAYS, *voices.OTHERS}
    topics = words["topics"].values()
    patterns = [text for topic in topics for part in ("titles", "goals", "facts", "events") for text in topic[part]]
    patterns += [text for topic in topics for change in topic.get("changes", ()) for text in change]
    patterns += [text for paper in words["papers"] for text in (paper["title"], *paper["lines"])]

    assert set(SLOT.findall(" ".join(patterns))) <= {*own, *drawn}
    assert own & drawn == set()
    assert {key for topic in topics for key in topic} == {"titles", "goals", "facts", "events", "changes"}
    assert min(len(topic["facts"]) for topic in topics) >= 3
    assert len(words["people"]) >= generator.PEOPLE[language] - len(generator.DEVICES) * (language == "en")
    assert set(words["topics"]) <= set(histories.TAGS)
    assert set(words["tables"]) == set(documents.TABLES) <= set(histories.TAGS)
    assert (len(words["months"]), len(words["habits"])) == (12, 7)


@pytest.mark.parametrize("language", voices.LANGUAGES)
def test_what_happens_again_has_its_day_and_what_is_always_so_has_none(language):
    topics = voices.words_of(language)["topics"].values()

    assert [event for topic in topics for event in topic["events"] if "{today}" not in event] == []
    assert [fact for topic in topics for fact in topic["facts"] if "{today}" in fact] == []


@pytest.mark.parametrize("language", voices.LANGUAGES)
def test_money_is_that_of_the_persons_home(language):
    words = voices.words_of(language)

    assert all("{}" in home["money"] for home in words["homes"])
    assert not re.search(
        r"\d|[€$£¥]|[Ee]uro|ユーロ|євро", " ".join(f for t in words["topics"].values() for f in t["facts"])
    )
