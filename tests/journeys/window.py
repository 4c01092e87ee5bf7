"""A browser window that keeps what must not happen: reports of the policy, errors, requests to other hosts."""

from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

from tests.personas import PASSWORD

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
AXE = Path(__file__).with_name("vendor") / "axe.min.js"

# Reports reach the page before its own scripts run; the window collects them under a name of the tests' own.
COLLECT_REPORTS = """
window.__reports = [];
document.addEventListener("securitypolicyviolation",
  (event) => window.__reports.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FIND_OVERFLOW = """() => {
  const page = document.documentElement;
  const wide = page.scrollWidth > page.clientWidth ? [`the page, by ${page.scrollWidth - page.clientWidth} px`] : [];
  for (const card of document.querySelectorAll(".k-card")) {
    const edge = card.getBoundingClientRect().right;
    for (const inner of card.querySelectorAll("*")) {
      const beyond = inner.getBoundingClientRect().right - edge;
      if (beyond > 0.5 && inner.getClientRects().length && !inner.closest(".k-code, .k-hidden")) {
        wide.push(`${inner.outerHTML.slice(0, 80)}, by ${Math.round(beyond)} px`);
      }
    }
  }
  return wide.slice(0, 5);
}"""
RUN_AXE = """async (tags) => {
  const found = await axe.run(document, {runOnly: {type: "tag", values: tags}});
  return found.violations.map((one) => [one.id, one.help, one.nodes.map((node) => node.html).slice(0, 5)]);
}"""


class Window:
    """One person's window."""

    has_scripts = True

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.said: list[str] = []
        self.strays: list[str] = []
        context.add_init_script(COLLECT_REPORTS)
        self.page: Page = context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", self._see)

    def opens(self, path: str) -> "Window":
        self.page.goto(path)
        return self

    def signs_in(self, username: str) -> "Window":
        self.opens("/admin/login/")
        self.page.get_by_label("User name").fill(username)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url("**/ops/**")
        return self

    def text(self) -> str:
        return self.page.inner_text("main")

    def reports(self) -> list[str]:
        """Everything that the policy stopped on this page, and everything that the console said."""
        return [*self.page.evaluate("window.__reports"), *self.said]

    def accessibility(self) -> list[Any]:
        """What axe finds. It runs by the debugger's own way in, which no policy of the page stops."""
        session = self.context.new_cdp_session(self.page)
        session.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
        found: list[Any] = self.page.evaluate(RUN_AXE, AXE_RULES)
        session.detach()
        return found

    def overflow(self) -> list[str]:
        """What is wider than the window, or than the card that would cut it off."""
        found: list[str] = self.page.evaluate(FIND_OVERFLOW)
        return found

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(message.text)

    def _see(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.strays.append(request.url)
