/* The page of some runs, from the data that stand in it. */

const data = JSON.parse(document.getElementById("data").textContent);
const runs = data.runs;
const view = new View();

function titleBlock() {
  const states = runs.map((run) => make("p", {}, runs.length > 1 ? [key(run.colour), make("strong", {}, run.label + " ")] : null,
    make("span", { class: "state " + run.state }, run.state), " ", make("span", { class: "soft" }, run.state_text)));
  return [make("div", { class: "head" }, make("h1", {}, data.title), themeButton()), states,
    runs.length === 1 ? factCards(runs[0]) : null];
}

function factCards(run) {
  return make("dl", { class: "facts" }, run.facts.map(([label, value]) =>
    make("div", { class: "card" }, make("div", { class: "label" }, label), make("div", { class: "value" }, value))));
}

function charts(groups, marks) {
  const made = groups.map((group) => chartGroup(group, marks));
  return [make("div", { class: "groups" }, made.filter((each) => each.tagName === "DIV")),
    ...made.filter((each) => each.tagName !== "DIV")];
}

function chartGroup(group, marks) {

  const made = group.charts.map((each) => new Chart(view, {
    title: each.name, label: each.label, note: each.note, marks,
    series: each.curves.map((curve) => ({ ...curve, label: runs[curve.run].label, colour: runs[curve.run].colour,
      run: runs[curve.run].label })),
    events: data.marks.map((mark) => ({ x: mark.kimg, run: runs[mark.run].label })),
  }));
  const body = [made.length > 1 ? chartToggles(made) : null, make("div", { class: "grid" }, made.map((chart) => chart.node))];
  return group.open ? make("div", { style: `--charts: ${Math.min(made.length, 3)}` }, make("h3", {}, group.title), body)
    : make("details", {}, make("summary", {}, group.title), body);
}

function metricSection() {
  if (!data.table.columns.length) return null;
  const columns = data.table.columns.map((column) => ({ title: column.title, number: column.number, hint: column.hint }));
  return section("metrics", "Metrics", data.table.remarks.map((remark) => make("p", { class: "note" }, remark)),
    sortableTable(columns, data.table.rows, { id: "numbers" }),
    data.table.spread ? make("p", { class: "soft small" }, "± is the standard deviation over the seeds of one spec.") : null,
    protocols(), charts(data.metrics, true));
}

function protocols() {
  return make("details", {}, make("summary", {}, "How the numbers were measured"),
    sortableTable([{ title: "protocol" }, ...data.protocols.map((each) => ({ title: `[${each.number}]` }))],
      data.protocol_rows.map((row) => [row.name, ...row.values.map((text) => ({ text, differs: row.differs }))]), { id: "protocols" }));
}

function differenceSection() {
  if (runs.length < 2) return null;
  const rows = data.differences.map((row) => [row.key, ...row.values]);
  const columns = [{ title: "key" }, ...runs.map((run) => ({ title: run.label }))];
  return section("differences", "Differences between the specs",
    rows.length ? sortableTable(columns, rows, { id: "settings" }) : make("p", { class: "soft" }, "None: the specs are equal."));
}

function eventSection() {
  const rows = runs.flatMap((run) => run.events.map((event) =>
    [{ text: shown(event.kimg), value: event.kimg }, ...(runs.length > 1 ? [{ text: run.label, colour: run.colour }] : []),
      event.kind, event.text, { text: readable(event.when), nowrap: true }]));
  const columns = [{ title: "kimg", number: true }, ...(runs.length > 1 ? [{ title: "run" }] : []), { title: "event" },
    { title: "what happened" }, { title: "when (UTC)" }];
  return section("events", "Events", rows.length ? sortableTable(columns, rows, { id: "diary" })
    : make("p", { class: "soft" }, "Nothing out of the ordinary was written down."));
}

function readable(moment) { return moment ? moment.slice(0, 19).replace("T", " ") : "-"; }

function specSection() {
  return section("spec", runs.length > 1 ? "Resolved specs" : "Resolved spec", runs.map((run) => specBlock(run.label, run.spec)));
}

function tablesOf(id, title, name, columns) {
  return section(id, title, runs.map((run) => [runs.length > 1 ? make("h3", { style: "margin-top: 1rem" }, key(run.colour), run.label) : null,
    run[name].length ? sortableTable(columns, run[name], { fixed: id === "provenance" }) : make("p", { class: "soft" }, "None.")]));
}

function build() {
  const samples = sampleViewer(runs);
  const parts = [
    samples && section("samples", "Samples", samples),
    controls(view, runs),
    metricSection(),
    data.terms.length ? section("curves", "Terms of the training", charts(data.terms, false)) : null,
    data.system.length ? section("system", "System", charts(data.system, false)) : null,
    differenceSection(), eventSection(), specSection(),
    tablesOf("provenance", "Provenance", "provenance", [{ title: "what" }, { title: "value" }]),
    tablesOf("checkpoints", "Checkpoints", "checkpoints", [{ title: "file" }, { title: "kimg", number: true },
      { title: "size", number: true }, { title: "remark" }]),
  ].filter(Boolean);
  const links = parts.filter((part) => part.id).map((part) => make("a", { href: "#" + part.id }, part.querySelector("h2").textContent));
  document.getElementById("page").replaceChildren(...titleBlock().flat(Infinity).filter(Boolean), make("nav", {}, links), ...parts,
    make("p", { class: "soft small", style: "margin-top: 2.5rem" }, data.footer));
}

build();
addEventListener("beforeprint", () => view.charts.forEach((chart) => { chart.near = true; chart.draw(); }));
if (data.live) setTimeout(() => location.reload(), data.live * 1000);
