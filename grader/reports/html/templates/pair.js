"use strict";
// The page is whole without this: it goes from part to part, and from pair to pair, by keys.
(() => {
  const parts = Number(document.querySelector("main").dataset.parts);
  const listen = document.getElementById("listen");
  const output = document.getElementById("part");
  let now = 0;

  const show = (part) => {
    now = part;
    for (const mark of document.querySelectorAll("mark")) {
      mark.classList.toggle("now", Number(mark.dataset.part) === part);
    }
    for (const side of ["l", "r"]) {
      const mark = document.getElementById(side + part);
      if (mark) mark.scrollIntoView({ block: "center" });
    }
    output.textContent = `Part ${part} of ${parts}`;
  };

  document.addEventListener("keydown", (event) => {
    if (!listen.checked || event.ctrlKey || event.metaKey || event.altKey) return;
    const link = { j: "after", k: "before" }[event.key];
    if (event.key === "n" && parts) show(now % parts + 1);
    else if (event.key === "p" && parts) show((now + parts - 2) % parts + 1);
    else if (link) document.getElementById(link)?.click();
  });
  for (const link of document.querySelectorAll("mark a")) {
    link.addEventListener("click", () => show(Number(link.parentElement.dataset.part)));
  }
  document.getElementById("keys").hidden = false;
})();
