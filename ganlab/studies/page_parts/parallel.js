/* Parallel coordinates: an axis for each parameter and one for the target, a line for each trial. */

class ParallelCoordinates {
  /* axes: [{name, hint, words}] or [{name, hint, log}]; lines: [{label, values, texts, value, stopped}]. */
  constructor(axes, lines, metric, minimize) {
    this.axes = [...axes, { name: metric, hint: metric, log: false, target: true }];
    this.lines = lines.map((line) => ({ ...line, values: [...line.values, line.value], texts: [...line.texts, shown(line.value)] }));
    const values = lines.map((line) => line.value);
    this.bounds = [Math.min(...values), Math.max(...values)];
    Object.assign(this, { minimize, height: 300, top: 48, bottom: 272 });
    this.readout = make("div", { class: "readout" });
    this.svg = make("svg", { role: "img", height: this.height, id: "parallel", "aria-label":
      `parallel coordinates of ${lines.length} trials over ${this.axes.map((axis) => axis.name).join(", ")}` });
    this.svg.style.minWidth = `${this.axes.length * 120}px`;
    this.node = make("div", { class: "chart card parallel" }, this.readout, make("div", { class: "sideways", tabindex: 0 }, this.svg));
    new ResizeObserver(() => this.draw()).observe(this.svg);
  }

  draw() {
    const width = this.svg.clientWidth;
    if (!width || width === this.width) return;
    this.width = width;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
    this.svg.replaceChildren();
    const step = (width - 130) / (this.axes.length - 1);
    this.axes.forEach((axis, place) => { axis.x = 65 + place * step; this.scale(axis, place); });
    const order = [...this.lines].sort((a, b) => this.goodness(a.value) - this.goodness(b.value));
    for (const line of order) this.svg.append(this.path(line));
    for (const axis of this.axes) this.drawAxis(axis);
    this.say(null);
  }

  scale(axis, place) {
    if (axis.words) {
      const room = (this.bottom - this.top) / Math.max(axis.words.length, 1);
      axis.y = (value) => this.top + (axis.words.indexOf(String(value)) + 0.5) * room;
      axis.ticks = axis.words.map((word) => [axis.y(word), word]);
      return;
    }
    const values = this.lines.map((line) => line.values[place]);
    let [low, high] = [Math.min(...values), Math.max(...values)];
    if (low === high) { low -= Math.abs(low) * 0.1 || 1; high += Math.abs(high) * 0.1 || 1; }
    const good = axis.target && this.minimize;
    const y = scaleOf(low, high, good ? this.top : this.bottom, good ? this.bottom : this.top, axis.log && low > 0);
    axis.y = y;
    axis.ticks = y.ticks.map((tick) => [y(tick), shown(tick)]);
  }

  /* From 0, the worst, to 1, the best. */
  goodness(value) {
    const [low, high] = this.bounds;
    const share = high > low ? (value - low) / (high - low) : 1;
    return this.minimize && high > low ? 1 - share : share;
  }

  path(line) {
    const d = this.axes.map((axis, place) => `${place ? "L" : "M"}${axis.x.toFixed(1)} ${axis.y(line.values[place]).toFixed(1)}`);
    const good = Math.round(this.goodness(line.value) * 100);
    const path = make("path", { class: "line" + (line.stopped ? " stopped" : ""), d: d.join(""),
      style: `stroke: color-mix(in oklab, var(--good-line) ${good}%, var(--bad-line)); opacity: ${0.3 + 0.006 * good}` },
    make("title", {}, line.label));
    path.addEventListener("pointerenter", () => { path.classList.add("strong"); this.say(line); });
    path.addEventListener("pointerleave", () => { path.classList.remove("strong"); this.say(null); });
    return path;
  }

  drawAxis(axis) {
    this.svg.append(make("line", { class: "axis", x1: axis.x, x2: axis.x, y1: this.top, y2: this.bottom }),
      make("text", { class: "name", x: axis.target ? axis.x + 60 : axis.x, y: this.axes.indexOf(axis) % 2 ? 34 : 16,
        "text-anchor": axis.target ? "end" : "middle" }, axis.name, make("title", {}, axis.hint)));
    for (const [y, text] of axis.ticks) {
      this.svg.append(make("text", { x: axis.x + 6, y: y + 4, class: "tick" }, text));
    }
  }

  say(line) {
    const text = line === null ? "a line is a trial, blue ones are the best; dashed ones were stopped early; point at one to read it"
      : `${line.label}: ` + this.axes.map((axis, place) => `${axis.name} ${line.texts[place]}`).join(", ");
    this.readout.textContent = text;
  }
}
