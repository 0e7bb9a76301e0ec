// Sort the tables in elements of the class "sortable" by a click on the head of a column: numbers by their first value, texts by
// the alphabet. A cell such as "1,815 ± 94.8" or "-46% (-49% to -44%)" counts as its first number; cells without one come last.
"use strict";

function valueOf(cell) {
  const text = cell.textContent.trim();
  const match = text.match(/^[+-]?\d[\d,]*(\.\d+)?(e[+-]?\d+)?/i);
  return { text, number: match ? Number(match[0].replaceAll(",", "")) : null };
}

function compare(a, b) {
  if (a.number !== null && b.number !== null) return a.number - b.number;
  if (a.number !== null || b.number !== null) return 0;
  return a.text.localeCompare(b.text);
}

function sortBy(table, header, column) {
  const direction = header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", direction);
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({ row, value: valueOf(row.cells[column]) }));
  const numeric = rows.some(({ value }) => value.number !== null);
  const lacking = numeric ? rows.filter(({ value }) => value.number === null) : [];
  const sorted = rows.filter((entry) => !lacking.includes(entry)).sort((a, b) => compare(a.value, b.value));
  if (direction === "descending") sorted.reverse();
  body.append(...[...sorted, ...lacking].map(({ row }) => row));
}

for (const table of document.querySelectorAll(".sortable table")) {
  [...table.tHead.rows[0].cells].forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sortBy(table, header, column));
    header.append(button);
  });
}
