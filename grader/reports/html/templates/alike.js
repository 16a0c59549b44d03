"use strict";
// The page is whole without this: it shows only the pairs of somebody.
(() => {
  const form = document.getElementById("filter");
  const name = document.getElementById("name");
  const shown = document.getElementById("shown");
  const rows = Array.from(document.querySelectorAll(".pairs tbody tr"),
    (row) => [row, `${row.cells[1].textContent}\n${row.cells[3].textContent}`.toLowerCase()]);
  const filter = () => {
    const wanted = name.value.trim().toLowerCase();
    let count = 0;
    for (const [row, text] of rows) {
      row.hidden = !text.includes(wanted);
      count += !row.hidden;
    }
    shown.textContent = `${count} of ${rows.length} pairs`;
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", filter);
  form.hidden = false;
  filter();
})();
