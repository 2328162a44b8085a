// Colours of dots, and of the page in its theme.

// Okabe and Ito's colours, which most eyes tell apart, and two more.
const COLOURS = [
  "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9",
  "#d55e00", "#b3a100", "#7b5fc0", "#8c6d5a", "#8a939b",
];
// From dark to bright, without what would be lost on the theme's ground.
const SCALES = {
  light: ["#440154", "#414487", "#2a788e", "#1f9e7f", "#6aae2d", "#bfae00"],
  dark: ["#7b7fe0", "#4f8fd0", "#2fa59c", "#45bf70", "#96d83f", "#fde725"],
};

function scaleStops() {
  return SCALES[document.documentElement.dataset.theme] ?? SCALES.light;
}

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
