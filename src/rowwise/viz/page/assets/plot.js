// The map: dots by plotly's WebGL, and names of words where there is room.

const MARGIN = 12;
const LABELS = 120;
const LETTER = 12;
// Pixels for the numbers and the title of an axis.
const AXES = 50;
// Without WebGL dots are SVG, and more of them would be slow.
const DRAWN_WITHOUT_WEBGL = 5000;

function hasWebgl() {
  const canvas = document.createElement("canvas");
  return Boolean(canvas.getContext("webgl"));
}

class Plot {
  constructor(table, pick) {
    Object.assign(this, { table, pick, picked: [], chosen: null, axes: null });
    this.element = byId("map");
    const webgl = hasWebgl();
    this.drawn = webgl ? table.words.length : Math.min(DRAWN_WITHOUT_WEBGL, table.words.length);
    this.kind = webgl ? "scattergl" : "scatter";
    this.lay(table.arrays.points, 2);
  }

  // Take points (n, 2) that stand one after the other, or two arrays.
  lay(points, step) {
    const n = this.drawn;
    this.x = new Float32Array(n);
    this.y = new Float32Array(n);
    for (let i = 0; i < n; i++) {
      this.x[i] = step === 2 ? points[2 * i] : points[0][i];
      this.y[i] = step === 2 ? points[2 * i + 1] : points[1][i];
    }
  }

  async draw() {
    const style = themeColours();
    const trace = {
      type: this.kind,
      mode: "markers",
      x: this.x,
      y: this.y,
      text: this.table.words.slice(0, this.drawn).map(escaped),
      hoverinfo: "text",
      marker: { size: this.dot(this.drawn), color: COLOURS[0], opacity: 0.75, line: { width: 0 } },
    };
    const names = { type: "scatter", mode: "text", x: [], y: [], text: [], hoverinfo: "skip" };
    const rings = {
      type: "scatter",
      mode: "markers",
      x: [],
      y: [],
      hoverinfo: "skip",
      marker: { color: "rgba(0,0,0,0)", line: { width: 2, color: style.accent } },
    };
    // Names of marked words stand above the rings: so they have markers, too, which are not seen.
    const bold = { ...names, mode: "markers+text", marker: { size: 11, opacity: 0 } };
    const layout = {
      margin: { l: MARGIN, r: MARGIN, t: MARGIN, b: MARGIN },
      showlegend: false,
      hovermode: "closest",
      dragmode: "pan",
      uirevision: "map",
      paper_bgcolor: style.paper,
      plot_bgcolor: style.paper,
      font: { color: style.ink, family: "system-ui, sans-serif", size: LETTER },
      xaxis: { visible: false },
      yaxis: { visible: false, scaleanchor: "x" },
    };
    Object.assign(layout.xaxis, { range: this.range(this.x) });
    Object.assign(layout.yaxis, { range: this.range(this.y) });
    await Plotly.newPlot(this.element, [trace, names, rings, bold], layout, {
      displayModeBar: false,
      scrollZoom: true,
      responsive: true,
      doubleClick: false,
    });
    this.element.on("plotly_click", ({ points }) => {
      if (points[0].curveNumber === 0) this.pick(this.table.words[points[0].pointNumber]);
    });
    this.element.on("plotly_relayout", () => this.label());
    this.element.on("plotly_doubleclick", () => this.all());
    await this.label();
  }

  // Pixels across a dot, where so many are in sight.
  dot(count) {
    return Math.round(Math.max(3, Math.min(9, 60 / Math.sqrt(count + 1) + 2)));
  }

  range(values) {
    let low = Infinity;
    let high = -Infinity;
    for (const value of values) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    const room = (high - low) * 0.05 || 1;
    return [low - room, high + room];
  }

  all() {
    return Plotly.relayout(this.element, {
      "xaxis.range": this.range(this.x),
      "yaxis.range": this.range(this.y),
    });
  }

