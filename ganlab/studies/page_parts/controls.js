/* What the reader sets for all charts at once: runs, smoothing, a logarithmic axis, and the way back from a zoom. */

function controls(view, runs) {
  view.smoothing = memory.read("smoothing", 0);
  view.logarithmic = memory.read("logarithmic", false);
  view.hidden = new Set(memory.read("hidden", []));
  const smoothing = make("input", { type: "range", id: "smoothing", min: 0, max: 1, step: 0.05, value: view.smoothing });
  smoothing.addEventListener("input", () => {
    memory.write("smoothing", Number(smoothing.value));
    view.set({ smoothing: Number(smoothing.value) });
  });
  const logarithmic = toggle("log scale", view.logarithmic, (on) => {
    memory.write("logarithmic", on);
    view.set({ logarithmic: on });
  });
  const whole = make("button", { type: "button", id: "whole", onclick: () => view.set({ range: null }) }, "whole range");
  return make("div", { class: "bar" },
    runs.length > 1 ? make("div", { class: "chips", id: "runs" }, runs.map((run) => runToggle(view, run))) : null,
    make("label", { for: "smoothing" }, "smoothing", smoothing), logarithmic, whole,
    make("span", { class: "soft small" }, "drag over a chart to zoom in"));
}

function runToggle(view, run) {
  return toggle([key(run.colour), run.label], !view.hidden.has(run.label), (on) => {
    view.show(run.label, on);
    memory.write("hidden", [...view.hidden]);
  });
}

/* Buttons that show and hide the charts of one group. */
function chartToggles(charts) {
  return make("div", { class: "chips", style: "margin-bottom: .7rem" }, charts.map((chart) => {
    const name = "chart:" + chart.label;
    const set = (on) => { chart.node.style.display = on ? "" : "none"; memory.write(name, on); };
    set(memory.read(name, true));
    return toggle(chart.label, memory.read(name, true), set);
  }));
}
