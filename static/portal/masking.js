"use strict";
/* A page that stays open shows no content any longer than the server would: when the reveal ends, the texts go.
   The server says how long that is; a tab that slept looks at once when it is seen again. */
{
  const banner = document.getElementById("revealed");
  const end = Date.now() + Number(banner.dataset.secondsLeft) * 1000;

  const mask = () => {
    if (Date.now() < end || !banner.isConnected) {
      return;
    }
    for (const text of document.querySelectorAll(".k-content, [data-revealed]")) {
      text.replaceWith(text.classList.contains("k-content") ? "masked again" : "");
    }
    const over = document.createElement("div");
    const says = document.createElement("p");
    const again = document.createElement("a");
    over.className = "k-banner";
    over.dataset.tone = "info";
    over.setAttribute("role", "alert");
    again.href = location.pathname + location.search;
    again.textContent = "Load the page again";
    says.append("The content is masked again: the time for which it was revealed is over. ", again, ".");
    over.append(says);
    banner.replaceWith(over);
  };

  setTimeout(mask, Math.max(0, end - Date.now()) + 100); // timers may be early by a little
  for (const event of ["visibilitychange", "pageshow", "focus"]) {
    addEventListener(event, mask);
  }
}
