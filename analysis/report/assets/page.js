// Puts the pictures into the page, and joins them with its menus.

async function start() {
  const views = {};
  for (const [target, item] of Object.entries(DATA.plots)) {
    const manager = await Bokeh.embed.embed_item(item, target);
    [views[target]] = manager.roots;
  }
  const plots = Object.fromEntries(Object.entries(views).map(([target, view]) => [target, view.model]));
  followTheme(Object.values(plots));
  for (const run of DATA.runs) {
    if (!run.map) continue;
    const map = new RunMap(run, plots[`${run.id}-map`]);
    watchSlices(map, plots);
    watchSeries(map, plots);
    plots[`${run.id}-map`].csv = () => map.csv();
    map.draw();
  }
  for (const [target, view] of Object.entries(views)) {
    const held = () => rowsOfSource(plots[target].document.get_model_by_name(`${target}-data`));
    addButtons(document.getElementById(target).closest("figure"), view, () => (plots[target].csv ?? held)());
  }
  document.querySelectorAll("table").forEach(makeSortable);
  document.body.dataset.ready = "yes";
}

start();
