// The data of the page: packing.py says how they are packed.

async function gunzipped(id) {
  const coded = atob(document.getElementById(id).textContent.trim());
  const bytes = Uint8Array.from(coded, (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

async function unpacked() {
  const buffer = await gunzipped("data");
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const types = { Float32Array, Int32Array, Int16Array, Int8Array, Uint8Array };
  const arrays = {};
  for (const [name, place] of Object.entries(header.arrays)) {
    arrays[name] = new types[place.type](buffer, 4 + length + place.start, place.count);
  }
  return { header, arrays };
}

// plotly.js is a script of its own, which the page's policy lets run.
async function loadPlotly() {
  const script = document.createElement("script");
  script.textContent = new TextDecoder().decode(await gunzipped("plotly"));
  document.head.append(script);
  document.getElementById("plotly").remove();
  return window.Plotly;
}
