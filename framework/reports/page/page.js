'use strict';
// What the page shows: all charts and the table follow these choices.
const page = {
  data: {},          // as report_data.cpp writes it
  metric: null,      // the column that charts show
  colourBy: null,    // the column that gives runs their colours, or null
  matching: null,    // numbers of the runs that the filter keeps
  brushed: null,     // numbers of the runs that are chosen in the parallel coordinates, or null for all
  hovered: null,     // number of the run under the pointer
};

const element = (id) => document.getElementById(id);
const columnOf = (id) => page.data.columns.find((column) => column.id === id);
const isShown = (run) => page.matching.has(run) && (!page.brushed || page.brushed.has(run));

function start() {
  page.data = JSON.parse(element('data').textContent);
  page.metric = columnOf(page.data.metric);
  page.colourBy = columnOf(page.data.colour) ?? null;
  page.matching = new Set(page.data.runs.map((run) => run.run));
  page.vega = loadVega();
  listen('metric', (value) => (page.metric = columnOf(value)));
  listen('colour', (value) => (page.colourBy = columnOf(value) ?? null));
  startTable();
  refresh();
  startCharts();
}

function listen(id, take) {
  element(id)?.addEventListener('input', (event) => {
    take(event.target.value);
    refresh();
  });
}

// After a choice has changed.
function refresh() {
  page.colours = coloursOf(page.data.runs, page.colourBy);
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
