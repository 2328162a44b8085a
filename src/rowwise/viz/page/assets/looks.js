// Colours of dots, and of the page in its theme.

// Okabe and Ito's colours, which most eyes tell apart, and two more.
const COLOURS = [
  "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9",
  "#d55e00", "#b3a100", "#7b5fc0", "#8c6d5a", "#8a939b",
];
const SCALE = "Viridis";
const SCALE_STOPS = ["#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#fde725"];

function themeColours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    paper: read("paper"),
    ink: read("ink"),
    muted: read("muted"),
    faint: read("faint"),
    accent: read("accent"),
  };
}
