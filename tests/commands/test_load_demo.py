from io import StringIO

from django.core.management import call_command

from memory.models import MemoryUser


def test_says_that_it_leaves_a_database_with_users_as_it_is(alice):
    output = StringIO()

    call_command("load_demo", stdout=output)

    assert output.getvalue() == "There are users already, or they are being made: nothing was changed.\n"
    assert MemoryUser.objects.filter(external_id="acct-71180").count() == 0
