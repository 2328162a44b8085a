// A text that is typed, its label, and each word's share in that.

class Classifying {
  // `tried` runs an action and says what goes wrong.
  constructor(server, tried) {
    Object.assign(this, { server, tried, asked: 0 });
    byId("ask").addEventListener("click", () => this.classify());
    byId("text").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.classify();
    });
  }

  async classify() {
    const asked = ++this.asked;
    const isAsked = () => asked === this.asked;
    await this.tried(async () => {
      const text = byId("text").value;
      if (!text.trim()) throw new Error("Type a text first.");
      const answer = await this.server.classify(text);
      if (!isAsked()) return;
      byId("answer").hidden = false;
      const shares = Object.entries(answer.probabilities).sort((one, other) => other[1] - one[1]);
      byId("answer").querySelector(".label").textContent = answer.label;
      byId("answer").querySelector(".shares").replaceChildren(
        ...shares.slice(0, 5).map(([label, share]) => {
          const item = document.createElement("li");
          const number = document.createElement("data");
          number.textContent = `${(100 * share).toFixed(1)} %`;
          item.append(label, number);
          return item;
        }),
      );
      this.colourWords(text, answer);
    }, isAsked);
  }

  // The text, each word on a ground of how much it counts for the label, or against it.
  colourWords(text, { label, words }) {
    const most = Math.max(1e-9, ...words.map(({ share }) => Math.abs(share)));
    const characters = [...text]; // places count characters, where JavaScript counts halves
    const parts = [];
    let done = 0;
    for (const { start, end, share } of words) {
      parts.push(characters.slice(done, start).join(""));
      const mark = document.createElement("mark");
      mark.textContent = characters.slice(start, end).join("");
      mark.title = `${share >= 0 ? "+" : "−"}${(100 * Math.abs(share)).toFixed(1)} %`;
      const kind = share >= 0 ? "--for" : "--against";
      mark.style.background = `rgba(var(${kind}), ${(0.7 * Math.abs(share)) / most})`;
      parts.push(mark);
      done = end;
    }
    parts.push(characters.slice(done).join(""));
    byId("answer").querySelector(".words").replaceChildren(...parts);
    const key = words.length
      ? `How much the probability of “${label}” falls without a word: green; how much it rises: orange.`
      : "No word of this text counts.";
    byId("answer").querySelector(".key").textContent = key;
  }
}
