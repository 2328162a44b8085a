// Formulas such as  king - man + woman , as rowwise.vectors reads them: a word ends at white
// space, + or -, and one that holds any of these stands in quotes.

function parseFormula(formula) {
  const terms = [];
  let rest = formula.trim();
  let sign = 1;
  if (/^[+-]/.test(rest)) {
    sign = rest[0] === "-" ? -1 : 1;
    rest = rest.slice(1).trim();
  }
  for (;;) {
    const match = /^(?:"([^"]*)"|'([^']*)'|([^\s+-]+))/.exec(rest);
    if (!match) {
      const found = rest ? `before “${rest}”` : "at the end";
      throw new Error(`A word is missing ${found}.`);
    }
    terms.push({ word: match[1] ?? match[2] ?? match[3], sign });
    rest = rest.slice(match[0].length).trim();
    if (!rest) return terms;
    if (!/^[+-]/.test(rest)) {
      throw new Error(`Expected + or - before “${rest}”. Quote a word that holds spaces.`);
    }
    sign = rest[0] === "-" ? -1 : 1;
    rest = rest.slice(1).trim();
  }
}
