"""The image: its Dockerfile's rules, and what its build steps give when they are carried out without an engine."""

import json
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from kimberly import start
from kimberly.local import programs
from tests.house import image, locks
from tests.house.sources import PROJECT, text_of
from tests.waiting import until
from tests.web import free_port

pytestmark = pytest.mark.promise("D1")


def test_hadolint_finds_nothing():
    linter = [str(Path(sys.executable).with_name("hadolint")), "Dockerfile"]

    done = subprocess.run(linter, cwd=PROJECT, capture_output=True, text=True, check=False)

    assert (done.stdout, done.returncode) == ("", 0)


def test_it_runs_as_an_ordinary_user_with_a_health_check():
    last = dict(image.instructions())

    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", last["USER"])
    assert json.loads(last["HEALTHCHECK"].partition("CMD ")[2]) == ["python", "-m", "kimberly.start", "health"]
    assert json.loads(last["ENTRYPOINT"]) == ["python", "-m", "kimberly.start"]
    assert json.loads(last["CMD"]) == ["web"]


def test_its_base_is_named_with_a_version():
    versions = [arguments.partition("=")[2] for name, arguments in image.instructions() if name == "ARG"]

    assert re.fullmatch(r"3\.\d+-slim-bookworm", versions[0])


def test_nothing_but_the_program_is_sent_to_the_engine(tmp_path):
    image.copy_context(tmp_path)

    sent = {path.name for path in tmp_path.iterdir()}
    assert sent <= {"manage.py", "requirements.txt", "kimberly", "memory", "ops", "runbooks", "static", "templates"}
    assert {"manage.py", "requirements.txt", "kimberly"} <= sent


def test_its_web_server_is_started_like_the_local_one(monkeypatch, tmp_path):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "metrics"))
    monkeypatch.setenv("KIMBERLY_HOST", "0.0.0.0")

    arguments = start.web()

    assert arguments[:2] == ["-m", "granian"]
    assert arguments[2:-3] == programs.web_arguments(host="0.0.0.0", port=8000, workers=2)
    assert Path(arguments[-1]).exists()


def test_its_worker_listens_to_every_queue():
    assert programs.QUEUES in start.worker()


def test_its_metrics_folder_is_emptied_at_start(monkeypatch, tmp_path):
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "counter_17.db").write_text("of a process that is gone")
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "metrics"))

    start.web()

    assert list((tmp_path / "metrics").iterdir()) == []


@pytest.mark.parametrize(("wrong", "said"), [([], "There is no program ''"), (["serve"], "there are web, worker")])
def test_a_program_that_it_does_not_have_is_named(capsys, wrong, said):
    assert start.main(wrong) == 2
    assert said in capsys.readouterr().err


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The build stage, carried out here. It asks the package index for the locked wheels."""
    return image.build(tmp_path_factory.mktemp("image"))


class Running:
    """One program of the image with production settings, on the test's servers."""

    def __init__(self, built, folder, program):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"{program}.log"
        self.environ = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": os.environ["DATABASE_URL"],
            "REDIS_URL": os.environ["REDIS_URL"],
            "KIMBERLY_SECRET_KEY": secrets.token_urlsafe(48),
            "KIMBERLY_PUBLIC_URL": "https://kimberly.example.org",
            "KIMBERLY_TRUSTED_PROXIES": "1",
            "KIMBERLY_DATA_DIR": str(folder / "data"),
            "KIMBERLY_PORT": str(self.port),
            "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
        }
        self.command = [str(built.python), "-m", "kimberly.start"]
        self.app = built.app
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*self.command, program], cwd=self.app, env=self.environ, stdout=log, stderr=log
            )

    def answers(self):
        assert self.process.poll() is None, self.log.read_text()
        return self.says_that_it_is_well()

    def says_that_it_is_well(self):
        health = [*self.command, "health"]
        return subprocess.run(health, cwd=self.app, env=self.environ, check=False).returncode == 0

    def logged(self, text):
        assert self.process.poll() is None, self.log.read_text()
        return text in self.log.read_text()

    def stop(self):
        """A worker ends what it is at: here also what other tests have left to be done."""
        self.process.terminate()
        return self.process.wait(timeout=120)


@pytest.fixture
def run(built, tmp_path, django_db_setup):
    """Starts programs of the image; they are stopped after the test."""
    started = []

    def start_program(name):
        started.append(Running(built, tmp_path, name))
        return started[-1]

    yield start_program
    for program in started:
        program.stop()


@pytest.mark.slow
def test_it_holds_the_locked_packages_of_production_and_no_others(built):
    found = {
        path.name.partition("-")[0].lower() for path in built.root.glob("venv/lib/python*/site-packages/*.dist-info")
    }

    expected = {one.name.replace("-", "_") for one in locks.locked(locks.PRODUCTION).values() if one.is_for_here}
    assert {name.replace("-", "_") for name in found} == expected


@pytest.mark.slow
def test_it_answers_with_production_settings_and_writes_nothing_into_its_own_folders(built, run):
    before = built.snapshot()

    web = run("web")
    until(web.answers, what="the image's web server to answer", limit_seconds=60)

    assert httpx.get(f"{web.url}/healthz").status_code == 200
    assert httpx.get(f"{web.url}/readyz").json()["status"] == "ready"
    sign_in = httpx.get(f"{web.url}/admin/login/", headers={"X-Forwarded-Proto": "https"})
    assert sign_in.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert web.stop() == 0
    assert not web.says_that_it_is_well()
    assert built.snapshot() == before


@pytest.mark.slow
def test_its_static_files_have_hashed_names_and_are_kept_for_ever(built, run):
    web = run("web")
    until(web.answers, what="the image's web server to answer", limit_seconds=60)

    hashed = json.loads((built.app / "staticfiles" / "staticfiles.json").read_text())["paths"]
    name = next(to for plain, to in sorted(hashed.items()) if plain.startswith("portal/") and plain.endswith(".css"))
    answer = httpx.get(f"{web.url}/static/{name}", headers={"Accept-Encoding": "gzip"})

    assert re.search(r"\.[0-9a-f]{12}\.css$", name)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert f"/static/{name}" in httpx.get(f"{web.url}/admin/login/").text


@pytest.mark.slow
def test_its_worker_and_beat_start(run):
    worker, beat = run("worker"), run("beat")

    until(lambda: worker.logged(" ready."), what="the worker to be ready", limit_seconds=60)
    until(lambda: beat.logged("beat: Starting"), what="beat to start", limit_seconds=60)


def test_the_readme_of_the_image_names_each_program():
    text = text_of(Path("docs/delivery.md"))

    assert [name for name in start.PROGRAMS if f"`{name}`" not in text] == []