  move(across, up) {
    const shifted = (range, part) => range.map((end) => end + part * (range[1] - range[0]));
    const { xaxis, yaxis } = this.element.layout;
    return Plotly.relayout(this.element, {
      "xaxis.range": shifted(xaxis.range, across),
      "yaxis.range": shifted(yaxis.range, up),
    });
  }

  // Change the size around the picked word where it is in sight, or else around the middle.
  zoom(factor) {
    const { xaxis, yaxis } = this.element.layout;
    const [place] = this.picked;
    const there = place === undefined ? null : [this.x[place], this.y[place]];
    const inside = (value, [low, high]) => value > low && value < high;
    const isSeen = there && inside(there[0], xaxis.range) && inside(there[1], yaxis.range);
    const scaled = ([low, high], at) => {
      const kept = isSeen ? at : (low + high) / 2;
      return [kept + (low - kept) * factor, kept + (high - kept) * factor];
    };
    return Plotly.relayout(this.element, {
      "xaxis.range": scaled(xaxis.range, there?.[0]),
      "yaxis.range": scaled(yaxis.range, there?.[1]),
    });
  }

  // Write names of words in sight where no other name stands: those marked first, in bold, then the
  // most frequent ones.
  async label() {
    const { xaxis, yaxis } = this.element.layout;
    const axes = this.axes ? AXES : 0;
    const width = this.element.clientWidth - 2 * MARGIN - axes;
    const height = this.element.clientHeight - 2 * MARGIN - axes;
    const [left, right] = xaxis.range;
    const [low, high] = yaxis.range;
    const room = new Room(LETTER);
    const inSight = (place) => {
      const [x, y] = [this.x[place], this.y[place]];
      return x > left && x < right && y > low && y < high;
    };
    const claims = (place, letter, above) => {
      if (!inSight(place)) return false;
      const [x, y] = [this.x[place], this.y[place]];
      const middle = ((x - left) / (right - left)) * width;
      const base = ((high - y) / (high - low)) * height - above;
      return room.claim(middle, base, this.table.words[place].length * letter * 0.62 + 6, letter);
    };
    const marked = new Set(this.picked);
    const bold = this.picked.map((place) => claims(place, LETTER + 2, 12));
    this.named = [];
    for (let place = 0; place < this.drawn && this.named.length < LABELS; place++) {
      if (marked.has(place) || this.dimmed?.(place)) continue;
      if (claims(place, LETTER, 7)) this.named.push(place);
    }
    let count = 0;
    for (let place = 0; place < this.drawn; place++) count += inSight(place);
    const size = this.dot(count);
    if (size !== this.element.data[0].marker.size) {
      await Plotly.restyle(this.element, { "marker.size": size }, [0]);
    }
    const { ink, accent } = themeColours();
    const write = (trace, places, turned, size) => Plotly.restyle(
      this.element,
      {
        ...this.at(places),
        text: [places.map((place) => turned(escaped(this.table.words[place])))],
        textposition: ["top center"],
        textfont: [{ color: ink, size }],
      },
      [trace],
    );
    await write(1, this.named, (name) => name, LETTER);
    await Plotly.restyle(
      this.element,
      {
        ...this.at(this.picked),
        "marker.size": [this.picked.map((_, number) => (number ? 11 : 17))],
        "marker.line.color": [accent],
      },
      [2],
    );
    await write(3, this.picked.filter((_, i) => bold[i]), (name) => `<b>${name}</b>`, LETTER + 2);
  }

  at(places) {
    return { x: [places.map((place) => this.x[place])], y: [places.map((place) => this.y[place])] };
  }

  // Mark words, the first of them as the one that is picked, and bring it into sight.
  async mark(places) {
    this.picked = places.filter((place) => place !== undefined && place < this.drawn);
    if (this.picked.length && places[0] === this.picked[0]) await this.show(places[0]);
    await this.label();
  }

