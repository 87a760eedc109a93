// One run's map: menus choose the facet, the colours show a value, theory's or what is between them, a cell can be chosen.

const INK = { zero: ["#8c8c8c", "/", "black"], undefined: ["#ebebeb", ".", "#595959"] };
const PALE = 0.05; // of the colours' limit: larger than 1 is hatched from there, so that a print without colour shows it
const VERDICT_COLOURS = {
  pass: "#b8d8b8", fail: "#d55e00", "mean field": "#b3cde3", "no theory": "#d9d9d9", gated: "#f7f7f7",
  zero: "#8c8c8c", undefined: "#ebebeb",
};
const DASHES = [[], [8, 3], [2, 2]];

class RunMap {
  constructor(run, plot) {
    this.run = run;
    this.cells = new Cells(run.map);
    this.plot = plot;
    this.document = plot.document;
    this.section = document.getElementById(run.id);
    this.chosen = { row: 0, column: this.cells.x.values.length - 1 };
    this.listeners = [];
    for (const control of this.section.querySelectorAll("[data-role]")) {
      control.addEventListener("input", () => this.draw(control));
    }
    this.begin();
    plot.on_event("tap", (event) => this.tapped(event));
    const frame = this.section.querySelector(".map");
    frame.addEventListener("keydown", (event) => this.key(event));
  }

  control(role) {
    return this.section.querySelector(`[data-role="${role}"]`);
  }

  source(name) {
    return this.document.get_model_by_name(`${this.run.id}-map-${name}`);
  }

  // What is shown at first: the run's facet, and of it the deepest cell, at the scale nearest to 1.
  begin() {
    const menus = [...this.section.querySelectorAll('[data-role="menu"]')];
    menus.forEach((menu, number) => (menu.value = this.cells.facets[this.run.map.start][number]));
    const { values, column } = this.cells.y;
    if (column === "scale") {
      const away = values.map((scale) => Math.abs(scale - 1));
      this.chosen.row = away.indexOf(Math.min(...away));
    }
  }

  state() {
    const menus = [...this.section.querySelectorAll('[data-role="menu"]')].map((menu) => Number(menu.value));
    const column = this.control("value").value;
    const shown = this.control("show")?.value ?? "measured";
    return { menus, column, value: this.cells.values[column], shown, facet: this.facet ?? 0 };
  }

  draw(control) {
    const menus = [...this.section.querySelectorAll('[data-role="menu"]')];
    this.facet = this.cells.facet(menus.map((menu) => Number(menu.value)), menus.indexOf(control));
    menus.forEach((menu, number) => (menu.value = this.cells.facets[this.facet][number]));
    const role = control?.dataset.role;
    if (role === "x") this.chosen.column = Number(control.value);
    if (role === "y") this.chosen.row = Number(control.value);
    const of = this.cells.theory?.of;
    const shown = this.control("show");
    if (shown && role === "show" && shown.value !== "measured") this.control("value").value = of;
    if (shown && this.control("value").value !== of) shown.value = "measured";
    this.drawCells();
    this.drawLines();
    this.choose(this.chosen.row, this.chosen.column);
  }

  drawCells() {
    const { column, value, shown, facet } = this.state();
    const { x, y, seeds, theory } = this.cells;
    const own = theory && theory.of === column ? theory : null;
    const found = { left: [], right: [], bottom: [], top: [], colour: [], hatch: [], ink: [] };
    const words = { at: [], measured: [], interval: [], theory: [], of: [] };
    const failed = { x: [], y: [] };
    y.values.forEach((_, row) => x.values.forEach((_, place) => {
      const at = this.cells.at(facet, row, place);
      if (!seeds[at]) return;
      found.left.push(x.edges[place]);
      found.right.push(x.edges[place + 1]);
      found.bottom.push(y.edges[row]);
      found.top.push(y.edges[row + 1]);
      const [colour, hatch, ink] = this.look(value, own, shown, at);
      found.colour.push(colour);
      found.hatch.push(hatch);
      found.ink.push(ink);
      words.at.push(this.place(row, place));
      words.measured.push(said(value.median[at], value.kind));
      words.interval.push(saidBetween(value.low[at], value.high[at], value.kind));
      words.of.push(`${seeds[at]} ${seeds[at] === 1 ? "seed" : "seeds"}`);
      words.theory.push(own ? this.theoryWords(own, at) : "not of this quantity");
      if (own && own.verdicts[own.verdict[at]] === "fail") {
        failed.x.push(x.log ? Math.sqrt(x.edges[place] * x.edges[place + 1]) : this.middle(x, place));
        failed.y.push(this.middle(y, row));
      }
    }));
    this.source("cells").data = { ...found, ...words };
    this.source("failed").data = this.control("failed")?.checked ? failed : { x: [], y: [] };
    this.drawBar(value, shown);
  }

  middle(axis, place) {
    return (axis.edges[place] + axis.edges[place + 1]) / 2;
  }

  look(value, own, shown, at) {
    if (shown === "verdict") return [VERDICT_COLOURS[own.verdicts[own.verdict[at]]] ?? "#d9d9d9", " ", "black"];
    if (shown === "residual") {
      const place = shade(own.z[at], -6, 6, DATA.palettes.errors.length, false);
      return place === null ? INK.undefined : [DATA.palettes.errors[place], " ", "black"];
    }
    const number = shown === "theory" ? own.predicted[at] : value.median[at];
    if (number === -Infinity || number === Infinity) return INK.zero;
    if (Number.isNaN(number)) return INK.undefined;
    const palette = DATA.palettes[value.kind];
    const place = shade(number, value.low_colour, value.high_colour, palette.length, value.kind === "amount");
    const above = value.kind === "decades" && number > PALE * value.high_colour;
    return [palette[place], above ? "\\" : " ", "#8c8c8c"];
  }

