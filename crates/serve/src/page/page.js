// Comfort only: every page works without it.
"use strict";
(() => {
  const rows = [...document.querySelectorAll("table.queue tbody th a")];

  // Up and down go from lead to lead, once one has the focus.
  document.addEventListener("keydown", (event) => {
    const at = rows.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (at < 0 || !step || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const next = rows[at + step];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  });

  // Coming back to the queue, one is where one was.
  const place = "place " + location.pathname + location.search;
  try {
    const [entry] = performance.getEntriesByType("navigation");
    const kept = JSON.parse(sessionStorage.getItem(place));
    const from = document.referrer && new URL(document.referrer).pathname;
    if (rows.length && kept && (entry?.type === "back_forward" || from?.startsWith("/leads"))) {
      scrollTo(0, kept.y);
      rows.find((row) => row.pathname + row.search === kept.lead)?.focus({ preventScroll: true });
    }
    addEventListener("pagehide", () => {
      const lead = document.activeElement;
      sessionStorage.setItem(place, JSON.stringify({ y: scrollY, lead: rows.includes(lead) ? lead.pathname + lead.search : null }));
    });
  } catch {}

  // Times have the reader's own zone as their tip.
  for (const time of document.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    if (!isNaN(at)) time.title = at.toLocaleString();
  }

  // After ten minutes the queue is not of this moment any more.
  if (rows.length) setTimeout(() => {
    const hint = document.createElement("p");
    hint.className = "told";
    hint.setAttribute("role", "status");
    const link = document.createElement("a");
    link.href = location.href;
    link.textContent = "These scores are ten minutes old: look again";
    hint.append(link);
    document.querySelector("main").prepend(hint);
  }, 600000);
})();
