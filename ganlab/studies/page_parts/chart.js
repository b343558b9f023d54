/* One number over kimg, a line for each run. All charts of a page share one `View`. */

class View {
  constructor() {
    this.charts = [];
    this.range = null;
    this.smoothing = 0;
    this.logarithmic = false;
    this.hidden = new Set();
  }
  set(changes) {
    Object.assign(this, changes);
    for (const chart of this.charts) chart.refresh();
  }
  show(run, visible) {
    if (visible) this.hidden.delete(run); else this.hidden.add(run);
    this.set({});
  }
}

class Chart {
  /* series: [{run, label, colour, x, y}] with null for what was not finite; events: [{x, text}]. */
  constructor(view, { title, label = title, note, series, events = [], marks = false }) {
    Object.assign(this, { view, title, label, series, events, marks, height: 180, stale: true, near: false });
    this.readout = make("div", { class: "readout" });
    this.svg = make("svg", { role: "img", height: this.height });
    this.node = make("div", { class: "chart card", "data-name": title },
      make("h3", {}, title, note ? make("span", { class: "soft small" }, " " + note) : null), this.readout, this.svg);
    this.listen();
    view.charts.push(this);
    new IntersectionObserver(([entry]) => { this.near = entry.isIntersecting; this.draw(); }, { rootMargin: "300px" })
      .observe(this.node);
    new ResizeObserver(() => this.refresh()).observe(this.svg);
  }

  refresh() { this.stale = true; this.draw(); }

  visible() { return this.series.filter((each) => !this.view.hidden.has(each.run)); }

  domain() {
    const ends = this.series.flatMap((each) => [each.x[0], each.x[each.x.length - 1]]);
    const [low, high] = [Math.min(0, ...ends), Math.max(...ends)];
    return this.view.range || [low, high > low ? high : low + 1];
  }

  halfLife([low, high]) { return this.marks ? 0 : Math.pow(this.view.smoothing, 2) * (high - low) * 0.2; }

  draw() {
    const width = this.svg.clientWidth;
    if (!this.stale || !this.near || !width) return;
    this.stale = false;
    const domain = this.domain();
    const half = this.halfLife(this.view.range ? [this.view.range[0], this.view.range[1]] : domain);
    this.lines = this.visible().map((each) => ({ ...each, smooth: smooth(each.x, each.y, half) }));
    const values = this.values(domain);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
    this.svg.replaceChildren();
    if (!values.length) {
      this.svg.append(make("text", { x: width / 2, y: this.height / 2, "text-anchor": "middle" }, "nothing here"));
      this.say(null);
      return;
    }
    this.scales(width, domain, values);
    this.axes(width);
    this.paths(half);
    this.svg.setAttribute("aria-label", this.title + ": " + this.lines.map((line) => {
      const known = line.y.filter((y) => y !== null);
      return `${line.label} from ${shown(known[0])} to ${shown(known[known.length - 1])}`;
    }).join(", "));
    this.say(null);
  }

  values([low, high]) {
    const inside = [];
    for (const line of this.lines) {
      line.x.forEach((x, place) => {
        if (x < low || x > high || line.y[place] === null) return;
        inside.push(line.smooth[place]);
        if (line.x.length < 60) inside.push(line.y[place]);
      });
    }
    return inside;
  }

  scales(width, domain, values) {
    let low = Math.min(...values), high = Math.max(...values);
    const logarithmic = this.view.logarithmic && low > 0;
    if (low === high) { low -= Math.abs(low) * 0.1 || 1; high += Math.abs(high) * 0.1 || 1; }
    else if (logarithmic) { const room = Math.pow(high / low, 0.06); low /= room; high *= room; }
    else { const room = (high - low) * 0.06; low = low >= 0 && low - room < 0 ? 0 : low - room; high += room; }
    this.x = scaleOf(domain[0], domain[1], 48, width - 10, false);
    this.y = scaleOf(low, high, this.height - 22, 8, logarithmic);
  }

