const cssColour = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();

const isDark = () => matchMedia('(prefers-color-scheme: dark)').matches;

// Numbers go from dark to bright (in a dark page too, but never as dark as its ground), words get
// colours that differ for everyone.
function coloursOf(runs, column) {
  const colours = {of: new Map(), legend: []};
  if (!column) {
    for (const run of runs) colours.of.set(run.run, cssColour('colour-0'));
    return colours;
  }
  const values = [...new Set(runs.map((run) => run[column.id]).filter((value) => value !== undefined))];
  values.sort((a, b) => (column.numeric ? a - b : String(a).localeCompare(String(b), 'en', {numeric: true})));
  const paint = column.numeric ? gradient(values) : categories(values);
  for (const run of runs) {
    const value = run[column.id];
    colours.of.set(run.run, value === undefined ? cssColour('muted') : paint(value));
  }
  const few = values.length <= 10;
  const chosen = few ? values : [values[0], values[values.length >> 1], values[values.length - 1]];
  colours.legend = chosen.map((value) => ({text: shown(value, column), colour: paint(value)}));
  colours.more = few || column.numeric ? 0 : values.length - chosen.length;
  return colours;
}

function gradient(values) {
  const scheme = page.vega.scheme('viridis');
  const [low, high] = isDark() ? [0.3, 1] : [0.05, 0.75];
  const few = values.length <= 10;
  const first = values[0];
  const span = values[values.length - 1] - first || 1;
  const share = (value) => (few ? values.indexOf(value) / (values.length - 1 || 1) : (value - first) / span);
  return (value) => scheme(low + (high - low) * share(value));
}

function categories(values) {
  return (value) => cssColour('colour-' + (values.indexOf(value) % 8));
}

function showLegend() {
  const legend = element('legend');
  if (!legend) return;
  legend.replaceChildren();
  for (const {text, colour} of page.colours.legend) {
    const entry = document.createElement('span');
    const swatch = document.createElement('i');
    swatch.style.background = colour;
    entry.append(swatch, text);
    legend.append(entry);
  }
  if (page.colours.more) legend.append(`and ${page.colours.more} more`);
}
