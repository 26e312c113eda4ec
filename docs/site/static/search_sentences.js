// What the search shows of a page: the sentence that holds the words, from the text of the page.
// Sphinx's own takes any 240 letters, and with this theme also its buttons and lists of contents.
"use strict";

(() => {
  const LEAVE_OUT = ".headerlink, script, style, button, nav, .hide > summary";
  const BLOCKS = "p, li, td, dt, dd, pre, h1, h2, h3, h4, h5, h6, figcaption, summary";
  const MOST = 240;

  // A page that is opened as a file may not fetch another one: it lists the pages without sentences.
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

  function blocks(html, anchor) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const article = page.querySelector("article.bd-article") ?? page.body;
    for (const chrome of article.querySelectorAll(LEAVE_OUT)) chrome.remove();
    const place = anchor ? article.querySelector(anchor) : null;
    const part = place?.matches("dt") ? place.parentElement : place; // a function, with its text
    return leaves(part ?? article);
  }

  function leaves(part) {
    return [...part.querySelectorAll(BLOCKS)].filter((block) => !block.querySelector(BLOCKS));
  }

  function pieces(block) {
    const text = block.textContent;
    const cut = block.matches("pre") ? text.split("\n") : text.split(/(?<=[.!?])\s+/);
    return cut.map((piece) => piece.replace(/\s+/g, " ").trim()).filter(Boolean);
  }

  const asked = new URLSearchParams(location.search).get("q")?.toLowerCase().trim() ?? "";

  // The words may be stems: each counts where a word begins so.
  function held(text, words) {
    const lower = text.toLowerCase();
    const plain = ` ${lower.replace(/[^\p{L}\p{N}_]+/gu, " ")}`;
    const begun = words.filter((word) => plain.includes(` ${word}`));
    return begun.length + (lower.includes(asked) ? words.length : 0);
  }

  function best(texts, words) {
    return texts.reduce((one, other) => (held(other, words) > held(one, words) ? other : one));
  }

  function shortened(text, words) {
    if (text.length <= MOST) return text;
    const found = words.map((word) => text.toLowerCase().indexOf(word)).filter((at) => at >= 0);
    const first = Math.max(0, Math.min(...found, text.length) - MOST / 2);
    const start = first ? text.indexOf(" ", first) + 1 : 0;
    const end = text.lastIndexOf(" ", start + MOST);
    return `${start ? "… " : ""}${text.slice(start, end)} …`;
  }

  Search.makeSearchSummary = (html, keywords, anchor) => {
    const words = [...keywords].map((word) => word.toLowerCase());
    const texts = blocks(html, anchor).flatMap(pieces);
    const summary = document.createElement("p");
    summary.classList.add("context");
    if (texts.length) summary.textContent = shortened(best(texts, words), words);
    return summary;
  };
})();
