// What both kinds of pages use.

const byId = (id) => document.getElementById(id);

// plotly takes some tags and formulas in texts: a word is shown as it is.
function escaped(word) {
  const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;" };
  return word.replace(/[&<>$]/g, (character) => entities[character]);
}

// Dark or light: as it was chosen before, or as the system has it.
function chooseTheme() {
  let chosen = null;
  try {
    chosen = localStorage.getItem("rowwise-theme");
  } catch {
    // A page without storage forgets it.
  }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = chosen ?? (dark ? "dark" : "light");
}

function turnTheme() {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  try {
    localStorage.setItem("rowwise-theme", root.dataset.theme);
  } catch {
    // A page without storage forgets it.
  }
}

// Unpack the data and plotly, and start a page of a class that takes the data.
function open(Page) {
  const start = async () => {
    chooseTheme();
    byId("message").textContent = "Loading…";
    if (!("DecompressionStream" in window)) {
      throw new Error("This browser is too old for this page: one of 2023 or newer opens it.");
    }
    const [{ header, arrays }] = await Promise.all([unpacked(), loadPlotly()]);
    byId("message").textContent = "";
    await new Page(header, arrays).start();
  };
  start().catch((error) => {
    byId("message").textContent = error.message;
    console.error(error);
  });
}
