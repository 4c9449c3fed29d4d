// The table of runs: its rows are in the page, sorted by the data and hidden by the filter.
function startTable() {
  for (const button of document.querySelectorAll('#runs-table th button')) {
    button.addEventListener('click', () => sortBy(button.closest('th')));
  }
  element('filter')?.addEventListener('input', filterRows);
  const body = document.querySelector('#runs-table tbody');
  body?.addEventListener('mouseover', (event) => hover(Number(event.target.closest('tr').dataset.run)));
  body?.addEventListener('mouseleave', () => hover(null));
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
  for (const word of element('filter').value.split(/\s+/).filter(Boolean)) {
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

// "hidden_d=8", "accuracy>97%", or a part of any value.
function testOf(word) {
  const parts = word.match(/^([^=<>!]+)(!=|<=|>=|=|<|>)(.*)$/);
  if (!parts) {
    const part = word.toLowerCase();
    return (run) => Object.values(run).some((value) => String(value).toLowerCase().includes(part));
  }
  const [, name, sign, text] = parts;
  const columns = page.data.columns.filter(
    (column) => column.name === name || column.name.endsWith('.' + name) || column.name.endsWith('/' + name));
  if (columns.length === 0) throw Error(`no column is called “${name}”`);
  const number = text.endsWith('%') ? parseFloat(text) / 100 : Number(text.replace(/[,_]/g, ''));
  return (run) => columns.some((column) => holds(run[column.id], sign, text, number));
}

function holds(value, sign, text, number) {
  if (value === undefined) return sign === '!=';
  const is = typeof value === 'number' ? value === number : String(value) === text;
  switch (sign) {
    case '=': return is;
    case '!=': return !is;
    case '<': return value < number;
    case '<=': return value <= number;
    case '>': return value > number;
    default: return value >= number;
  }
}

function showRows() {
  let count = 0;
  for (const row of document.querySelectorAll('#runs-table tbody tr')) {
    const run = Number(row.dataset.run);
    row.hidden = !isShown(run);
    count += !row.hidden;
    row.querySelector('i').style.background = page.colours.of.get(run);
  }
  const all = page.data.runs.length;
  if (all === 1) return;
  element('count').textContent = count === all ? `${all} run${all === 1 ? '' : 's'}` : `${count} of ${all} runs`;
}
