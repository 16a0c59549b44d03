"use strict";
// The page is whole without this: it sorts, filters, and leads from a cell of the map to the case.
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
    const small = head.querySelector("small");
    button.append(...Array.from(head.childNodes).filter((node) => node !== small));
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

  const data = JSON.parse(document.getElementById("heat-data").textContent);
  const rowAt = new Map(data.pages.map((page, row) => [page, row]));
  const links = new Map(rows.map((row) => [row, row.cells[0].querySelector("a")]));
  const pages = new Map(rows.map((row) => [row, links.get(row).getAttribute("href")]));
  // where each assignment's cells begin in a student's
  data.columns.reduce((first, column) => { column.first = first; return first + column.ids.length; }, 0);

  // where a cell leads: to the check on the student's page, or to the assignment if it was passed
  const caseOf = (row, column, number) => {
    const kind = data.cells[row][column.first + number];
    const place = "fets".includes(kind) ? column.places[number] : kind === "m" ? "" : column.anchor;
    return data.pages[row] + (place && `#${place}`);
  };

  // ------------------------------------------------------------ filters

  const form = document.getElementById("filter");
  const field = Object.fromEntries(["name", "state", "part", "how", "of", "from", "to"]
    .map((id) => [id, document.getElementById(id)]));
  const unset = Object.fromEntries(Object.entries(field).map(([id, one]) => [id, one.value]));
  const shown = document.getElementById("shown");

  const parts = new Map();
  for (const column of data.columns) {
    const group = document.createElement("optgroup");
    group.label = column.title;
    let number = 0;
    const add = (value, text, count) => {
      parts.set(value, { column, number, count, text: text.replace("– ", "") });
      group.append(new Option(text, value));
    };
    for (const [id, title, count] of column.questions) {
      add(`${column.id}/${id}/`, title, count);
      for (const last = number + count; number < last; number += 1) {
        add(`${column.id}/${column.ids[number]}`, `– ${number + 1} ${column.checks[number]}`, 1);
      }
    }
    field.part.append(group);
  }

  const how = {
    lost: (cells) => /[fets]/.test(cells), passed: (cells) => /^p+$/.test(cells),
    failed: (cells) => cells.includes("f"), error: (cells) => cells.includes("e"),
    timeout: (cells) => cells.includes("t"), skipped: (cells) => cells.includes("s"),
  };
  const cellsOf = (row, part) => {
    const first = part.column.first + part.number;
    return data.cells[rowAt.get(pages.get(row))].slice(first, first + part.count);
  };

  const names = new Map(rows.map((row) => [row, texts.get(row)[0].toLowerCase()]));
  const worth = heads.map((head) => parseFloat(head.querySelector("small")?.textContent.replace(" of ", "")));
  const percent = (row, column) => {
    const [earned, possible] = texts.get(row)[column].split(" of ").map(parseFloat);
    return 100 * earned / (possible || worth[column]);
  };

  const filter = () => {
    const wanted = field.name.value.trim().toLowerCase();
    const part = parts.get(field.part.value);
    field.how.disabled = !part;
    const column = field.of.selectedIndex ? field.of.selectedIndex : heads.length - 1;
    const from = parseFloat(field.from.value), to = parseFloat(field.to.value);
    const fits = (row) => {
      if (!names.get(row).includes(wanted)) return false;
      if (field.state.value && !(row.dataset.s || "").split(" ").includes(field.state.value)) return false;
      if (part && !how[field.how.value](cellsOf(row, part))) return false;
      if (Number.isNaN(from) && Number.isNaN(to)) return true;
      const score = percent(row, column);
      return !(Number.isNaN(score) || score < from || score > to);
    };
    const pale = [];
    let count = 0;
    for (const row of rows) {
      const at = rowAt.get(pages.get(row));
      row.hidden = !fits(row);
      count += !row.hidden;
      if (row.hidden) pale.push(`M0 ${data.head + at * data.row}h${map.viewBox.baseVal.width}v${data.row}H0z`);
      // where one check is asked for, a name leads to the case
      links.get(row).href = part && part.count === 1 ? caseOf(at, part.column, part.number) : pages.get(row);
    }
    veil.setAttribute("d", pale.join(""));
    shown.textContent = `${count} of ${rows.length} students`;
  };

  // what is filtered stands in the address, so that it can be shared
  const remember = () => {
    const set = Object.entries(field).filter(([id, one]) => one.value !== unset[id] && !one.disabled);
    const hash = new URLSearchParams(set.map(([id, one]) => [id, one.value])).toString();
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  };
  const recall = () => {
    if (!location.hash.includes("=")) return;
    const asked = new URLSearchParams(location.hash.slice(1));
    for (const [id, one] of Object.entries(field)) {
      one.disabled = false;
      one.value = asked.get(id) ?? unset[id];
      if (one.selectedIndex === -1) one.value = unset[id]; // nothing of that name is here any more
    }
    filter();
    document.getElementById("students").scrollIntoView();
  };

  const map = document.getElementById("heat");
  const veil = document.createElementNS("http://www.w3.org/2000/svg", "path");
  veil.setAttribute("class", "pale");
  map.append(veil);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => { filter(); remember(); });
  form.addEventListener("reset", () => setTimeout(() => { filter(); remember(); }));
  addEventListener("hashchange", recall);
  form.hidden = false;
  filter();
  recall();

  // ------------------------------------------------------------ a table of what is shown

  const quoted = (text) => {
    let line = text.replace(/\s+/g, " ").trim();
    // what a spreadsheet would take for a formula is marked as text
    const first = line.replace(/^'+/, "").slice(0, 1).normalize("NFKC").slice(0, 1);
    if (first && "=+-@\u2212".includes(first)) line = `'${line}`;
    return /[",]/.test(line) ? `"${line.replaceAll('"', '""')}"` : line;
  };
  document.getElementById("csv").addEventListener("click", () => {
    const part = parts.get(field.part.value);
    const said = (row) => Array.from(cellsOf(row, part), (kind) => data.kinds[kind]).join("; ");
    const title = (head) => (head.querySelector("button") ?? head).textContent;
    const lines = [heads.map(title).concat(part ? [`${part.column.title}: ${part.text}`] : [])];
    for (const row of rows) {
      if (!row.hidden) lines.push(texts.get(row).concat(part ? [said(row)] : []));
    }
    const csv = lines.map((line) => `${line.map(quoted).join(",")}\r\n`).join("");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
    link.download = "shown.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });

  // ------------------------------------------------------------ the map

  const readout = document.getElementById("readout");
  const cell = document.getElementById("case");
  const count = data.columns.reduce((sum, column) => sum + column.ids.length, 0);
  let row = 0, at = 0;

  const show = () => {
    const column = data.columns.findLast((one) => one.first <= at && one.ids.length);
    const number = at - column.first;
    const scale = map.getBoundingClientRect().width / map.viewBox.baseVal.width;
    cell.style.left = `${(column.x + number * data.cell) * scale}px`;
    cell.style.top = `${(data.head + row * data.row) * scale}px`;
    cell.style.width = `${data.cell * scale}px`;
    cell.style.height = `${data.row * scale}px`;
    cell.href = caseOf(row, column, number);
    const kind = data.kinds[data.cells[row][at]];
    readout.textContent = `${data.names[row]} · ${column.title} #${number + 1} ${column.checks[number]}: ${kind}`;
    cell.setAttribute("aria-label", readout.textContent);
  };
  const under = (event) => {
    const box = map.getBoundingClientRect();
    const scale = map.viewBox.baseVal.width / box.width;
    const x = (event.clientX - box.left) * scale;
    const found = Math.floor(((event.clientY - box.top) * scale - data.head) / data.row);
    const column = data.columns.findLast((one) => one.x <= x);
    const number = column ? Math.floor((x - column.x) / data.cell) : -1;
    if (!data.cells[found] || number < 0 || number >= column.ids.length) return;
    [row, at] = [found, column.first + number];
    show();
  };
  if (count && data.cells.length) {
    readout.hidden = cell.hidden = document.getElementById("map-keys").hidden = false;
    const nothing = readout.textContent;
    show();
    readout.textContent = nothing;
    map.parentElement.addEventListener("pointermove", under);
    cell.addEventListener("focus", show);
    cell.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      row = Math.min(Math.max(row + step[0], 0), data.cells.length - 1);
      at = Math.min(Math.max(at + step[1], 0), count - 1);
      show();
      cell.scrollIntoView({ block: "nearest", inline: "nearest" });
    });
  }
})();
