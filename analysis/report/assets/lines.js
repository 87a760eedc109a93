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
  plot.yaxis?.forEach?.((axis) => (axis.axis_label = line.words));
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

function watchSlices(map, plots) {
  for (const along of ["x", "y"]) {
    const name = `${map.run.id}-along-${along}`;
    const plot = plots[name];
    if (!plot) continue;
    map.listeners.push(() => {
      const { line, theory, here } = slice(map, along);
      fill(plot, name, line, theory, here);
      plot.csv = () => [["x", "median", "low", "high"], ...line.x.map((x, i) => [x, line.median[i], line.low[i], line.high[i]])];
    });
  }
}
