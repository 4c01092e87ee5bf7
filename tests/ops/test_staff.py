from django.contrib.auth import get_user_model

from ops import roles
from ops.roles import Role
from ops.services import staff
from tests.personas import NOON, PASSWORD, TESTER, hire, unique


def put(username, *held):
    return staff.put_without_password(username=username, name=("Sam", "Okafor"), held=held, actor=TESTER, now=NOON)


def test_a_colleague_without_a_password_has_a_name_and_roles_and_cannot_sign_in(db):
    sam = put(unique("sam"), Role.SUPPORT)

    assert roles.label_of(sam) == "Sam Okafor"
    assert roles.roles_of(sam) == {Role.SUPPORT}
    assert not sam.has_usable_password()


def test_the_password_of_somebody_who_is_there_stays(db):
    lena = hire("lena", Role.SUPPORT)

    put(lena.username, Role.LEAD)

    found = get_user_model().objects.get(pk=lena.pk)
    assert found.check_password(PASSWORD)
    assert roles.roles_of(found) == {Role.LEAD}
