/* A slider through the sample grids of runs, all at one moment, with the reals beside them. */

function sampleViewer(runs) {
  const moments = [...new Set(runs.flatMap((run) => run.samples.map((each) => each.kimg)))].sort((a, b) => a - b);
  if (!moments.length) return null;
  const views = runs.filter((run) => run.samples.length).map((run) => {
    const image = make("img", { alt: "", class: "grid-of-samples", decoding: "sync" });
    const caption = make("figcaption");
    return { run, image, caption, node: make("figure", { class: "card" }, caption, image) };
  });
  const slider = make("input", { type: "range", id: "moment", min: 0, max: moments.length - 1, step: 1,
    "aria-label": "moment of the samples" });
  const output = make("output", { for: "moment" });
  const show = () => {
    const kimg = moments[slider.value];
    output.textContent = `${shown(kimg)} kimg`;
    slider.setAttribute("aria-valuetext", output.textContent);
    for (const view of views) {
      const before = view.run.samples.filter((each) => each.kimg <= kimg);
      const sample = before[before.length - 1] || view.run.samples[0];
      if (view.image.getAttribute("src") !== sample.src) view.image.src = sample.src;
      view.image.alt = `samples of ${view.run.label} at ${shown(sample.kimg)} kimg`;
      const other = sample.kimg === kimg ? "" : ` (of ${shown(sample.kimg)} kimg)`;
      view.caption.replaceChildren(...(runs.length > 1 ? [key(view.run.colour)] : []), `samples, ${view.run.label}${other}`);
    }
  };
  const kept = memory.read("moment", null);
  slider.value = kept === null ? moments.length - 1 : Math.min(kept, moments.length - 1);
  slider.addEventListener("input", () => {
    memory.write("moment", Number(slider.value) === moments.length - 1 ? null : Number(slider.value));
    show();
  });
  show();
  return [make("div", { class: "player" }, playButton(slider), slider, output),
    make("div", { class: "samples" }, views.map((view) => view.node), realFigures(runs))];
}

function realFigures(runs) {
  const pictures = new Map();
  for (const run of runs) if (run.reals) pictures.set(run.reals, [...(pictures.get(run.reals) || []), run.label]);
  return [...pictures].map(([src, labels]) => make("figure", { class: "card" },
    make("figcaption", {}, pictures.size > 1 ? `reals of ${labels.join(", ")}` : "reals"),
    make("img", { src, alt: "real examples" })));
}

function playButton(slider) {
  let timer = null;
  const button = make("button", { type: "button", id: "play" }, "play");
  const stop = () => { clearInterval(timer); timer = null; button.textContent = "play"; };
  const step = () => {
    if (Number(slider.value) >= Number(slider.max)) { stop(); return; }
    slider.value = Number(slider.value) + 1;
    slider.dispatchEvent(new Event("input"));
  };
  button.addEventListener("click", () => {
    if (timer !== null) { stop(); return; }
    if (slider.value === slider.max) slider.value = 0;
    slider.dispatchEvent(new Event("input"));
    button.textContent = "stop";
    timer = setInterval(step, 600);
  });
  return button;
}
