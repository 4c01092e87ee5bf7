import socket

import pytest

from kimberly.local import ports
from kimberly.local.errors import StackError


@pytest.fixture
def taken_port():
    with socket.create_server((ports.LOOPBACK, 0)) as server:
        yield server.getsockname()[1]


def test_a_port_is_remembered_while_it_is_free(tmp_path):
    first = ports.remembered(tmp_path / "port")

    assert ports.remembered(tmp_path / "port") == first


def test_a_port_that_was_taken_meanwhile_is_replaced(tmp_path, taken_port):
    (tmp_path / "port").write_text(f"{taken_port}\n")

    port = ports.remembered(tmp_path / "port")

    assert port != taken_port
    assert ports.remembered(tmp_path / "port") == port


def test_a_port_in_use_is_refused_with_what_to_do(taken_port):
    with pytest.raises(StackError, match=f"port {taken_port}: Address already in use.*KIMBERLY_PORT"):
        ports.check_can_listen(taken_port, host=ports.LOOPBACK)


def test_a_port_is_never_one_the_kernel_lends_to_connections():
    assert ports.LOWEST <= ports.free_port() < ports.HIGHEST <= 32_768
