const cssColour = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();

const isDark = () => matchMedia('(prefers-color-scheme: dark)').matches;

// Besides its colour each value has dashes and a shape of its own, as far as these go.
const kDashes = [[], [7, 3], [2, 2], [9, 3, 2, 3], [4, 2], [12, 4], [1, 3], [9, 2, 2, 2, 2, 2], [5, 5], [3, 1]];
const kShapes = ['circle', 'square', 'triangle-up', 'diamond', 'cross', 'triangle-down', 'triangle-right', 'triangle-left',
  'wedge', 'arrow'];

// Numbers go from dark to bright (in a dark page too, but never as dark as its ground), words get
// colours that differ for everyone.
function stylesOf(runs, column) {
  const styles = {of: new Map(), legend: []};
  const values = column ? [...new Set(runs.map((run) => run[column.id]).filter((value) => value !== undefined))] : [];
  const numeric = column?.numeric && values.every((value) => typeof value === 'number');
  values.sort((a, b) => (numeric ? a - b : String(a).localeCompare(String(b), 'en', {numeric: true})));
  const few = values.length <= kDashes.length;
  const paint = !column ? () => cssColour('colour-0') : numeric ? gradient(values) : categories(values);
  const styleOf = (value) => {
    const kind = column ? values.indexOf(value) : 0;
    if (kind < 0) return {kind, colour: cssColour('muted'), dash: [], shape: 'circle'};
    const mark = few || !numeric ? kind % kDashes.length : 0;
    return {kind, colour: paint(value), dash: kDashes[mark], shape: kShapes[mark]};
  };
  const known = new Map(values.map((value) => [value, styleOf(value)]));
  for (const run of runs) styles.of.set(run.run, known.get(run[column?.id]) ?? styleOf(undefined));
  const chosen = few ? values : [values[0], values[values.length >> 1], values[values.length - 1]];
  styles.legend = chosen.map((value) => ({text: shown(value, column), style: known.get(value)}));
  styles.more = few || numeric ? 0 : values.length - chosen.length;
  return styles;
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

const kShapePaths = {
  circle: 'M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0', square: 'M-3.5 -3.5h7v7h-7z', 'triangle-up': 'M0 -4.4L4.4 3.6H-4.4z',
  diamond: 'M0 -5L4 0L0 5L-4 0z', cross: 'M-1.5 -4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z', 'triangle-down': 'M0 4.4L4.4 -3.6H-4.4z',
  'triangle-right': 'M4.4 0L-3.6 4.4V-4.4z', 'triangle-left': 'M-4.4 0L3.6 4.4V-4.4z', wedge: 'M0 -5L2.4 4H-2.4z',
  arrow: 'M0 -5L4 0H1.4V5H-1.4V0H-4z',
};

// A piece of the value's line with its mark.
function swatch(style) {
  const create = (name, attributes) => {
    const out = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) out.setAttribute(key, value);
    return out;
  };
  const svg = create('svg', {width: 30, height: 12, viewBox: '-15 -6 30 12', 'aria-hidden': true});
  svg.append(
    create('path', {d: 'M-15 0H15', stroke: style.colour, 'stroke-width': 2, 'stroke-dasharray': style.dash.join(' ') || 'none'}),
    create('path', {d: kShapePaths[style.shape], fill: style.colour}),
  );
  return svg;
}

function showLegend() {
  const legend = element('legend');
  if (!legend) return;
  legend.replaceChildren();
  for (const {text, style} of page.styles.legend) {
    const entry = document.createElement('span');
    const words = document.createElement('span');
    words.textContent = text;
    entry.append(swatch(style), words);
    legend.append(entry);
  }
  if (page.styles.more) legend.append(`and ${page.styles.more} more`);
}
