// Tables that can be sorted by every column, filtered by a word, and saved.

function makeSortable(table) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    heads.forEach((each) => each.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => row.cells[column].dataset.sort;
    const words = (row) => row.cells[column].textContent;
    const order = (a, b) => {
      const [one, other] = [key(a), key(b)];
      if (one === undefined && other === undefined) return (up ? 1 : -1) * words(a).localeCompare(words(b));
      if (one === undefined || other === undefined) return one === undefined ? 1 : -1; // what has no number comes last
      return (up ? 1 : -1) * (Number(one) - Number(other));
    };
    body.append(...[...body.rows].sort(order));
  }));
  document.querySelector(`[data-table="${table.id}"]`).addEventListener("input", (event) => {
    const word = event.target.value.toLowerCase();
    for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(word);
  });
  addTableButton(table);
}

function addTableButton(table) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "CSV";
  button.setAttribute("aria-label", `save ${table.dataset.file} as CSV`);
  const text = (cell) => cell.querySelector("title")?.textContent ?? cell.textContent;
  button.addEventListener("click", () => {
    const rows = [...table.rows].filter((row) => !row.hidden).map((row) => [...row.cells].map(text));
    download(`${table.dataset.file}.csv`, new Blob([csvText(rows)], { type: "text/csv" }));
  });
  const bar = document.createElement("p");
  bar.className = "save";
  bar.append(button);
  table.parentElement.after(bar);
}

function rowsOfSource(source) {
  const columns = Object.keys(source.data);
  const length = source.data[columns[0]].length;
  return [columns, ...Array.from({ length }, (_, row) => columns.map((column) => source.data[column][row]))];
}
