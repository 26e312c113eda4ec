// The error index: a field that leaves only the rows which a pasted error fits.
// Without scripts there is no field, and the whole list stands there.
"use strict";

(() => {
  const QUOTED = /'[^']*'/g;

  function pattern(text) {
    const parts = text.toLowerCase().split("…");
    return new RegExp(parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*?"));
  }

  // The same error about something else: whatever was quoted may be another name.
  function loosened(text) {
    return text.replace(QUOTED, "").trim() ? [pattern(text.replace(QUOTED, "'…'"))] : [];
  }

  function read(row) {
    const said = [...row.cells[0].querySelectorAll("code")].map((code) => code.textContent);
    return {
      row,
      text: row.textContent.toLowerCase(),
      exact: said.map(pattern),
      near: said.flatMap(loosened),
    };
  }

  function fitting(entries, pasted) {
    const text = pasted.toLowerCase().replace(/\s+/g, " ").trim();
    const words = text.split(" ");
    const ways = [
      (entry) => entry.exact.some((one) => one.test(text)),
      (entry) => words.every((word) => entry.text.includes(word)),
      (entry) => entry.near.some((one) => one.test(text)),
    ];
    for (const way of ways) {
      const found = entries.filter(way);
      if (found.length) return found;
    }
    return [];
  }

  function field(table) {
    const box = document.createElement("div");
    box.className = "error-filter";
    box.innerHTML =
      '<label for="error-text">Paste the error, or some words of it</label>' +
      '<textarea id="error-text" rows="3" spellcheck="false"></textarea><p role="status"></p>';
    table.before(box);
    return box;
  }

  function start() {
    const tables = [...document.querySelectorAll("article table")];
    const table = tables.find((one) => one.tHead?.textContent.includes("the error says"));
    if (!table) return;
    const entries = [...table.tBodies[0].rows].map(read);
    const box = field(table.closest(".pst-scrollable-table-container") ?? table);
    const [area, status] = [box.querySelector("textarea"), box.querySelector("p")];
    area.addEventListener("input", () => {
      const asked = area.value.trim() !== "";
      const found = asked ? fitting(entries, area.value) : entries;
      for (const entry of entries) {
        entry.row.hidden = found.length > 0 && !found.includes(entry);
      }
      status.textContent = asked ? told(found.length, entries.length) : "";
    });
  }

  function told(found, all) {
    if (found) return `${found} of ${all} fit.`;
    return "None of these fits. missing-aa explain \"the error's text\" knows more.";
  }

  start();
})();
