// The page: what is picked, how it is coloured and laid out, and the keys.

class App {
  constructor(header, arrays) {
    this.header = header;
    this.table = new Table(header, arrays);
    this.server = header.live ? new Server() : null;
    this.plot = new Plot(this.table, (word) => this.pick(word));
    this.search = new Search(this.table, (text) => this.pick(text));
    this.colouring = 0;
    this.only = null;
    this.asked = 0;
    if (header.live?.classes) new Classifying(this.server, (...asked) => this.tried(...asked));
  }

  async start() {
    this.describe();
    await this.plot.draw();
    this.listColours();
    this.listen();
    await this.pickAddressed();
    window.addEventListener("popstate", () => this.pickAddressed());
    // For whoever drives the page from outside: it is ready.
    document.documentElement.dataset.ready = "true";
  }

  describe() {
    const { title, words, total, bad, method, columns, kept, share } = this.header;
    const count = (number) => number.toLocaleString("en");
    const counted = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
    const wordsOf = (number) => counted(number, "word");
    document.querySelector("h1").textContent = title;
    const of = total > words.length + bad ? ` of ${count(total)}` : "";
    byId("about").textContent =
      `${of ? `${count(words.length)}${of} words` : wordsOf(words.length)} × ${counted(columns, "column")}, laid out by ${method}`;
    const notes = [];
    if (this.plot.drawn < words.length) {
      notes.push(
        `This browser has no WebGL: the first ${count(this.plot.drawn)} words are drawn. All can be searched.`,
      );
    }
    notes.push(
      this.server
        ? "Neighbours and formulas are looked up in the whole table, by cosine."
        : "Neighbours: by cosine of the rows, exact, among the words on this page.",
    );
    const reduced = kept < columns
      ? ` of ${kept} principal directions, which hold ${Math.round(100 * share)} % of their length`
      : "";
    const what = this.server ? "Axes" : "Formulas and axes";
    notes.push(`${what}: with rows rounded to 8 bits${reduced}.`);
    if (bad) notes.push(`${wordsOf(bad)} left out, for rows that hold NaN or infinity.`);
    byId("notes").replaceChildren(
      ...notes.map((note) => Object.assign(document.createElement("p"), { textContent: note })),
    );
    byId("classify").hidden = !this.header.live?.classes;
  }

  say(text) {
    byId("message").textContent = text;
  }

  // Run an action; what goes wrong is said, not thrown, unless nobody asks for it any more.
  async tried(action, isAsked = () => true) {
    this.say("");
    try {
      await action();
    } catch (error) {
      if (isAsked()) this.say(error.message);
    }
  }

  // Show the word that stands in the address, if one does.
  async pickAddressed() {
    const word = new URLSearchParams(location.hash.slice(1)).get("word");
    if (word === null) await this.unpick(false);
    else await this.pick(word, false);
  }

  // Show a word, or a formula, with its neighbours; `keep` is for coming back to it.
  pick(text, keep = true) {
    const asked = ++this.asked;
    const isAsked = () => asked === this.asked; // nothing else was picked meanwhile
    return this.tried(async () => {
      let place, isFormula, near;
      try {
        ({ place, isFormula } = await this.meant(text));
        near = await this.nearest(text, place, isFormula);
      } catch (error) {
        if (isAsked()) byId("picked").hidden = true; // what was picked before is no answer
        throw error;
      }
      if (!isAsked()) return;
      const shown = place === undefined ? text : this.table.words[place];
      this.list(shown, place, near, isFormula);
      const hash = `#${new URLSearchParams({ word: shown })}`;
      if (keep && hash !== location.hash) history.pushState(null, "", hash);
      await this.plot.mark([place, ...near.map(({ word }) => this.table.index.get(word))]);
    }, isAsked);
  }

  // What a text is: a word as it is written, on the page or only in the server's table; then one
  // on the page whatever its case; then, with signs or spaces in it, a formula.
  async meant(text) {
    const place = this.table.find(text);
    const looksLikeFormula = /[+\-"']|\s/.test(text);
    const isOnPage = this.table.index.has(text);
    if (this.server && !isOnPage && (place !== undefined || looksLikeFormula)) {
      if (await this.server.has(text)) return { place: undefined, isFormula: false };
    }
    return { place, isFormula: place === undefined && looksLikeFormula };
  }

  nearest(text, place, isFormula) {
    if (this.server) {
      const word = place === undefined ? text : this.table.words[place];
      return isFormula ? this.server.nearest(text) : this.server.neighbours(word);
    }
    if (isFormula) return this.table.nearest(text, 10);
    if (place === undefined) throw new Error(`“${text}” is not on this page.`);
    return this.table.neighbours(place);
  }

  list(text, place, near, isFormula) {
    const section = byId("picked");
    section.hidden = false;
    section.querySelector("h2").textContent = text;
    let facts = isFormula ? "nearest to the formula" : "nearest words";
    if (place !== undefined) facts = `word ${(place + 1).toLocaleString("en")} · ${facts}`;
    if (isFormula && !this.server) facts += ", from rounded rows";
    section.querySelector(".facts").textContent = facts;
    section.querySelector("ol").replaceChildren(
      ...near.map(({ word, cosine }) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        button.style.setProperty("--share", `${100 * Math.max(0, Math.min(1, cosine))}%`);
        const name = Object.assign(document.createElement("span"), { textContent: word });
        const number = Object.assign(document.createElement("data"), {
          textContent: cosine.toFixed(3),
          value: cosine,
        });
        button.append(name, number);
        button.addEventListener("click", async () => {
          this.search.field.value = word;
          await this.pick(word);
          byId("picked").querySelector("h2").focus();
        });
        item.append(button);
        return item;
      }),
    );
  }

