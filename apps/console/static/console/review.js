// Single keys of the review rooms; off while typing, off altogether when the person turned them off (My account).
(() => {
  "use strict";
  if (document.documentElement.dataset.keys === "off") return;
  const links = [...document.querySelectorAll("a.row-link")];
  const step = (by) => {
    if (!links.length) { document.getElementById(by > 0 ? "next" : "previous")?.click(); return; }
    const at = links.indexOf(document.activeElement);
    links[Math.min(Math.max(at + by, 0), links.length - 1)].focus();
  };
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    a: () => { if (document.getElementById("approve")) document.getElementById("approve-dialog").showModal(); },
    r: () => document.getElementById("return") && document.getElementById("note").focus(),
    "?": () => document.getElementById("keys-help").showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, dialog[open]")) return;
    const deed = keys[event.key.toLowerCase()];
    if (deed) { event.preventDefault(); deed(); }
  });
})();
