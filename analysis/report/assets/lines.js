// Lines beside the map: the chosen row and column of it, and the series that belong to the chosen cell.

function fill(plot, name, line, theory, here) {
  const finite = (values) => values.map((value) => (Number.isFinite(value) ? value : NaN));
  const kind = line.kind;
  const words = line.x.map((x, i) =>
    `${x}: ${said(line.median[i], kind)} (${saidBetween(line.low[i], line.high[i], kind)})`);
  plot.document.get_model_by_name(`${name}-line`).data = {
    x: line.x, words, low: finite(line.low), median: finite(line.median), high: finite(line.high),
  };
  plot.document.get_model_by_name(`${name}-theory`).data = theory ? { x: line.x, y: finite(theory) } : { x: [], y: [] };
  const [span] = plot.center.filter((each) => each.type === "Span");
  span.visible = here !== undefined;
  if (span.visible) span.location = here;
  for (const axis of plot.left) if (axis.axis_label !== undefined) axis.axis_label = line.words;
}

// The map's values along one of its axes, through the chosen cell.
function slice(map, along) {
  const { value, facet, column } = map.state();
  const { cells, chosen } = map;
  const places = cells[along].values.map((_, place) =>
    along === "x" ? cells.at(facet, chosen.row, place) : cells.at(facet, place, chosen.column));
  const there = places.map((at, place) => [at, place]).filter(([at]) => cells.seeds[at]);
  const position = (place) =>
    typeof cells[along].values[place] === "number" ? cells[along].values[place] : place;
  const take = (array) => there.map(([at]) => array[at]);
  const line = {
    x: there.map(([, place]) => position(place)),
    median: take(value.median), low: take(value.low), high: take(value.high),
    kind: value.kind, words: value.kind === "decades" ? "log10" : value.words,
  };
  const theory = cells.theory?.of === column ? take(cells.theory.predicted) : null;
  return { line, theory, here: position(along === "x" ? chosen.column : chosen.row) };
}

// The layers of the chosen cell, or its learning curve.
class Series {
  constructor(series) {
    this.points = series.points;
    this.starts = [0];
    for (const of_x of series.points) this.starts.push(this.starts.at(-1) + of_x.length);
    this.values = {};
    for (const [column, value] of Object.entries(series.values)) {
      const median = unpack(value.median);
      const ends = value.low ? { low: unpack(value.low), high: unpack(value.high) } : { low: median, high: median };
      this.values[column] = { ...value, median, ...ends };
    }
  }

  line(map, column) {
    const { facet } = map.state();
    const { row, column: place } = map.chosen;
    const first = (facet * map.cells.y.values.length + row) * this.starts.at(-1) + this.starts[place];
    const value = this.values[column];
    const take = (array) => Array.from(array.subarray(first, first + this.points[place].length));
    const words = value.kind === "decades" ? `log10, ${value.words}` : value.words;
    return {
      x: this.points[place], median: take(value.median), low: take(value.low), high: take(value.high),
      kind: value.kind, words,
    };
  }
}

function watchSeries(map, plots) {
  const name = `${map.run.id}-series`;
  if (!plots[name]) return;
  const series = new Series(map.run.series);
  const menu = map.control("series");
  map.listeners.push(() => {
    const line = series.line(map, menu.value);
    fill(plots[name], name, line, null, undefined);
    plots[name].csv = () => rowsOf(map.run.series.words, line);
  });
}

function rowsOf(words, line) {
  return [[words, "median", "low", "high"], ...line.x.map((x, i) => [x, line.median[i], line.low[i], line.high[i]])];
}

function watchSlices(map, plots) {
  for (const along of ["x", "y"]) {
    const name = `${map.run.id}-along-${along}`;
    const plot = plots[name];
    if (!plot) continue;
    map.listeners.push(() => {
      const { line, theory, here } = slice(map, along);
      fill(plot, name, line, theory, here);
      plot.csv = () => rowsOf(map.cells[along].column, line);
    });
  }
}
