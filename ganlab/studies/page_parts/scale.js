/* Axes: where values stand, and round numbers to name. */

function niceTicks(low, high, count) {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / count;
  const power = Math.pow(10, Math.floor(Math.log10(rough)));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const ticks = [];
  for (let tick = Math.ceil(low / step - 1e-9) * step; tick <= high + step * 1e-9; tick += step) {
    ticks.push(Math.abs(tick) < step * 1e-9 ? 0 : tick);
  }
  return ticks;
}

function logTicks(low, high) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const n of [1, 2, 5]) ticks.push(n * Math.pow(10, power));
  }
  const inside = ticks.filter((tick) => tick >= low && tick <= high);
  const tens = inside.filter((tick) => Math.abs(Math.log10(tick) % 1) < 1e-9);
  if (inside.length <= 5) return inside.length > 1 ? inside : niceTicks(low, high, 4);
  return tens.length > 1 ? tens.filter((_, place) => place % Math.ceil(tens.length / 5) === 0) : inside;
}

function scaleOf(low, high, start, end, logarithmic) {
  const map = logarithmic ? Math.log10 : (value) => value;
  const [from, to] = [map(low), map(high)];
  const span = to - from || 1;
  const scale = (value) => start + ((map(value) - from) / span) * (end - start);
  scale.back = (place) => low + ((place - start) / (end - start)) * (high - low);
  scale.ticks = logarithmic ? logTicks(low, high) : niceTicks(low, high, 4);
  return scale;
}
