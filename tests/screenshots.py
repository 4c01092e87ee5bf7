"""Take the pictures of the portal anew: `make screenshots` writes docs/screenshots/*.png from a stack of its own.

The people are made up, the figures are the service's own: every byte was written, every refusal refused by the API.
With a file of conversations (`python -m tests.screenshots FILE`) its users are loaded last, and looked at as well.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests import plugin

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
DESKTOP = {"width": 1280, "height": 860}
BROWSER_ARGUMENTS = ["--no-sandbox", "--disable-lcd-text"]  # grey edges of letters: half the size
SCREEN = 860  # pixels high, where the whole page would be too much
PHONE = {"width": 390, "height": 844}

# As on a machine whose system font is Inter; where it is not installed the next in the line is taken.
FONT = ":root { --k-sans: Inter, system-ui, sans-serif; }"


@dataclass(frozen=True)
class Shot:
    """One picture: which page, seen by whom, on what."""

    name: str
    path: str
    by: str = "sam"
    size: dict[str, int] = field(default_factory=lambda: DESKTOP)
    scheme: str = "light"
    height: int = 1080
    unfold: str = ""
    fills: tuple[tuple[str, str], ...] = ()
    """Fields by their labels, and what is typed into them before the form is sent."""


def main() -> None:
    plugin.pytest_load_initial_conftests([])
    os.environ |= {"KIMBERLY_ENVIRONMENT": "demo", "KIMBERLY_LOG_LEVEL": "warning", "DJANGO_ALLOW_ASYNC_UNSAFE": "1"}
    os.environ["DJANGO_SETTINGS_MODULE"] = "kimberly.settings"
    import django  # the settings exist only now

    django.setup()
    from django.core.management import call_command

    from tests.scenery import build
    from tests.web import WebServer

    call_command("migrate", verbosity=0, interactive=False)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with WebServer() as web, chromium() as browser:
        for shot in shots(build(web)):
            take(browser, web.url, shot)
        for file in sys.argv[1:]:
            first = load_conversations(Path(file), url=web.url)
            for shot in (Shot("conversations-desktop", "/ops/users/"), Shot("conversation-desktop", first)):
                take(browser, web.url, shot)


def shots(users: dict[str, str]) -> list[Shot]:
    """The pictures, by the addresses of the people that the scenery made."""
    from tests.scenery import QUESTION  # needs the settings

    asked = (("The question", QUESTION), ("The memory you expected", users["missed"]))
    return [*of_everybody(), *of_one(users), *of_plans(users), *of_cohorts(users), *of_contents(users, asked)]


def of_everybody() -> list[Shot]:
    """The pages that are about nobody alone."""
    return [
        Shot("login-desktop", "/admin/login/", by=""),
        Shot("account-desktop", "/ops/account/", height=SCREEN),
        Shot("staff-sessions-desktop", "/ops/staff/sessions/", by="ada", height=SCREEN),
        Shot("overview-desktop", "/ops/", height=1700),
        Shot("overview-dark", "/ops/", scheme="dark", height=1700),
        Shot("overview-phone", "/ops/", size=PHONE, height=SCREEN),
        Shot("find-desktop", "/ops/find/?q=acct-55", height=SCREEN),
        Shot("attention-desktop", "/ops/users/?show=attention", height=SCREEN),
        Shot("users-desktop", "/ops/users/"),
        Shot("users-phone", "/ops/users/", size=PHONE, height=SCREEN),
        Shot("burst-desktop", "/ops/burst/", height=1800),
        Shot("burst-phone", "/ops/burst/", size=PHONE, height=1500),
        Shot("expiring-desktop", "/ops/expiring/", height=SCREEN),
        Shot("schedules-desktop", "/ops/schedules/"),
        Shot("meditation-desktop", "/ops/meditation/", height=1500),
        Shot("meditation-dark", "/ops/meditation/", scheme="dark", height=1500),
        Shot("meditation-phone", "/ops/meditation/", size=PHONE, height=1500),
        Shot("refusals-dark", "/ops/refusals/", scheme="dark"),
        Shot("api-desktop", "/api/v1/docs", by="", height=SCREEN),
    ]


def of_one(users: dict[str, str]) -> list[Shot]:
    """One user's pages, and the forms that act on them."""
    dana, tomasz = users["dana"], users["tomasz"]
    return [
        Shot("user-desktop", f"{dana}?done={users['throttle']}", unfold="Raise a quota"),
        Shot("user-dark", dana, scheme="dark"),
        Shot("user-phone", dana, size=PHONE, height=SCREEN),
        Shot("user-viewer-desktop", f"{tomasz}?tab=measures", by="eva"),
        Shot("items-desktop", f"{tomasz}?tab=items", height=SCREEN),
        Shot(
            "archived-desktop", f"{tomasz}?tab=items&state=archived&done={users['deleted']}", by="lena", height=SCREEN
        ),
        Shot("timeline-desktop", f"{tomasz}?tab=history", unfold="Why?"),
        Shot("meditation-run-desktop", users["run"]),
        Shot("decisions-desktop", f"{users['run']}?tab=decisions", unfold="Why?"),
        Shot("decisions-phone", f"{users['run']}?tab=decisions", size=PHONE, height=1500, unfold="Why?"),
        Shot("meditate-desktop", f"{dana}meditate/"),
        Shot("held-desktop", users["held"], by="olivia", height=SCREEN),
        Shot("held-viewer-phone", users["held"], by="eva", size=PHONE, height=1500),
        Shot("approve-desktop", f"{users['held']}approve/", by="olivia", height=SCREEN),
        Shot("approve-phone", f"{users['held']}approve/", by="olivia", size=PHONE, scheme="dark"),
        Shot("run-undo-desktop", f"{users['undone']}undo/", by="olivia", height=SCREEN),
        Shot("undone-desktop", f"{users['undone']}?tab=undo", by="olivia", height=SCREEN),
        Shot("run-history-desktop", f"{users['undone']}?tab=history", by="olivia", height=SCREEN),
        Shot("undo-part-desktop", users["part"], by="lena", height=SCREEN),
        Shot("meditate-some-desktop", "/ops/meditation/some/?show=over-soft", by="olivia", height=1500),
        Shot("meditate-some-phone", "/ops/meditation/some/?show=over-soft", by="olivia", size=PHONE, height=1800),
        Shot("timeline-phone", f"{tomasz}?tab=history", size=PHONE, height=2000, scheme="dark"),
        Shot("notes-desktop", f"{tomasz}?tab=notes", height=SCREEN),
        Shot("delete-desktop", f"{tomasz}items/delete/{users['chosen']}", by="lena"),
        Shot("delete-phone", f"{tomasz}items/delete/{users['chosen']}", by="lena", size=PHONE, scheme="dark"),
        Shot("protect-desktop", f"{tomasz}items/protect/{users['chosen']}"),
        Shot("suspend-desktop", f"{tomasz}suspend/", by="lena"),
        Shot("undo-desktop", f"/ops/acts/{users['deleted']}/undo/", by="lena"),
        Shot("raise-desktop", f"{tomasz}raise-quota/"),
        Shot("throttle-phone", f"{tomasz}throttle/", size=PHONE),
    ]


