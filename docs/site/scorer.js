/* How the search ranks: as Sphinx does, but the teachers' pages, which hold answers, come last. */
var Scorer = {
  score: ([docname, title, anchor, descr, score]) =>
    docname.startsWith("docs/teaching/") ? score - 100 : score,
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
