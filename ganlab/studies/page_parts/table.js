/* A table that sorts by a click on a column. cells: text, or {text, value, best, differs, link, colour, nowrap}. */

function sortableTable(columns, rows, options = {}) {
  const body = make("tbody");
  const cellOf = (cell) => (cell !== null && typeof cell === "object" ? cell : { text: cell });
  const entries = rows.map((row) => {
    const cells = row.map(cellOf);
    const nodes = cells.map((cell, place) => {
      const kind = [columns[place].number ? "number" : "wrap", cell.best && "best", cell.differs && "differs", cell.nowrap && "nowrap"];
      const text = cell.text === null || cell.text === undefined ? "-" : String(cell.text);
      return make("td", { class: kind.filter(Boolean).join(" ") }, cell.colour === undefined ? null : key(cell.colour),
        cell.link ? make("a", { href: cell.link }, text) : text);
    });
    return { cells, node: make("tr", {}, nodes) };
  });
  const heads = columns.map((column, place) => {
    const head = make("th", { scope: "col", class: column.number ? "number" : null, title: column.hint || null });
    if (options.fixed) head.append(column.title);
    else head.append(make("button", { type: "button", onclick: () => sort(place) }, column.title));
    return head;
  });
  const sort = (place) => {
    const down = heads[place].getAttribute("aria-sort") === "ascending";
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[place].setAttribute("aria-sort", down ? "descending" : "ascending");
    const order = [...entries].sort((a, b) => compareCells(a.cells[place], b.cells[place], down));
    body.replaceChildren(...order.map((entry) => entry.node));
  };
  body.append(...entries.map((entry) => entry.node));
  return make("div", { class: "scroll", tabindex: 0 },
    make("table", { id: options.id || null }, make("thead", {}, make("tr", {}, heads)), body));
}

/* What has no value comes last, whichever way. */
function compareCells(a, b, down) {
  const [left, right] = [a, b].map((cell) => (cell.value !== undefined ? cell.value : cell.text));
  const missing = (value) => value === null || value === undefined || value === "-";
  if (missing(left) || missing(right)) return Number(missing(left)) - Number(missing(right));
  const numbers = typeof left === "number" && typeof right === "number";
  const order = numbers ? left - right : String(left).localeCompare(String(right), undefined, { numeric: true });
  return down ? -order : order;
}
