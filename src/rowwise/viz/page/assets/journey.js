// Words that move from moment to moment.

const MOMENT_MS = 900;
class Journey {
  constructor(header, arrays) {
    Object.assign(this, { header, points: arrays.points, time: 0, playing: null, only: null });
    this.last = header.moments.length - 1;
    byId("time").max = this.last;
  }

  place(word, moment, axis) {
    return this.points[2 * (moment * this.header.words.length + word) + axis];
  }

  range(axis) {
    let [low, high] = [Infinity, -Infinity];
    for (let i = axis; i < this.points.length; i += 2) {
      low = Math.min(low, this.points[i]);
      high = Math.max(high, this.points[i]);
    }
    const room = (high - low) * 0.08 || 1;
    return [low - room, high + room];
  }

  // Where a word has been until now, and is now.
  way(word, axis) {
    const before = Math.floor(this.time);
    const part = this.time - before;
    const after = Math.min(before + 1, this.last);
    const way = [];
    for (let moment = 0; moment <= before; moment++) way.push(this.place(word, moment, axis));
    const now = this.place(word, before, axis) * (1 - part) + this.place(word, after, axis) * part;
    return [...way, now];
  }

  traces() {
    const { words, colours } = this.header;
    const seen = (word) => this.only === null || this.only === word;
    const ways = words.map((_, word) => ({
      x: this.way(word, 0),
      y: this.way(word, 1),
      mode: "lines",
      line: { color: colours[word], width: 2 },
      opacity: seen(word) ? 0.45 : 0.05,
      hoverinfo: "skip",
    }));
    const now = {
      x: ways.map(({ x }) => x.at(-1)),
      y: ways.map(({ y }) => y.at(-1)),
      mode: "markers+text",
      text: words.map(escaped),
      textposition: "top center",
      hoverinfo: "text",
      marker: { color: colours, size: 9, opacity: words.map((_, word) => (seen(word) ? 1 : 0.1)) },
    };
    return [...ways, now];
  }

  layout() {
    const { paper, ink } = themeColours();
    return {
      margin: { l: 12, r: 12, t: 12, b: 12 },
      showlegend: false,
      uirevision: "journey",
      dragmode: "pan",
      paper_bgcolor: paper,
      plot_bgcolor: paper,
      font: { color: ink, family: "system-ui, sans-serif", size: 13 },
      xaxis: { visible: false, range: this.range(0) },
      yaxis: { visible: false, range: this.range(1), scaleanchor: "x" },
    };
  }

  draw() {
    byId("moment").textContent = this.header.moments[Math.round(this.time)];
    byId("time").value = this.time;
    const config = { displayModeBar: false, scrollZoom: true, responsive: true };
    return Plotly.react("map", this.traces(), this.layout(), config);
  }

  go(time) {
    this.time = Math.max(0, Math.min(this.last, time));
    return this.draw();
  }

  play() {
    if (this.playing !== null || this.last === 0) return this.stop();
    if (this.time >= this.last) this.time = 0;
    byId("play").textContent = "Stop";
    let before = performance.now();
    const next = async (now) => {
      if (this.playing === null) return;
      await this.go(this.time + (now - before) / MOMENT_MS);
      before = now;
      if (this.time >= this.last) this.stop();
      else this.playing = requestAnimationFrame(next);
    };
    this.playing = requestAnimationFrame(next);
    return undefined;
  }

  stop() {
    if (this.playing !== null) cancelAnimationFrame(this.playing);
    this.playing = null;
    byId("play").textContent = "Play";
  }

  list() {
    const { words, colours, categories } = this.header;
    byId("key").replaceChildren(
      ...words.map((word, number) => {
        const button = document.createElement("button");
        button.type = "button";
        const dot = document.createElement("i");
        dot.style.background = colours[number];
        button.append(dot, categories ? `${word} (${categories[number]})` : word);
        button.addEventListener("click", () => {
          this.only = this.only === number ? null : number;
          [...byId("key").querySelectorAll("button")].forEach((other, place) => {
            other.setAttribute("aria-pressed", String(this.only === place));
          });
          this.draw();
        });
        const item = document.createElement("li");
        item.append(button);
        return item;
      }),
    );
  }

  async start() {
    const { title, words, moments, columns } = this.header;
    document.querySelector("h1").textContent = title;
    byId("about").textContent = `${words.length} words × ${columns} columns, ${moments.length} moments`;
    this.list();
    await this.draw();
    byId("play").addEventListener("click", () => this.play());
    byId("time").addEventListener("input", () => {
      this.stop();
      this.go(Number(byId("time").value));
    });
    const turn = () => {
      turnTheme();
      this.draw();
    };
    byId("theme").addEventListener("click", turn);
    document.addEventListener("keydown", (event) => {
      const onButton = event.target.tagName === "BUTTON";
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === " " && !onButton) this.play();
      else if (event.key === "ArrowLeft") this.go(Math.ceil(this.time) - 1);
      else if (event.key === "ArrowRight") this.go(Math.floor(this.time) + 1);
      else if (event.key === "t") turn();
      else return;
      event.preventDefault();
    });
    document.documentElement.dataset.ready = "true";
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.play();
  }
}

open(Journey);
