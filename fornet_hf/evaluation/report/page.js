// Columns are sorted at a click on their heading: first up, then down; what has no number comes last.
for (const button of document.querySelectorAll("table.long th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), body = head.closest("table").tBodies[0];
    const up = head.getAttribute("aria-sort") !== "ascending", at = head.cellIndex;
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => row.cells[at].dataset.value ?? row.cells[at].textContent;
    const numeric = body.rows.length > 0 && body.rows[0].cells[at].dataset.value !== undefined;
    const compare = (a, b) => {
      if (!numeric) return (up ? 1 : -1) * a.localeCompare(b, "en", { numeric: true });
      if (a === "" || b === "") return (a === "") - (b === "");
      return (up ? 1 : -1) * (a - b);
    };
    body.append(...Array.from(body.rows).sort((one, other) => compare(key(one), key(other))));
  });
}
