/* A moving average that looks back: a point counts half after `halfLife` of the axis. Gaps stay gaps. */

function smooth(xs, ys, halfLife) {
  if (!(halfLife > 0)) return ys;
  let sum = 0, weight = 0, last = null;
  return ys.map((y, place) => {
    if (y === null) return null;
    const keep = last === null ? 0 : Math.pow(0.5, (xs[place] - last) / halfLife);
    sum = sum * keep + y;
    weight = weight * keep + 1;
    last = xs[place];
    return sum / weight;
  });
}
