// Small helps on every page: focus on what a refusal says or on the first wrong field, zoom of photos, shown-only-with-script buttons, closing of menus.
(() => {
  "use strict";
  const refusal = document.getElementById("refusal");
  const wrong = document.querySelector('main [aria-invalid="true"]');
  (wrong && !refusal?.querySelector("li") ? wrong : refusal)?.focus();
  const passkey = document.getElementById("passkey_login");
  if (passkey && window.PublicKeyCredential) passkey.hidden = false;
  document.querySelectorAll("button[data-print]").forEach((b) => { b.hidden = false; b.addEventListener("click", () => print()); });

  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.person[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
    const closer = event.target.closest("[data-close]");
    if (closer) closer.closest("dialog").close();
    const opener = event.target.closest("[data-dialog]");
    if (opener) { event.preventDefault(); document.getElementById(opener.dataset.dialog)?.showModal(); }
    const zoom = event.target.closest("a.zoom");
    if (zoom && !event.ctrlKey && !event.metaKey) { event.preventDefault(); enlarge(zoom); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.person[open]").forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); });
  });

  const viewer = document.getElementById("photo-viewer");
  let shown = [];
  let at = 0;
  function show() {
    const link = shown[at];
    viewer.classList.remove("near");
    viewer.querySelector("img").src = link.dataset.large;
    viewer.querySelector("img").alt = link.querySelector("img").alt;
    viewer.querySelector("[data-caption]").textContent = `${link.dataset.caption} (${at + 1}/${shown.length})`;
    viewer.querySelector("[data-original]").href = link.dataset.original;
  }
  function enlarge(link) {
    if (!viewer) return;
    shown = [...document.querySelectorAll("a.zoom")];
    at = shown.indexOf(link);
    show();
    viewer.showModal();
  }
  if (viewer) {
    const turn = (by) => { at = (at + by + shown.length) % shown.length; show(); };
    viewer.querySelector("[data-previous]").addEventListener("click", () => turn(-1));
    viewer.querySelector("[data-next]").addEventListener("click", () => turn(1));
    viewer.querySelector("[data-near]").addEventListener("click", () => viewer.classList.toggle("near"));
    viewer.addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft") turn(-1);
      if (event.key === "ArrowRight") turn(1);
    });
  }
})();