  axes(width) {
    for (const tick of this.y.ticks) {
      const y = this.y(tick);
      this.svg.append(make("line", { class: "rule", x1: 48, x2: width - 10, y1: y, y2: y }),
        make("text", { x: 43, y: y + 4, "text-anchor": "end" }, shown(tick)));
    }
    this.svg.append(make("text", { x: 36, y: this.height - 6, "text-anchor": "end" }, "kimg"));
    for (const tick of this.x.ticks) {
      const anchor = this.x(tick) > width - 25 ? "end" : "middle";
      this.svg.append(make("text", { x: this.x(tick), y: this.height - 6, "text-anchor": anchor }, shown(tick)));
    }
    for (const event of this.events) {
      if (this.view.hidden.has(event.run)) continue;
      const x = this.x(event.x);
      if (x >= 48 && x <= width - 10) {
        this.svg.append(make("line", { class: "event", x1: x, x2: x, y1: 8, y2: this.height - 22 }));
      }
    }
    this.cursor = make("line", { class: "cursor", y1: 8, y2: this.height - 22, visibility: "hidden" });
    this.band = make("rect", { class: "band", y: 8, height: this.height - 30, visibility: "hidden" });
    this.svg.append(this.cursor, this.band);
  }

  paths(half) {
    const clip = ([, x]) => x >= 47 && x <= this.svg.clientWidth - 9;
    for (const line of this.lines) {
      const stroke = `stroke: var(--series-${line.colour % 8})`;
      if (half > 0) this.svg.append(make("path", { class: "raw", d: this.path(line.x, line.y), style: stroke }));
      this.svg.append(make("path", { class: "line", d: this.path(line.x, line.smooth), style: stroke }));
      if (!this.marks && line.x.length > 1) continue;
      const points = line.x.map((x, place) => [line.y[place], this.x(x)]).filter(clip).filter(([y]) => y !== null);
      for (const [y, x] of points) {
        this.svg.append(make("circle", { cx: x, cy: this.y(y), r: 3, style: `fill: var(--series-${line.colour % 8})` }));
      }
    }
  }

  path(xs, ys) {
    const width = this.svg.clientWidth, parts = [];
    let open = false;
    xs.forEach((x, place) => {
      const px = this.x(x);
      if (ys[place] === null || px < 47 || px > width - 9) { open = false; return; }
      const py = Math.min(Math.max(this.y(ys[place]), 2), this.height - 20);
      parts.push(`${open ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`);
      open = true;
    });
    return parts.join("");
  }

  say(at) {
    const texts = (this.lines || []).map((line) => {
      const place = at === null ? line.x.length - 1 : nearest(line.x, at);
      const value = line.y[place];
      const text = value === null ? "not finite" : shown(value);
      return [key(line.colour), `${text} `, at === null ? null : make("span", {}, `at ${shown(line.x[place])} kimg `)];
    });
    this.readout.replaceChildren(...texts.flat().filter((each) => each !== null));
  }

  listen() {
    const place = (event) => event.clientX - this.svg.getBoundingClientRect().left;
    let start = null;
    this.svg.addEventListener("pointerdown", (event) => { start = place(event); this.svg.setPointerCapture(event.pointerId); });
    this.svg.addEventListener("pointermove", (event) => {
      if (!this.x || !this.cursor) return;
      const now = place(event);
      this.cursor.setAttribute("visibility", "visible");
      this.cursor.setAttribute("x1", now);
      this.cursor.setAttribute("x2", now);
      this.say(this.x.back(now));
      if (start === null) return;
      this.band.setAttribute("visibility", "visible");
      this.band.setAttribute("x", Math.min(start, now));
      this.band.setAttribute("width", Math.abs(now - start));
    });
    this.svg.addEventListener("pointerup", (event) => {
      const from = start, to = place(event);
      start = null;
      if (from === null || Math.abs(to - from) < 8 || !this.x) return;
      const whole = this.domain();
      const ends = [this.x.back(Math.min(from, to)), this.x.back(Math.max(from, to))];
      this.view.set({ range: [Math.max(ends[0], whole[0]), Math.min(ends[1], whole[1])] });
    });
    this.svg.addEventListener("pointercancel", () => { start = null; if (this.band) this.band.setAttribute("visibility", "hidden"); });
    this.svg.addEventListener("pointerleave", () => {
      if (this.cursor) this.cursor.setAttribute("visibility", "hidden");
      this.say(null);
    });
    this.svg.addEventListener("dblclick", () => this.view.set({ range: null }));
  }
}

function nearest(xs, at) {
  let best = 0;
  xs.forEach((x, place) => { if (Math.abs(x - at) < Math.abs(xs[best] - at)) best = place; });
  return best;
}
