"use strict";
/* Comfort only: every page works without it. "/" or Ctrl+K goes to the search; ids get a button that copies them. */
{
  const search = document.getElementById("k-find");
  const said = document.getElementById("k-said");
  const SVG = "http://www.w3.org/2000/svg";

  const isTyping = (element) => element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName);

  document.addEventListener("keydown", (event) => {
    const slash = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event.target);
    const find = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k";
    if (search && (slash || find)) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  });

  const icon = (name) => {
    const drawn = document.createElementNS(SVG, "svg");
    const use = document.createElementNS(SVG, "use");
    drawn.setAttribute("class", "k-icon");
    drawn.setAttribute("aria-hidden", "true");
    use.setAttribute("href", `#i-${name}`);
    drawn.append(use);
    return drawn;
  };

  const addCopyButton = (id) => {
    const button = document.createElement("button");
    const text = id.dataset.copy || id.textContent.trim();
    button.type = "button";
    button.className = "k-copy";
    button.setAttribute("aria-label", `Copy ${text}`);
    button.append(icon("copy"));
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text);
      said.textContent = "";
      said.textContent = `${text} copied`;
      button.replaceChildren(icon("tick"));
      button.dataset.done = "";
    });
    id.after(button);
  };

  // Browsers offer the clipboard only to pages that came by TLS or from this machine.
  if (navigator.clipboard && said) {
    document.querySelectorAll("[data-copy]").forEach(addCopyButton);
  }
}
