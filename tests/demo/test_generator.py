"""What the demo's people are told to have said: nothing is made here, all of it follows from the seed and the time."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from memory.rules.tiers import Tier
from ops.demo import generator, histories, voices
from ops.demo.plans import Written

NOW = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def demo():
    return generator.plan(seed="one", now=NOW)


def memories_of(demo):
    written = [deed for person in demo.people for deed in person.deeds if isinstance(deed, Written)]
    return [memory for deed in written for memory in deed.memories]


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


def test_hardly_anything_is_said_twice(demo):
    contents = [memory.content for memory in memories_of(demo)]

    assert len(contents) > 3_500
    assert len(set(contents)) > 0.99 * len(contents)


def test_nothing_happens_before_its_person_came_nor_in_the_future(demo):
    for person in demo.people:
        times = [deed.at for deed in person.deeds]
        assert times == sorted(times)
        assert person.registered_at <= times[0]
        assert times[-1] <= NOW


def test_nothing_is_stored_before_it_was_said(demo):
    written = [deed for person in demo.people for deed in person.deeds if isinstance(deed, Written)]

    assert all(memory.created_at <= deed.at for deed in written for memory in deed.memories)


def test_short_term_holds_the_last_day_alone(demo):
    short = [memory.created_at for memory in memories_of(demo) if memory.tier is Tier.SHORT_TERM]

    assert len(short) > 500
    assert min(short) > NOW - timedelta(hours=24)


@pytest.mark.parametrize("language", voices.LANGUAGES)
def test_a_language_has_a_word_for_each_place_in_its_sentences(language):
    words = voices.words_of(language)
    own = {*words["persona"], *voices.OWN_NUMBERS, "home", "at_home", "trip", "at_trip", "homeday"}
    known = {*own, *words["fresh"], *voices.NUMBERS, *voices.HOURS, *voices.DAYS, "kmin"}
    patterns = [text for topic in words["topics"].values() for part in topic.values() for text in part]

    assert set(re.findall(r"{(\w*)}", " ".join([words["note"], *patterns]))) <= known
    assert {key for topic in words["topics"].values() for key in topic} == {"titles", "goals", "sentences"}
    assert min(len(topic["sentences"]) for topic in words["topics"].values()) >= 3
    assert len(words["people"]) >= generator.PEOPLE[language] - len(generator.DEVICES) * (language == "en")
    assert set(words["topics"]) <= set(histories.TAGS)
    assert (len(words["months"]), len(words["weekdays"])) == (12, 7)
