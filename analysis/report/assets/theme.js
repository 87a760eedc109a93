// Light and dark for what is drawn on canvases, which no style sheet reaches; paper is always light.

const DARK = matchMedia("(prefers-color-scheme: dark)");

function paint(plot, dark) {
  const ink = dark ? "#e6e6e6" : "#222222";
  const pale = dark ? "#4d4d4d" : "#dddddd";
  for (const axis of [...plot.left, ...plot.below]) {
    if (axis.major_label_text_color === undefined) continue;
    axis.setv({
      axis_line_color: ink, major_tick_line_color: ink, minor_tick_line_color: null,
      axis_label_text_color: ink, major_label_text_color: ink, axis_label_text_font_style: "normal",
    });
  }
  for (const each of plot.center) if (each.grid_line_color !== undefined) each.grid_line_color = pale;
  for (const bar of plot.right) if (bar.color_mapper) bar.setv({ major_label_text_color: ink, title_text_color: ink });
  plot.outline_line_color = pale;
}

function followTheme(plots) {
  const all = (dark) => plots.forEach((plot) => paint(plot, dark));
  all(DARK.matches);
  DARK.addEventListener("change", () => all(DARK.matches));
  addEventListener("beforeprint", () => all(false));
  addEventListener("afterprint", () => all(DARK.matches));
}
