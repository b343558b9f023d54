/* The page of a sweep, from the data that stand in it. */

const data = JSON.parse(document.getElementById("data").textContent);
const view = new View();

/* The target of all trials: the best have colours, and a cross ends those that were stopped early. */
class TrialChart extends Chart {
  paths() {
    for (const line of this.lines) {
      const plain = line.colour === null;
      const stroke = plain ? "stroke: var(--soft); opacity: .35" : `stroke: var(--series-${line.colour % 8})`;
      this.svg.append(make("path", { class: "line" + (plain ? " thin" : ""), d: this.path(line.x, line.smooth), style: stroke },
        make("title", {}, line.label)));
      if (line.stopped || line.x.length === 1) this.end(line, stroke);
    }
  }

  end(line, stroke) {
    const last = line.y.findLastIndex((y) => y !== null);
    if (last < 0) return;
    const [x, y] = [this.x(line.x[last]), this.y(line.smooth[last])];
    const mark = line.stopped ? `M${x - 4} ${y - 4}L${x + 4} ${y + 4}M${x - 4} ${y + 4}L${x + 4} ${y - 4}` : `M${x - 3} ${y}L${x + 3} ${y}`;
    this.svg.append(make("path", { class: line.stopped ? "line cross" : "line", d: mark, style: stroke.replace(".35", "1") }));
  }

  say(at) {
    const lines = this.lines;
    this.lines = lines.filter((line) => line.colour !== null);
    super.say(at);
    this.lines = lines;
  }
}

function titleBlock() {
  return [make("div", { class: "head" }, make("h1", {}, data.title), themeButton()),
    make("p", { class: "soft" }, data.text), data.description ? make("p", {}, data.description) : null,
    make("dl", { class: "facts" }, data.facts.map(([label, value]) =>
      make("div", { class: "card" }, make("div", { class: "label" }, label), make("div", { class: "value" }, value))))];
}

function leaderboard() {
  if (!data.rows.length) return section("leaderboard", "Leaderboard", make("p", { class: "soft" }, "No trial has begun."));
  return section("leaderboard", "Leaderboard",
    make("p", { class: "soft small" }, `The ${data.minimize ? "lowest" : "highest"} ${data.metric} of each trial. `
      + (data.seeded ? "Mean and standard deviation are over the seeds of a configuration." : "")),
    sortableTable(data.columns, data.rows, { id: "ranks" }));
}

function parallel() {
  if (data.lines.length < 2 || !data.axes.length) return null;
  return section("parameters", "Parameters and target", new ParallelCoordinates(data.axes, data.lines, data.metric, data.minimize).node);
}

function importance() {
  const bars = data.importance.map(({ name, share }) => make("div", { class: "bar-row" }, make("span", {}, name),
    make("span", { class: "bar-track" }, make("span", { class: "bar-fill", style: `width: ${(share * 100).toFixed(1)}%` })),
    make("span", { class: "bar-value" }, `${Math.round(share * 100)} %`)));
  return section("importance", "Importance of the parameters", bars.length ? make("div", { class: "card", id: "bars" }, bars) : null,
    make("p", { class: "soft small", style: "margin-top: .5rem" }, data.importance_remark));
}

function curves() {
  if (!data.curves.length) return null;
  const chart = new TrialChart(view, { title: data.metric, note: "over kimg; a cross: stopped early",
    series: data.curves.map((curve) => ({ ...curve, run: curve.label })) });
  chart.height = 300;
  chart.svg.setAttribute("height", 300);
  return section("curves", "Curves of the trials", controls(view, []), chart.node);
}

function winner() {
  if (!data.winner) return null;
  const spec = data.winner.spec ? specBlock(`resolved spec of ${data.winner.label}`, data.winner.spec)
    : make("p", { class: "soft" }, "The run of the best trial is not on this machine.");
  return section("winner", "The winner", copyable(data.winner.command), spec);
}

function trials() {
  const columns = [{ title: "trial", number: true }, { title: "state" }, { title: "seed", number: true }, { title: "best", number: true },
    { title: "at kimg", number: true }, { title: "iterations", number: true }, { title: "time" }, { title: "sessions", number: true },
    { title: "reason" }];
  return section("trials", "All trials", sortableTable(columns, data.trials, { id: "every" }));
}

function build() {
  const samples = data.samples.length ? sampleViewer(data.samples) : null;
  const parts = [leaderboard(), parallel(), importance(), curves(), samples && section("samples", "Samples of the best", samples),
    winner(), data.trials.length ? trials() : null].filter(Boolean);
  const links = parts.map((part) => make("a", { href: "#" + part.id }, part.querySelector("h2").textContent));
  document.getElementById("page").replaceChildren(...titleBlock().filter(Boolean), make("nav", {}, links), ...parts,
    make("p", { class: "soft small", style: "margin-top: 2.5rem" }, data.footer));
}

build();
