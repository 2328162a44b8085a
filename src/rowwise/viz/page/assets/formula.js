// Formulas such as  king - man + woman , as rowwise.vectors reads them: a word ends at white
// space, + or -, and one that holds any of these stands in quotes.

// What Python calls white space.
const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const LEADING = new RegExp(`^[${SPACE}]+`);
const TERM = new RegExp(`^(?:"([^"]*)"|'([^']*)'|(?!["'])([^${SPACE}+\\-]+))`);

function parseFormula(formula) {
  const terms = [];
  let rest = formula.replace(LEADING, "");
  let sign = 1;
  const takeSign = () => {
    sign = rest[0] === "-" ? -1 : 1;
    rest = rest.slice(1).replace(LEADING, "");
  };
  if (/^[+-]/.test(rest)) takeSign();
  for (;;) {
    const match = TERM.exec(rest);
    if (!match) {
      if (/^["']/.test(rest)) throw new Error(`The quote before “${rest.slice(1)}” is never closed.`);
      throw new Error(`A word is missing ${rest ? `before “${rest}”` : "at the end"}.`);
    }
    terms.push({ word: match[1] ?? match[2] ?? match[3], sign });
    rest = rest.slice(match[0].length).replace(LEADING, "");
    if (!rest) return terms;
    if (!/^[+-]/.test(rest)) {
      throw new Error(`Expected + or - before “${rest}”. Quote a word that holds spaces.`);
    }
    takeSign();
  }
}
