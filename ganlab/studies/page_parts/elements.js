/* Nodes of the page. Text of runs only ever becomes text, never markup. */

function make(tag, options, ...children) {
  const svg = ["svg", "g", "path", "line", "text", "rect", "circle", "title"].includes(tag);
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(options || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") node.style.cssText = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) node.append(child);
  }
  return node;
}

function section(id, title, ...children) {
  return make("section", { id }, make("h2", {}, title), ...children);
}

function key(colour) {
  return make("span", { class: "key", style: `background: var(--series-${colour % 8})` });
}

/* A button that is on or off. */
function toggle(label, on, change) {
  const button = make("button", { type: "button", "aria-pressed": String(on) }, label);
  button.addEventListener("click", () => {
    const now = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(now));
    change(now);
  });
  return button;
}

/* As numbers are read: four digits that count. */
function shown(value) {
  if (value === null || value === undefined) return "-";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(2).replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}

/* What the reader has set, kept while the page is loaded anew. */
const memory = {
  read(name, otherwise) {
    try {
      const text = sessionStorage.getItem("ganlab:" + document.title + ":" + name);
      return text === null ? otherwise : JSON.parse(text);
    } catch { return otherwise; }
  },
  write(name, value) {
    try { sessionStorage.setItem("ganlab:" + document.title + ":" + name, JSON.stringify(value)); } catch { /* private */ }
  },
};
