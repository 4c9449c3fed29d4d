'use strict';
// What the page shows: all charts and the table follow these choices.
const page = {
  data: {},          // as report_data.cpp writes it
  section: null,     // number of the section that is shown, or null for all runs
  metric: null,      // the column that charts show
  colourBy: null,    // the column that gives runs their colours, or null
  columns: null,     // ids of the columns that the table shows
  matching: null,    // numbers of the runs that the filter keeps
  brushed: null,     // numbers of the runs that are chosen in the parallel coordinates, or null for all
  hovered: null,     // number of the run under the pointer
};

const element = (id) => document.getElementById(id);
const columnOf = (id) => page.data.columns.find((column) => column.id === id);
const inSection = (run) => page.section === null || page.data.runs[run].section === page.section;
const isKept = (run) => inSection(run) && page.matching.has(run);
const isShown = (run) => isKept(run) && (!page.brushed || page.brushed.has(run));

function start() {
  page.data = JSON.parse(element('data').textContent);
  page.matching = new Set(page.data.runs.map((run) => run.run));
  page.vega = loadVega();
  page.vega.expressionFunction('lines', lines);
  listen('metric', (value) => (page.metric = columnOf(value)));
  listen('colour', (value) => (page.colourBy = columnOf(value) ?? null));
  element('sections')?.addEventListener('change', (event) => {
    const {value} = event.target;
    showSection(value === '' ? null : Number(value));
    dropHidden();
    refresh();
    drawNext();
  });
  startTable();
  showSection(page.data.sections.length > 1 ? 0 : null);
  refresh();
  startCharts();
}

// What a section shows at first; all of them together begin with what the first one shows.
function showSection(number) {
  const section = page.data.sections[number ?? 0];
  page.section = number;
  page.brushed = null; // ranges do not outlive their chart
  page.metric = columnOf(section.metric);
  page.colourBy = columnOf(number === null && page.data.sections.length > 1 ? sectionColumn() : section.colour) ?? null;
  page.columns = new Set(section.columns);
  if (number === null && page.data.sections.length > 1) page.columns.add(sectionColumn());
  select('metric', page.metric);
  select('colour', page.colourBy);
  showColumns();
  const hidden = (part) => number === null ? page.data.sections.length > 1 : Number(part.dataset.section) !== number;
  for (const part of document.querySelectorAll('[data-section]')) part.hidden = hidden(part);
  for (const place of document.querySelectorAll('section')) {
    const parts = [...place.querySelectorAll(':scope > [data-section]')];
    place.hidden = parts.length > 0 && parts.every((part) => part.hidden);
    document.querySelector(`nav a[href="#${place.id}"]`).hidden = place.hidden;
  }
}

const sectionColumn = () => page.data.columns.find((column) => column.kind === 'section').id;

// Chooses it among those that some run of the section has.
function select(id, column) {
  const field = element(id);
  if (!field) return;
  const runs = page.data.runs.filter((run) => inSection(run.run));
  for (const option of field.options) {
    option.hidden = option.value !== '' && !runs.some((run) => run[option.value] !== undefined);
  }
  field.value = column?.id ?? '';
}

// Text in lines that are broken between words and after / . = , alone, of `letters` where these are
// enough: no name is cut.
function lines(text, letters) {
  const out = [];
  for (const part of String(text).replace(/([/=, ]|\.(?!\d))/g, '$1\n').split('\n')) {
    const last = out[out.length - 1];
    if (last === undefined || (last + part).trimEnd().length > letters) out.push(part);
    else out[out.length - 1] += part;
  }
  const whole = out.map((line) => line.trim()).filter((line) => line !== '');
  return whole.length > 1 ? whole : (whole[0] ?? '');
}

function listen(id, take) {
  element(id)?.addEventListener('input', (event) => {
    take(event.target.value);
    refresh();
  });
}

// After a choice has changed.
function refresh() {
  page.styles = stylesOf(page.data.runs.filter((run) => inSection(run.run)), page.colourBy);
  showLegend();
  showRows();
  updateCharts();
}

function hover(run) {
  if (page.hovered === run) return;
  page.hovered = run;
  for (const row of document.querySelectorAll('#runs-table tbody tr')) {
    row.classList.toggle('hovered', Number(row.dataset.run) === run);
  }
  hoverCharts(run);
}

// With so many digits behind the point; what rounds to nothing has no sign.
function fixed(value, digits) {
  return value.toFixed(digits).replace(/^-(?=[0.]*$)/, '');
}

// A number as people read it; C++ writes those of the tables in the same way.
function shown(value, column) {
  if (value === undefined || value === null) return '–';
  if (typeof value !== 'number') return String(value);
  if (column?.unit === 'fraction') return fixed(100 * value, 2) + ' %';
  if (column?.unit === 'seconds') return fixed(value, 2) + ' s';
  if (column?.unit === 'bytes') return (value / 1e6).toFixed(1) + ' MB';
  if (Number.isInteger(value)) return (value + 0).toLocaleString('en-US');
  return Number(value.toPrecision(5)).toString();
}

document.addEventListener('DOMContentLoaded', start);
