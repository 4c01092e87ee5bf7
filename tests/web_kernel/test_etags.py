"""Entity tags: which versions a caller may change."""

import pytest

from kimberly.web import etags
from kimberly.web.etags import Stale
from tests.web_kernel.requests import request_with


@pytest.mark.parametrize("header", ['"v3"', '"v1", "v3"', '"v3" , "v4"', "*", '"x", *'])
def test_a_tag_that_names_the_version_lets_pass(header):
    expected = etags.expected_versions(request_with(HTTP_IF_MATCH=header))

    etags.check(expected, current_version=3)


@pytest.mark.parametrize("header", ['"v2"', 'W/"v3"', "v3", '"V3"', '"v3', "", ",", '"v03"', '"v3";', "'v3'"])
def test_any_other_tag_is_stale_and_hears_the_right_one(header):
    expected = etags.expected_versions(request_with(HTTP_IF_MATCH=header))

    with pytest.raises(Stale) as refusal:
        etags.check(expected, current_version=3)

    assert refusal.value.facts() == {"current_etag": '"v3"'}


def test_without_the_header_nothing_was_asked():
    expected = etags.expected_versions(request_with())

    etags.check(expected, current_version=3)

    assert expected is None
