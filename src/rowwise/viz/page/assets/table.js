// Words, their neighbours and their rounded rows.

class Table {
  constructor(header, arrays) {
    Object.assign(this, { header, arrays, words: header.words });
    this.lower = this.words.map((word) => word.toLowerCase());
    this.index = new Map(this.words.map((word, place) => [word, place]));
    // Of words that differ by case alone, the first.
    this.byLower = new Map();
    this.lower.forEach((word, place) => {
      if (!this.byLower.has(word)) this.byLower.set(word, place);
    });
  }

  // The place of a word, as it is written or else whatever its case.
  find(word) {
    return this.index.get(word) ?? this.byLower.get(word.toLowerCase());
  }

  // Places of words that start with the text, then of those that hold it; frequent ones first.
  search(text, most) {
    const wanted = text.toLowerCase();
    const starting = [];
    const holding = [];
    for (let place = 0; place < this.lower.length && starting.length < most; place++) {
      const at = this.lower[place].indexOf(wanted);
      if (at === 0) starting.push(place);
      else if (at > 0 && holding.length < most) holding.push(place);
    }
    const exact = this.find(text);
    const found = [...starting, ...holding].filter((place) => place !== exact);
    return (exact === undefined ? found : [exact, ...found]).slice(0, most);
  }

  neighbours(place) {
    const { neighbours: k, kept: c } = this.header;
    const isZero = (numbers, n) =>
      numbers.subarray(place * n, (place + 1) * n).every((number) => number === 0);
    // Kept columns alone may be zero where others are not.
    if (isZero(this.arrays.rows, c) && isZero(this.arrays.cosines, k)) {
      throw new Error(`The row of “${this.words[place]}” is zero: it has no direction.`);
    }
    const found = [];
    for (let i = place * k; i < (place + 1) * k; i++) {
      const near = this.arrays.places[i];
      found.push({ word: this.words[near], cosine: this.arrays.cosines[i] / 10000 });
    }
    return found;
  }

  // The direction of a formula: rows of length 1, added and taken away; and the places used.
  direction(formula) {
    const { rows, scales } = this.arrays;
    const c = this.header.kept;
    const total = new Float32Array(c);
    const used = new Set();
    const whole = this.find(formula);
    const terms = whole === undefined ? parseFormula(formula) : [{ word: formula, sign: 1 }];
    for (const { word, sign } of terms) {
      const place = this.find(word);
      if (place === undefined) {
        const hint = /[+-]/.test(formula) ? " Quote a word that holds - or +." : "";
        throw new Error(`“${word}” is not on this page.${hint}`);
      }
      used.add(place);
      for (let j = 0; j < c; j++) total[j] += sign * rows[place * c + j] * scales[place];
    }
    const length = Math.hypot(...total);
    if (!(length > 1e-6)) throw new Error(`“${formula}” is zero: it has no direction.`);
    return { direction: total.map((number) => number / length), used };
  }

  // The cosine of each word's row with a direction.
  cosines(direction) {
    const { rows, scales } = this.arrays;
    const c = this.header.kept;
    const found = new Float32Array(this.words.length);
    for (let place = 0, i = 0; place < found.length; place++) {
      let sum = 0;
      for (let j = 0; j < c; j++, i++) sum += rows[i] * direction[j];
      found[place] = sum * scales[place];
    }
    return found;
  }

  // The words nearest to a formula, without those in it.
  nearest(formula, count) {
    const { direction, used } = this.direction(formula);
    const cosines = this.cosines(direction);
    const order = [...cosines.keys()].filter((place) => !used.has(place));
    order.sort((one, other) => cosines[other] - cosines[one]);
    return order.slice(0, count).map((place) => ({
      word: this.words[place],
      cosine: cosines[place],
    }));
  }
}
