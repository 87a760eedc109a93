// Pictures and data as files, without a server: the browser makes them.

function download(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function csvText(rows) {
  const quoted = (value) => {
    if (typeof value === "number") return Number.isFinite(value) ? String(value) : String(value).replace("Infinity", "inf").replace("NaN", "nan");
    const text = /^[=+@-]/.test(value) ? `'${value}` : String(value); // no formula for a spreadsheet
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => row.map(quoted).join(",")).join("\n") + "\n";
}

async function savePicture(view, kind, name) {
  const layer = view.export(kind, true);
  download(`${name}.${kind}`, await layer.to_blob());
}

function addButtons(figure, view, csv) {
  const name = figure.dataset.file;
  const bar = document.createElement("p");
  bar.className = "save";
  const offer = (words, act) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = words;
    button.setAttribute("aria-label", `save ${name} as ${words}`);
    button.addEventListener("click", act);
    bar.append(button);
  };
  offer("PNG", () => savePicture(view, "png", name));
  offer("SVG", () => savePicture(view, "svg", name));
  offer("CSV", () => download(`${name}.csv`, new Blob([csvText(csv())], { type: "text/csv" })));
  figure.append(bar);
}