  // Come so near that most of the marked words fill the map.
  async zoomToMarked() {
    if (!this.picked.length) return;
    const [x, y] = [this.x[this.picked[0]], this.y[this.picked[0]]];
    const far = this.picked.map((place) => Math.hypot(this.x[place] - x, this.y[place] - y));
    far.sort((one, other) => one - other);
    const half = 1.3 * far[Math.ceil((far.length - 1) * 0.7)] || 1;
    const wide = half * Math.max(1, this.element.clientWidth / this.element.clientHeight);
    await Plotly.relayout(this.element, {
      "xaxis.range": [x - wide, x + wide],
      "yaxis.range": [y - half, y + half],
    });
  }

  // Move the map to a word that is out of sight.
  async show(place) {
    const { xaxis, yaxis } = this.element.layout;
    const change = {};
    const apply = (name, [low, high], value) => {
      if (value > low && value < high) return;
      const half = (high - low) / 2;
      change[`${name}.range`] = [value - half, value + half];
    };
    apply("xaxis", xaxis.range, this.x[place]);
    apply("yaxis", yaxis.range, this.y[place]);
    if (Object.keys(change).length) await Plotly.relayout(this.element, change);
  }

  // Colour the dots by one of the header's colours; of categories, only `only` where it is given.
  async colour(colouring, only = null) {
    const values = this.table.arrays[colouring.array].subarray(0, this.drawn);
    const change = { "marker.opacity": [0.75] };
    this.dimmed = null;
    if (colouring.names) {
      change["marker.color"] = [Array.from(values, (value) => COLOURS[value])];
      if (only !== null) {
        this.dimmed = (place) => values[place] !== only;
        change["marker.opacity"] = [Array.from(values, (value) => (value === only ? 0.85 : 0.06))];
      }
    } else {
      const turned = colouring.log ? Math.log : (value) => value;
      const lowest = colouring.log ? colouring.low : -Infinity;
      // A word without a number has the colour of the ground's writing, faint.
      const shown = Array.from(values, (value) => turned(Math.max(value, lowest)));
      change["marker.color"] = [shown];
      if (colouring.missing) {
        change["marker.opacity"] = [shown.map((value) => (Number.isFinite(value) ? 0.75 : 0.15))];
      }
      const stops = scaleStops();
      const last = stops.length - 1;
      change["marker.colorscale"] = [stops.map((colour, number) => [number / last, colour])];
      change["marker.cmin"] = [turned(colouring.low)];
      change["marker.cmax"] = [turned(colouring.high)];
    }
    await Plotly.restyle(this.element, change, [0]);
    await this.label();
  }

  // Lay the dots out along two formulas, or as a map again where `axes` is null.
  async arrange(axes) {
    this.axes = axes;
    if (axes) this.lay([axes.x, axes.y], 1);
    else this.lay(this.table.arrays.points, 2);
    const style = themeColours();
    const look = (title) => ({
      visible: Boolean(axes),
      title: { text: axes ? escaped(title) : "", font: { size: 15 } },
      gridcolor: style.faint,
      zerolinecolor: style.muted,
      color: style.ink,
    });
    const margin = { l: MARGIN, r: MARGIN, t: MARGIN, b: MARGIN };
    if (axes) Object.assign(margin, { l: MARGIN + AXES, b: MARGIN + AXES });
    const across = { ...look(axes?.across), range: this.range(this.x) };
    const up = { ...look(axes?.up), range: this.range(this.y) };
    if (!axes) up.scaleanchor = "x";
    await Plotly.restyle(this.element, { x: [this.x], y: [this.y] }, [0]);
    await Plotly.relayout(this.element, { margin, xaxis: across, yaxis: up });
  }

  async restyled() {
    const style = themeColours();
    await Plotly.relayout(this.element, {
      paper_bgcolor: style.paper,
      plot_bgcolor: style.paper,
      "font.color": style.ink,
      "xaxis.gridcolor": style.faint,
      "yaxis.gridcolor": style.faint,
      "xaxis.zerolinecolor": style.muted,
      "yaxis.zerolinecolor": style.muted,
      "xaxis.color": style.ink,
      "yaxis.color": style.ink,
    });
  }
}
