"use strict";
// The page is whole without this: it sorts, filters, and says what the mouse points at in the map.
(() => {
  const table = document.getElementById("scores");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const heads = Array.from(table.tHead.rows[0].cells);
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

  const texts = new Map(rows.map((row) => [row, Array.from(row.cells, (cell) => cell.textContent)]));
  // numbers in their order, then what is ungraded, then what is missing
  const value = (row, column) => {
    const text = texts.get(row)[column];
    const number = parseFloat(text);
    return Number.isNaN(number) ? (text === "ungraded" ? -1 : -2) : number;
  };

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    const worth = head.querySelector("small");
    button.append(...Array.from(head.childNodes).filter((node) => node !== worth));
    head.prepend(button);
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const descending = before ? before === "ascending" : column > 0;
      const sign = descending ? -1 : 1;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const compare = column
        ? (a, b) => value(a, column) - value(b, column)
        : (a, b) => collator.compare(texts.get(a)[0], texts.get(b)[0]);
      rows.sort((a, b) => sign * compare(a, b));
      body.append(...rows);
    });
  });

  const form = document.getElementById("filter");
  const name = document.getElementById("name");
  const state = document.getElementById("state");
  const shown = document.getElementById("shown");
  const filter = () => {
    const wanted = name.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      const states = (row.dataset.s || "").split(" ");
      const fits = texts.get(row)[0].toLowerCase().includes(wanted)
        && (!state.value || states.includes(state.value));
      row.hidden = !fits;
      count += fits;
    }
    shown.textContent = `${count} of ${rows.length} students`;
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", filter);
  form.hidden = false;
  filter();

  const map = document.getElementById("heat");
  const { head, row: height, cell: width, names, columns } =
    JSON.parse(document.getElementById("heat-data").textContent);
  const readout = document.getElementById("readout");
  const words = new Map(Array.from(document.querySelectorAll("#map .legend path"),
    (path) => [path.className.baseVal, path.closest("li").textContent.split(":")[0].trim()]));
  const nothing = readout.textContent;
  readout.hidden = false;
  map.addEventListener("pointermove", (event) => {
    const box = map.getBoundingClientRect();
    const scale = map.viewBox.baseVal.width / box.width;
    const x = (event.clientX - box.left) * scale;
    const name = names[Math.floor(((event.clientY - box.top) * scale - head) / height)];
    const column = columns.findLast((one) => one.x <= x);
    const number = column ? Math.floor((x - column.x) / width) : -1;
    const title = column && column.checks[number];
    const word = words.get(event.target.className.baseVal);
    readout.textContent = name && title && word
      ? `${name} · ${column.title} #${number + 1} ${title}: ${word}` : nothing;
  });
})();