def of_cohorts(users: dict[str, str]) -> list[Shot]:
    """Plans of many users at once."""
    return [
        Shot("cohorts-desktop", "/ops/plans/cohorts/", height=SCREEN),
        Shot("plan-cohort-desktop", "/ops/plans/cohorts/new/?show=over-soft", height=1500),
        Shot("plan-cohort-phone", "/ops/plans/cohorts/new/?show=over-soft", size=PHONE, height=2200),
        Shot("cohort-desktop", users["many_frozen"], by="lena"),
        Shot("cohort-dark", users["many_pruned"], by="lena", scheme="dark"),
        Shot("cohort-phone", users["many_frozen"], by="lena", size=PHONE, height=2600),
        Shot("cohort-largest-desktop", f"{users['many_frozen']}?tab=largest", by="lena"),
        Shot("cohort-apply-desktop", f"{users['many_frozen']}apply/", by="lena", height=SCREEN),
        Shot("cohort-apply-phone", f"{users['many_frozen']}apply/", by="lena", size=PHONE, scheme="dark"),
        Shot("cohort-history-desktop", f"{users['many_pruned']}?tab=history", by="lena", height=SCREEN),
    ]


def of_plans(users: dict[str, str]) -> list[Shot]:
    """Prune plans: the list, one before and after it was applied, and the forms."""
    form = f"{users['ines']}plan/?tier=long-term&size=204800"
    return [
        Shot("plans-desktop", "/ops/plans/", height=SCREEN),
        Shot("plans-phone", "/ops/plans/", size=PHONE, height=1500),
        Shot("plan-desktop", f"{users['frozen']}?done=made", by="lena", height=1900, unfold="Why?"),
        Shot("plan-dark", users["frozen"], by="lena", scheme="dark", height=1900),
        Shot("plan-phone", users["frozen"], size=PHONE, height=3200),
        Shot("plan-stays-desktop", f"{users['frozen']}?tab=stays", height=1900),
        Shot("plan-applied-desktop", f"{users['applied']}?done=applied", by="lena", height=1900),
        Shot("plan-left-desktop", f"{users['applied']}?outcome=protected", height=1500),
        Shot("plan-undone-phone", users["back"], size=PHONE, scheme="dark", height=1800),
        Shot("plan-form-desktop", form),
        Shot("plan-form-phone", form, size=PHONE, scheme="dark", height=1500),
        Shot("plan-apply-desktop", f"{users['frozen']}apply/", by="lena"),
        Shot("plan-apply-phone", f"{users['frozen']}apply/", by="lena", size=PHONE, height=1500),
        Shot("plan-undo-desktop", f"{users['applied']}undo/", by="lena", height=SCREEN),
        Shot("user-plans-desktop", f"{users['ines']}?tab=plans", by="lena"),
        Shot("decided-desktop", f"{users['ines']}?tab=history&kind=meditation", by="lena"),
    ]


