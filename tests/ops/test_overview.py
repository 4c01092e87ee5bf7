"""The overview: whether anything is wrong, in one sentence, and where to look."""


def test_the_portal_begins_with_the_overview(sam):
    assert sam.opens("/").url == "/ops/"
    assert "Nothing is wrong." in sam.reads("/ops/")