  async unpick(keep = true) {
    this.asked++;
    byId("picked").hidden = true;
    this.search.field.value = "";
    if (keep && location.hash) history.pushState(null, "", location.pathname + location.search);
    await this.plot.mark([]);
  }

  listColours() {
    const select = byId("colour");
    select.replaceChildren(...this.header.colours.map(({ name }) => new Option(name, name)));
    select.addEventListener("change", () => this.colour(select.selectedIndex));
    return this.colour(0);
  }

  async colour(number, only = null) {
    this.colouring = number;
    this.only = only;
    const colouring = this.header.colours[number];
    byId("colour").selectedIndex = number;
    byId("key").replaceChildren(...(colouring.names ? this.names(colouring) : this.ends(colouring)));
    await this.plot.colour(colouring, only);
  }

  // The key of categories: picking one shows its words alone.
  names(colouring) {
    return colouring.names.map((name, number) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", String(this.only === number));
      const dot = document.createElement("i");
      dot.style.background = COLOURS[number];
      button.append(dot, name);
      button.addEventListener("click", () => {
        this.colour(this.colouring, this.only === number ? null : number);
      });
      const item = document.createElement("li");
      item.append(button);
      return item;
    });
  }

  ends(colouring) {
    const scale = document.createElement("li");
    scale.className = "scale";
    scale.style.background = `linear-gradient(90deg, ${scaleStops().join(", ")})`;
    const ends = document.createElement("li");
    ends.className = "ends";
    const short = (value) => Number(value.toPrecision(4)).toLocaleString("en");
    for (const value of [colouring.low, colouring.high]) {
      ends.append(Object.assign(document.createElement("span"), { textContent: short(value) }));
    }
    if (!colouring.missing) return [scale, ends];
    const missing = document.createElement("li");
    const { missing: number } = colouring;
    missing.textContent = `${number.toLocaleString("en")} without a number: grey and faint`;
    return number === this.table.words.length ? [missing] : [scale, ends, missing];
  }

  layOut() {
    return this.tried(async () => {
      const [across, up] = [byId("across").value.trim(), byId("up").value.trim()];
      if (!across || !up) throw new Error("Give a formula for each axis, such as king - man.");
      const x = this.table.cosines(this.table.direction(across).direction);
      const y = this.table.cosines(this.table.direction(up).direction);
      await this.plot.arrange({ across, up, x, y });
    });
  }

  async turnTheme() {
    turnTheme();
    await this.plot.restyled();
    await this.colour(this.colouring, this.only); // numbers have other colours
  }

  listen() {
    byId("theme").addEventListener("click", () => this.turnTheme());
    byId("axes").addEventListener("submit", (event) => {
      event.preventDefault();
      this.layOut();
    });
    byId("back").addEventListener("click", () => this.tried(() => this.plot.arrange(null)));
    byId("near").addEventListener("click", () => this.plot.zoomToMarked());
    byId("map").addEventListener("keydown", (event) => this.onMapKey(event));
    document.addEventListener("keydown", (event) => this.onKey(event));
  }

  onMapKey(event) {
    const moves = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, 0.15], ArrowDown: [0, -0.15] };
    if (moves[event.key]) this.plot.move(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") this.plot.zoom(0.8);
    else if (event.key === "-") this.plot.zoom(1.25);
    else if (event.key === "0") this.plot.all();
    else return;
    event.preventDefault();
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const neighbour = { n: 1, p: -1 }[event.key];
    if (neighbour) this.step(neighbour);
    else if (event.key === "/") {
      this.search.field.focus();
      this.search.field.select();
    } else if (event.key === "Escape") this.unpick();
    else if (event.key === "z") this.plot.zoomToMarked();
    else if (event.key === "m") byId("map").focus();
    else if (event.key === "x") byId("across").focus();
    else if (event.key === "c") this.colour((this.colouring + 1) % this.header.colours.length);
    else if (event.key === "t") this.turnTheme();
    else return;
    event.preventDefault();
  }

  // Focus the next or the previous neighbour.
  step(by) {
    const buttons = [...document.querySelectorAll("#picked:not([hidden]) li button")];
    if (!buttons.length) return;
    const at = buttons.indexOf(document.activeElement);
    const next = at < 0 ? (by > 0 ? 0 : buttons.length - 1) : at + by;
    buttons[(next + buttons.length) % buttons.length].focus();
  }
}

open(App);
