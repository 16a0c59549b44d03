"use strict";
// The page is whole without this: it goes from student to student by keys.
(() => {
  const listen = document.getElementById("listen");
  document.addEventListener("keydown", (event) => {
    if (!listen.checked || event.ctrlKey || event.metaKey || event.altKey) return;
    const link = { j: "after", k: "before", u: "up" }[event.key];
    if (link) document.getElementById(link)?.click();
  });
  document.getElementById("keys").hidden = false;
})();
