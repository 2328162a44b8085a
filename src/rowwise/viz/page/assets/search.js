// A field that lists words as they are typed.

class Search {
  constructor(table, pick) {
    Object.assign(this, { table, pick, places: [], active: -1 });
    this.field = byId("search");
    this.list = byId("found");
    this.field.addEventListener("input", () => this.update());
    this.field.addEventListener("focus", () => this.update());
    this.field.addEventListener("blur", () => this.close());
    this.field.addEventListener("keydown", (event) => this.onKey(event));
    // Before the field loses its focus, which closes the list.
    this.list.addEventListener("mousedown", (event) => {
      const item = event.target.closest("li");
      if (item) {
        event.preventDefault();
        this.choose(this.table.words[this.places[Number(item.dataset.number)]]);
      }
    });
  }

  update() {
    const text = this.field.value.trim() || this.field.value;
    this.places = text ? this.table.search(text, 12) : [];
    this.active = -1;
    this.list.replaceChildren(
      ...this.places.map((place, number) => {
        const item = document.createElement("li");
        item.id = `found-${number}`;
        item.dataset.number = number;
        item.setAttribute("role", "option");
        item.textContent = this.table.words[place];
        return item;
      }),
    );
    this.show();
  }

  show() {
    const open = this.places.length > 0 && document.activeElement === this.field;
    this.list.hidden = !open;
    this.field.setAttribute("aria-expanded", String(open));
    [...this.list.children].forEach((item, number) => {
      item.setAttribute("aria-selected", String(number === this.active));
    });
    if (this.active >= 0) this.field.setAttribute("aria-activedescendant", `found-${this.active}`);
    else this.field.removeAttribute("aria-activedescendant");
  }

  close() {
    this.places = [];
    this.show();
  }

  onKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.places.length) {
      event.preventDefault();
      const count = this.places.length;
      this.active = (this.active + step + count + (this.active < 0 && step < 0)) % count;
      this.show();
    } else if (event.key === "Enter") {
      const typed = this.field.value;
      const text = this.table.index.has(typed) ? typed : typed.trim(); // a word may end in a space
      const word = this.active >= 0 ? this.table.words[this.places[this.active]] : text;
      if (word) this.choose(word);
    } else if (event.key === "Escape") {
      if (this.places.length) this.close();
      else this.field.blur();
      event.stopPropagation();
    }
  }

  choose(text) {
    this.field.value = text;
    this.close();
    this.pick(text);
  }
}
