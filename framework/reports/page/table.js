// The table of runs: its rows are in the page, sorted by the data and hidden by the filter.
function startTable() {
  for (const button of document.querySelectorAll('#runs-table th button')) {
    button.addEventListener('click', () => sortBy(button.closest('th')));
  }
  element('filter')?.addEventListener('input', filterRows);
  const body = document.querySelector('#runs-table tbody');
  body?.addEventListener('mouseover', (event) => hover(Number(event.target.closest('tr').dataset.run)));
  body?.addEventListener('mouseleave', () => hover(null));
  const narrow = matchMedia('(max-width: 44rem)'); // as in page.css
  const name = () => narrow.matches && nameCells();
  narrow.addEventListener('change', name);
  name();
}

// Where a row is a card, each cell tells what it is.
function nameCells() {
  const names = [...document.querySelectorAll('#runs-table th button')].map((button) => button.textContent);
  for (const row of document.querySelectorAll('#runs-table tbody tr')) {
    [...row.cells].forEach((cell, i) => (cell.dataset.name = names[i]));
  }
}

// Hides the other columns, and offers them.
function showColumns() {
  const table = element('runs-table');
  if (!table) return;
  const headers = [...table.tHead.rows[0].cells];
  const shown = headers.map((header) => page.columns.has(header.dataset.column));
  for (const row of table.rows) shown.forEach((each, i) => (row.cells[i].hidden = !each));
  const runs = page.data.runs.filter((run) => inSection(run.run));
  const known = headers.filter((header) => runs.some((run) => run[header.dataset.column] !== undefined));
  const chooser = element('columns');
  const count = shown.filter(Boolean).length;
  chooser.hidden = known.length < 3;
  chooser.firstChild.textContent = count === known.length ? `All ${count} columns` : `${count} of ${known.length} columns`;
  chooser.lastChild.replaceChildren(...known.slice(1).map((header) => columnChoice(header)));
}

function columnChoice(header) {
  const label = document.createElement('label');
  const box = document.createElement('input');
  box.type = 'checkbox';
  box.checked = page.columns.has(header.dataset.column);
  box.addEventListener('change', () => {
    page.columns[box.checked ? 'add' : 'delete'](header.dataset.column);
    showColumns();
    document.querySelector(`#columns [data-choice="${header.dataset.column}"]`).focus();
  });
  box.dataset.choice = header.dataset.column;
  label.append(box, ' ', ...[...header.firstChild.childNodes].map((node) => node.cloneNode(true)));
  return label;
}

// First downwards where more is better, else upwards; rows without a value stay last.
function sortBy(header) {
  const column = columnOf(header.dataset.column);
  const before = header.getAttribute('aria-sort');
  const first = column?.goal === 'max' ? 'descending' : 'ascending';
  const other = first === 'ascending' ? 'descending' : 'ascending';
  const order = before === first ? other : first;
  for (const cell of header.parentElement.cells) cell.removeAttribute('aria-sort');
  header.setAttribute('aria-sort', order);

  const body = document.querySelector('#runs-table tbody');
  const value = (row) => page.data.runs[row.dataset.run][header.dataset.column];
  const sign = order === 'ascending' ? 1 : -1;
  const rows = [...body.rows];
  rows.sort((a, b) => compare(value(a), value(b), sign) || a.dataset.run - b.dataset.run);
  body.append(...rows);
}

function compare(a, b, sign) {
  if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
  if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
  return sign * String(a).localeCompare(String(b), 'en', {numeric: true});
}

function filterRows() {
  const tests = [];
  let problem = '';
  const text = element('filter').value.replace(/\s*([=<>!]=?|,)\s*|\s+(%)/g, '$1$2'); // "loss > 2" is one word
  for (const word of text.split(/\s+/).filter(Boolean)) {
    try {
      tests.push(testOf(word));
    } catch (error) {
      problem = error.message;
    }
  }
  element('filter').setCustomValidity(problem);
  element('filter-problem').textContent = problem;
  const kept = page.data.runs.filter((run) => tests.every((test) => test(run)));
  page.matching = new Set(kept.map((run) => run.run));
  refresh();
}

// A value as filters take it.
const plain = (value) => String(value).replace(/\s*,\s*/g, ',');

// "hidden_d=8,16", "test/accuracy>97%", or a part of any value.
function testOf(word) {
  const parts = word.match(/^([^=<>!]+)(!=|<=|>=|==?|<|>)(.*)$/);
  if (!parts) {
    const part = word.toLowerCase();
    return (run) => Object.values(run).some((value) => plain(value).toLowerCase().includes(part));
  }
  const [, name, sign, text] = parts;
  const column = namedColumn(name);
  return (run) => holds(run[column.id], sign, text, column);
}

// By the whole name, or its last part where no other column has the same.
function namedColumn(name) {
  const {columns} = page.data;
  const whole = columns.find((column) => column.name === name);
  const near = columns.filter((column) => column.name.endsWith('.' + name) || column.name.endsWith('/' + name));
  if (!whole && near.length === 0) throw Error(`no column is called “${name}”`);
  if (!whole && near.length > 1) throw Error(`“${name}” may be ${near.map((column) => column.name).join(' or ')}`);
  return whole ?? near[0];
}

function holds(value, sign, text, column) {
  const is = () => [text, ...text.split(',')].some(
    (one) => (typeof value === 'number' ? value === numberOf(one, column) : plain(value) === one));
  if (sign === '!=') return value === undefined || !is();
  if (value === undefined) return false;
  const number = numberOf(text, column);
  switch (sign) {
    case '<': return value < number;
    case '<=': return value <= number;
    case '>': return value > number;
    case '>=': return value >= number;
    default: return is();
  }
}

// "1,000", "97%", or 97 of a column that is shown in percent; NaN for what is no number.
function numberOf(text, column) {
  const digits = text.replace(/[,_]/g, '').replace(/%$/, '');
  const number = digits === '' ? NaN : Number(digits);
  const percent = text.endsWith('%') || (column.unit === 'fraction' && number > 1);
  return percent ? number / 100 : number;
}

function showRows() {
  let count = 0;
  for (const row of document.querySelectorAll('#runs-table tbody tr')) {
    const run = Number(row.dataset.run);
    row.hidden = !isShown(run);
    count += !row.hidden;
    if (!row.hidden) row.querySelector('i').replaceChildren(swatch(page.styles.of.get(run)));
  }
  const all = page.data.runs.filter((run) => inSection(run.run)).length;
  if (page.data.runs.length < 2) return;
  element('count').textContent = count === 0 ? 'no run matches' : count === all ? `${all} run${all === 1 ? '' : 's'}` : `${count} of ${all} runs`;
}
