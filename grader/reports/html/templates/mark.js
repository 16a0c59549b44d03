"use strict";
// The page is whole without this: it adds up points, and marks by keys.
(() => {
  const form = document.getElementById("form");
  const listen = document.getElementById("listen");
  const besides = document.getElementById("points");
  const output = document.getElementById("sum");
  const most = Number(form.dataset.most);
  const boxes = [...form.querySelectorAll("[name=rubric]")];
  const shown = (value) => String(Math.round(value * 100) / 100).replace("-", "\u2212");

  const add = () => {
    const chosen = boxes.filter((box) => box.checked);
    const sum = chosen.reduce((all, box) => all + Number(box.dataset.points), Number(besides.value.replace(",", ".").replace("−", "-")) || 0);
    const counts = Math.min(Math.max(sum, 0), most);
    output.textContent = `${shown(counts)} of ${shown(most)}` + (counts === sum ? "" : `, not ${shown(sum)}`);
  };

  const LINKS = { j: "after", k: "before", n: "waiting", u: "up", z: "undo" };
  const FIELDS = { c: "comment", p: "points" };
  document.addEventListener("keydown", (event) => {
    const field = event.target.closest("textarea, input[type=number]");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      document.getElementById("save").click();
      return;
    }
    if (field) {
      if (event.key === "Escape") field.blur();
      return;
    }
    if (!listen.checked || event.ctrlKey || event.metaKey || event.altKey) return;
    const box = boxes.find((one) => one.dataset.key === event.key);
    if (box) box.click();
    else if (FIELDS[event.key]) document.getElementById(FIELDS[event.key]).focus();
    else if (LINKS[event.key]) document.getElementById(LINKS[event.key])?.click();
    else if (event.key === "Enter" && !event.target.closest("a, button, summary")) document.getElementById("save").click();
    else return;
    event.preventDefault();
  });
  try {
    listen.checked = sessionStorage.getItem("listen") !== "no";
    listen.addEventListener("change", () => sessionStorage.setItem("listen", listen.checked ? "yes" : "no"));
  } catch { /* a browser that keeps nothing */ }
  form.addEventListener("input", add);
  add();
  document.getElementById("keys").hidden = false;
})();
