"use strict";
/* Comfort only: every page works without it. Keys, a live search, ids with a button that copies them, the overview that
   refreshes itself, and the browser's own zone. */
{
  const search = document.getElementById("k-find");
  const found = document.getElementById("k-found");
  const keys = document.getElementById("k-shortcuts");
  const said = document.getElementById("k-said");
  const SVG = "http://www.w3.org/2000/svg";

  const isTyping = (element) => element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName);
  const isHeld = (event) => event.ctrlKey || event.metaKey || event.altKey;
  const announce = (text) => {
    said.textContent = "";
    said.textContent = text;
  };

  /* ---- Keys ---- */
  document.addEventListener("keydown", (event) => {
    const alone = !isHeld(event) && !isTyping(event.target);
    const find = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k";
    if (search && ((alone && event.key === "/") || find)) {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (keys && alone && event.key === "?") {
      event.preventDefault();
      keys.showModal();
    }
  });

  /* ---- The search: what it found can be walked with the arrows, and goes when one leaves it ---- */
  if (search && found) {
    const close = () => found.replaceChildren();

    search.form.addEventListener("keydown", (event) => {
      const links = [search, ...found.querySelectorAll("a")];
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step && links.length > 1) {
        event.preventDefault();
        const place = links.indexOf(document.activeElement) + step;
        links[(place + links.length) % links.length].focus();
      } else if (event.key === "Escape") {
        close();
        search.focus();
      }
    });
    search.form.addEventListener("focusout", (event) => {
      if (!search.form.contains(event.relatedTarget)) {
        close();
      }
    });
    document.addEventListener("htmx:beforeSwap", (event) => {
      // Whoever was signed out meanwhile is answered with a whole page: it belongs into no list.
      if (event.target === found && event.detail.serverResponse.includes("<html")) {
        event.detail.shouldSwap = false;
        announce("The search needs you to sign in again");
      }
    });
    found.addEventListener("htmx:afterSwap", () => {
      const users = found.querySelectorAll("li").length - 1;
      if (document.activeElement !== search && !found.contains(document.activeElement)) {
        close();
      } else if (users >= 0) {
        announce(users === 1 ? "1 user found" : `${users} users found`);
      }
    });
  }

  /* ---- Ids ---- */
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
      announce(`${text} copied`);
      button.replaceChildren(icon("tick"));
      button.dataset.done = "";
    });
    id.after(button);
  };

  // Browsers offer the clipboard only to pages that came by TLS or from this machine.
  if (navigator.clipboard && said) {
    document.querySelectorAll("[data-copy]").forEach(addCopyButton);
  }

  /* ---- The zone: the button sends the browser's own, the list begins at it ---- */
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const chooser of document.querySelectorAll("[data-own-zone]")) {
    const isList = chooser.tagName === "SELECT";
    if (!isList && own.includes("/") && !own.startsWith("Etc/")) {
      chooser.value = own;
    } else if (isList && !chooser.querySelector("option[selected]")) {
      const option = [...chooser.options].find((one) => one.value === own);
      chooser.value = option ? own : chooser.value;
    }
  }

  /* ---- The live part: it waits while nobody looks or somebody is in it, and keeps what it has when an answer fails ---- */
  const words = document.querySelector("[data-live-words]");
  if (words) {
    const age = words.querySelector("[data-live-age]");
    let refreshedAt = Date.now();
    let trouble = "";
    const isLive = (event) => event.target.id === "live";
    const fail = (event) => {
      trouble = isLive(event) ? " (the last try failed)" : trouble;
    };
    words.hidden = false;
    if (age) {
      setInterval(() => {
        age.textContent = `${Math.round((Date.now() - refreshedAt) / 1000)} s ago${trouble}`;
      }, 1000);
    }
    document.addEventListener("htmx:beforeRequest", (event) => {
      if (isLive(event) && (document.hidden || event.target.contains(document.activeElement))) {
        event.preventDefault();
      }
    });
    document.addEventListener("htmx:beforeSwap", (event) => {
      // Whoever was signed out meanwhile is answered with the page to sign in: it has no such part.
      if (isLive(event) && !event.detail.serverResponse.includes('id="live"')) {
        event.detail.shouldSwap = false;
        fail(event);
      }
    });
    document.addEventListener("htmx:afterSwap", (event) => {
      if (isLive(event)) {
        refreshedAt = Date.now();
        trouble = "";
      }
    });
    document.addEventListener("htmx:sendError", fail);
    document.addEventListener("htmx:responseError", fail);
  }
}
