// Brings the part of the page marked data-refresh up to date without losing focus, open details or the place on the page.
(() => {
  "use strict";
  const region = document.querySelector("[data-refresh]");
  const pause = document.getElementById("pause");
  if (!region || !pause) return;
  let paused = false;

  function keep() {
    const active = document.activeElement;
    return {
      focus: region.contains(active) ? active.id : "",
      open: [...region.querySelectorAll("details[open][id]")].map((d) => d.id),
      x: scrollX, y: scrollY,
    };
  }

  function restore(kept) {
    kept.open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
    if (kept.focus) document.getElementById(kept.focus)?.focus({ preventScroll: true });
    scrollTo(kept.x, kept.y);
  }

  async function refresh() {
    if (paused || document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(region.id);
      if (!fresh) return;
      const kept = keep();
      region.replaceChildren(...fresh.childNodes);
      restore(kept);
    } catch { /* no network now; the next turn tries again */ }
  }

  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? pause.dataset.off : pause.dataset.on;
    if (!paused) refresh();
  });
  document.addEventListener("visibilitychange", refresh);
  setInterval(refresh, Number(region.dataset.refresh) * 1000);
})();