def of_contents(users: dict[str, str], asked: tuple[tuple[str, str], ...]) -> list[Shot]:
    """What one user keeps, masked and revealed, and what is found of it."""
    tomasz, marisol = users["tomasz"], users["marisol"]
    return [
        Shot("search-desktop", f"{marisol}search/", by="lena", height=1500, fills=asked),
        Shot("search-dark", f"{marisol}search/", by="lena", scheme="dark", height=1500, fills=asked),
        Shot("search-phone", f"{marisol}search/", by="lena", size=PHONE, height=2000, fills=asked),
        Shot("revealed-desktop", f"{marisol}?tab=items", by="lena"),
        Shot("revealed-phone", f"{marisol}?tab=items", by="lena", size=PHONE),
        Shot("masked-desktop", f"{marisol}?tab=history", by="sam", height=SCREEN),
        Shot("reveal-desktop", f"{tomasz}search/", by="lena", height=SCREEN),
    ]


def load_conversations(file: Path, *, url: str) -> str:
    """Load the file as `manage.py import_conversations` does; gives the address of its first user's page."""
    from django.core.management import call_command  # needs the settings

    from ops import conversations
    from tests.scenery import key_of

    call_command("import_conversations", file, base_url=url, api_key=key_of("importer"))
    return f"/ops/users/?q={next(conversations.read(file)).user_id}"


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=BROWSER_ARGUMENTS)
        yield browser
        browser.close()


def take(browser: Browser, url: str, shot: Shot) -> None:
    """Open the page as that person and write the picture."""
    viewport: Any = shot.size
    scheme: Any = shot.scheme
    # The policy is looked at by the tests; here it would stop the font.
    context = browser.new_context(base_url=url, viewport=viewport, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    if shot.by:
        sign_in(page, shot.by)
    page.goto(shot.path)
    page.add_style_tag(content=FONT)
    target = FOLDER / f"{shot.name}.png"
    if shot.unfold:
        page.locator("summary", has_text=shot.unfold).first.click()
        page.evaluate("window.scrollTo(0, 0)")  # else the bar sticks in the middle of the picture
    if shot.fills:
        for label, text in shot.fills:
            page.get_by_label(label).fill(text)
        page.locator("main form [data-kind=primary]").first.click()
        page.wait_for_selector("#answer")
        page.add_style_tag(content=FONT)
        page.evaluate("window.scrollTo(0, 0)")  # else the header would stand in the middle of the picture
    height = min(shot.height, page.evaluate("document.documentElement.scrollHeight"))
    clip: Any = {"x": 0, "y": 0, "width": shot.size["width"], "height": height}
    page.screenshot(path=target, full_page=True, clip=clip, animations="disabled")
    context.close()
    print(f"{target.stat().st_size // 1024:4} KiB  {target.name}")  # noqa: T201 # what this command is for


def sign_in(page: Page, username: str) -> None:
    from tests.personas import PASSWORD  # needs the settings

    page.goto("/admin/login/")
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/ops/**")


if __name__ == "__main__":
    main()
