// Each element with data-chart holds the chart of this name.
const views = new Map(); // of the elements

function startCharts() {
  drawNext();
  document.addEventListener('toggle', drawNext, true); // a run's charts are drawn once it is opened
  const redraw = () => {
    page.brushed = null; // ranges do not outlive their chart
    refresh();
    for (const place of views.keys()) draw(place);
  };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  let width = innerWidth;
  addEventListener('resize', () => {
    if (innerWidth === width) return;
    width = innerWidth;
    for (const [place, view] of views) view.width(place.clientWidth).runAsync();
  });
}

// Charts of the section before go, so that a section begins anew when it is shown again.
function dropHidden() {
  for (const [place, view] of views) {
    if (!place.closest('[hidden]')) continue;
    view.finalize();
    views.delete(place);
    place.replaceChildren();
    place.classList.remove('drawn');
  }
  for (const view of views.values()) chooseCurve(view);
}

// The values that some run of the section has; the first of them where the chosen one is not.
function chooseCurve(view) {
  if (!hasSignal(view, 'choice_y')) return;
  const {curves} = page.data;
  const known = curves.metrics.filter(({id}) => {
    const at = curves.names.indexOf(id);
    return curves.rows.some((row) => row[at] !== null && inSection(row[0]));
  });
  const names = new Set(known.map((metric) => metric.id));
  for (const option of view.container().querySelectorAll('select[name=choice_y] option')) option.hidden = !names.has(option.value);
  if (known.length > 0 && !names.has(view.signal('choice_y'))) view.signal('choice_y', known[0].id).runAsync();
}

// One after the other, so that the page answers meanwhile.
function drawNext() {
  const isDue = (place) => !views.has(place) && !place.closest('details:not([open]), [hidden]');
  const place = [...document.querySelectorAll('[data-chart]')].find(isDue);
  if (!place) return;
  draw(place);
  setTimeout(drawNext);
}

function draw(place) {
  const {vega, data} = page;
  const old = views.get(place);
  const choices = old?.getState({signals: (name) => name.startsWith('choice'), data: () => false});
  old?.finalize();
  // The page forbids eval, so Vega interprets its expressions.
  const runtime = vega.parse(data.charts[place.dataset.chart], theme(), {ast: true});
  const view = new vega.View(runtime, {
    expr: vega.expressionInterpreter, renderer: 'svg', container: place, hover: true,
  });
  view.logLevel(vega.Warn).tooltip(showTooltip);
  if (choices) view.setState(choices);
  if (hasSignal(view, 'stretch')) view.width(place.clientWidth);
  views.set(place, view);
  feed(view, data.curves);
  chooseCurve(view);
  if (hasSignal(view, 'hovered')) view.addSignalListener('hovered', (name, run) => hover(run));
  if (hasSignal(view, 'brushes')) view.addSignalListener('brushes', () => view.runAfter(brush));
  view.runAsync().then(() => place.classList.add('drawn'));
}

const hasSignal = (view, name) => name in view._runtime.signals;
const hasData = (view, name) => name in view._runtime.data;

// Gives a chart what the page's choices make of the runs.
function feed(view, curves) {
  if (hasSignal(view, 'metric')) view.signal('metric', page.metric);
  if (!hasData(view, 'runs')) return;
  const all = hasSignal(view, 'brushes'); // those not chosen there stay, pale
  const runs = page.data.runs.filter((run) => (all ? isKept(run.run) : isShown(run.run)));
  view.data('runs', runs.map((run) => ({...run, value: run[page.metric?.id], ...page.styles.of.get(run.run)})));
  if (curves && hasData(view, 'points')) view.data('points', points(curves));
}

// The rows of all curves, of which there is one table.
function points(curves) {
  return curves.rows.map((row) => Object.fromEntries(curves.names.map((name, i) => [name, row[i]])));
}

function updateCharts() {
  for (const view of views.values()) {
    feed(view);
    if (hasSignal(view, 'brushes')) view.runAfter(brush, true); // the same ranges, other runs
    view.runAsync();
  }
}

function hoverCharts(run) {
  for (const view of views.values()) {
    if (hasSignal(view, 'hovered') && view.signal('hovered') !== run) view.signal('hovered', run).runAsync();
  }
}

// The runs within the ranges that were drawn on the axes of the parallel coordinates.
function brush(source) {
  const all = source.data('chosen');
  const kept = all.filter((run) => run.kept).map((run) => run.run);
  const chosen = kept.length === all.length ? null : new Set(kept);
  if (!chosen && !page.brushed) return;
  page.brushed = chosen;
  showRows();
  for (const view of views.values()) {
    if (view === source) continue;
    feed(view);
    view.runAsync();
  }
}

function theme() {
  const [ink, muted, line, surface] = ['ink', 'muted', 'line', 'surface'].map(cssColour);
  const font = getComputedStyle(document.body).fontFamily;
  const text = {labelFont: font, titleFont: font, labelFontSize: 11, titleFontSize: 12, titleFontWeight: 500};
  return {
    font,
    background: null,
    padding: {left: 0, right: 4, top: 4, bottom: 6},
    axis: {
      ...text, labelColor: muted, titleColor: ink, gridColor: line, domainColor: line, tickColor: line,
      tickSize: 4, labelPadding: 4, titlePadding: 8, labelLimit: 0, titleLimit: 0, labelLineHeight: 12,
    },
    legend: {
      ...text, labelColor: muted, titleColor: ink,
      symbolFillColor: cssColour('accent'), symbolStrokeColor: cssColour('accent'),
    },
    title: {font, fontSize: 13, fontWeight: 500, color: ink},
    text: {font, fill: ink},
    style: {
      frame: {stroke: null},
      ink: {fill: ink}, muted: {fill: muted}, rule: {stroke: muted}, surface: {fill: surface},
      mean: {stroke: ink}, right: {fill: cssColour('accent')}, wrong: {fill: cssColour('wrong')},
      brush: {fill: cssColour('accent')}, class: {fill: cssColour('accent'), stroke: cssColour('accent')},
      halo: {stroke: surface, strokeWidth: 5},
    },
  };
}

// What stands below the pointer, as text: strings of a run are never HTML.
function showTooltip(handler, event, item, value) {
  const tip = element('tip');
  tip.hidden = !value;
  if (!value) return;
  tip.replaceChildren();
  const add = (tag, text) => tip.appendChild(document.createElement(tag)).append(text);
  const run = page.data.runs[value.run];
  if (run) {
    add('b', run.label);
    const told = (each) => ['name', 'parameter', 'seed'].includes(each.kind) && page.columns.has(each.id);
    for (const column of page.data.columns.filter(told)) {
      if (run[column.id] !== undefined) add('span', `${column.name} ${shown(run[column.id], column)}`);
    }
    if (!value.at) add('span', `${page.metric.name} ${shown(run[page.metric.id], page.metric)}`);
  }
  for (const [name, number, unit] of value.at ?? []) add('span', `${name} ${shown(number, {unit})}`);
  const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
  const top = event.clientY + 14 + tip.offsetHeight > innerHeight ? event.clientY - 14 - tip.offsetHeight : event.clientY + 14;
  tip.style.left = `${Math.max(left, 8)}px`;
  tip.style.top = `${top}px`;
}