  theoryWords(own, at) {
    const verdict = own.verdicts[own.verdict[at]] ?? "none";
    if (Number.isNaN(own.predicted[at])) return verdict;
    const away = Number.isNaN(own.z[at]) ? "" : `, ${signed(own.z[at], 1)} standard errors away`;
    return `10^${signed(own.predicted[at])}${away}: ${verdict}`;
  }

  place(row, column) {
    const named = (axis, at) => `${axis.words.split(" (")[0]} ${axis.values[at]}`;
    return `${named(this.cells.x, column)}, ${named(this.cells.y, row)}`;
  }

  drawBar(value, shown) {
    const log = value.kind === "amount" && shown === "measured";
    const bars = { linear: this.source("linear"), log: this.source("log") };
    const residual = shown === "residual";
    const palette = DATA.palettes[residual ? "errors" : value.kind];
    const [low, high] = residual ? [-6, 6] : [value.low_colour, value.high_colour];
    bars[log ? "log" : "linear"].color_mapper.setv({ palette, low, high });
    bars.linear.visible = !log && shown !== "verdict";
    bars.log.visible = log;
    const words = {
      residual: "mean against theory, in standard errors; grey: no theory",
      verdict: "whether the mean over seeds is where theory expects it, at 95 %",
      theory: `theory: log10, ${value.words}`,
    };
    const unit = value.kind === "decades" ? "log10, " : "";
    this.section.querySelector(".shows").textContent =
      words[shown] ?? `colour: ${unit}${value.words} (median over seeds)${value.kind === "decades" ? "; hatched \\: larger than 1" : ""}`;
    this.section.querySelector(".verdicts").hidden = shown !== "verdict";
  }

  drawLines() {
    const { facet } = this.state();
    const all = this.control("limits")?.checked ? this.run.limits[facet] : [];
    const limits = all.filter((line) => line.of === null || line.of === this.state().column);
    this.source("limits").data = {
      x: limits.map((line) => line.x),
      y: limits.map((line) => line.y),
      dash: limits.map((line) => DASHES[line.dash % DASHES.length]),
      words: limits.map((line) => line.words),
    };
    const edge = this.run.edges?.[facet];
    const spans = this.plot.center.filter((each) => each.type === "Span");
    for (const span of spans) {
      span.visible = Boolean(this.control("edge")?.checked && edge && edge.scale !== null);
      if (span.visible) span.location = edge.scale;
    }
    const note = this.section.querySelector(".missing");
    if (note) note.textContent = edge?.missing ? `no critical line: ${edge.missing}` : "";
  }

  tapped(event) {
    const within = (edges, at) => edges.findIndex((edge, place) => edge <= at && at < edges[place + 1]);
    const row = within(this.cells.y.edges, event.y);
    const column = within(this.cells.x.edges, event.x);
    if (row >= 0 && column >= 0) this.choose(row, column);
  }

  key(event) {
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0] };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const [up, right] = steps[event.key];
    const kept = (value, length) => Math.max(0, Math.min(length - 1, value));
    const { x, y } = this.cells;
    this.choose(kept(this.chosen.row + up, y.values.length), kept(this.chosen.column + right, x.values.length));
  }

  choose(row, column) {
    this.chosen = { row, column };
    const { x, y, seeds } = this.cells;
    const [left, right] = x.edges.slice(column, column + 2);
    const [bottom, top] = y.edges.slice(row, row + 2);
    this.source("chosen").data = { left: [left], right: [right], bottom: [bottom], top: [top] };
    for (const [role, place] of [["x", column], ["y", row]]) {
      const slider = this.control(role);
      if (!slider) continue;
      slider.value = place;
      const axis = role === "x" ? x : y;
      slider.setAttribute("aria-valuetext", `${axis.words} ${axis.values[place]}`);
      slider.nextElementSibling.value = axis.values[place];
    }
    const { value, facet, column: name } = this.state();
    const at = this.cells.at(facet, row, column);
    const own = this.cells.theory?.of === name ? this.cells.theory : null;
    const number = seeds[at]
      ? `${said(value.median[at], value.kind)} (${saidBetween(value.low[at], value.high[at], value.kind)})`
      : "not measured";
    const theory = own && seeds[at] ? `; theory ${this.theoryWords(own, at)}` : "";
    this.section.querySelector(".chosen").textContent = `${this.place(row, column)}: ${number}${theory}`;
    const others = Object.entries(this.cells.values).filter(([each]) => each !== name && seeds[at]);
    this.section.querySelector(".others").textContent =
      others.map(([, each]) => `${each.words}: ${said(each.median[at], each.kind)}`).join("; ");
    for (const listener of this.listeners) listener(this);
  }

  // Every cell of every facet, for a spreadsheet.
  csv() {
    const { column, value } = this.state();
    const { x, y, menus, facets, seeds, theory } = this.cells;
    const own = theory?.of === column ? theory : null;
    const head = [...menus.map((menu) => menu.column), y.column, x.column, "seeds", column, "low", "high"];
    const rows = [own ? [...head, "predicted", "z", "verdict"] : head];
    facets.forEach((facet, number) => y.values.forEach((up, row) => x.values.forEach((along, place) => {
      const at = this.cells.at(number, row, place);
      if (!seeds[at]) return;
      const measured = [value.median[at], value.low[at], value.high[at]];
      const expected = own ? [own.predicted[at], own.z[at], own.verdicts[own.verdict[at]] ?? ""] : [];
      rows.push([...facet.map((each, menu) => menus[menu].values[each]), up, along, seeds[at], ...measured, ...expected]);
    })));
    return rows;
  }
}
