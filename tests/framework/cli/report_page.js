// Uses a report as a person would and writes down what it showed; report_browser_test.cpp puts it in front of the page's own scripts.
const problems = [];
addEventListener('error', (event) => problems.push(event.message));
addEventListener('unhandledrejection', (event) => problems.push(String(event.reason)));
addEventListener('securitypolicyviolation', (event) => problems.push(`blocked: ${event.blockedURI}`));
for (const kind of ['error', 'warn']) console[kind] = (...words) => problems.push(words.join(' '));
window.alert = () => problems.push('alert');

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
async function until(holds, what) {
  for (let i = 0; i < 200; ++i) {
    if (holds()) return;
    await sleep(20);
  }
  problems.push('waited in vain for ' + what);
}

const all = (selector, place = document) => [...place.querySelectorAll(selector)];
const chart = (name) => document.querySelector(`[data-chart="${name}"]`);
const marks = (name, kind) => all(`.${kind} path`, chart(name)).filter((path) => path.getAttribute('d')).length;
const shownRuns = () =>
  all('#runs-table tbody tr').filter((row) => !row.hidden).map((row) => Number(row.dataset.run));

async function choose(id, value) {
  document.getElementById(id).value = value;
  document.getElementById(id).dispatchEvent(new Event('input', {bubbles: true}));
  await sleep(100);
}

function mouse(target, kind, x, y) {
  target.dispatchEvent(new MouseEvent(kind, {clientX: x, clientY: y, bubbles: true, view: window}));
}

async function useTable(result) {
  const header = all('#runs-table th').find((cell) => cell.textContent === 'test/loss');
  header.querySelector('button').click();
  result.best_first = shownRuns();
  result.sorted = header.getAttribute('aria-sort');
  header.querySelector('button').click();
  result.worst_first = shownRuns();

  await choose('filter', 'hidden_d=16');
  result.filtered = shownRuns();
  result.filtered_count = document.getElementById('count').textContent;
  result.filtered_dots = marks(result.effect, 'dot');
  await choose('filter', 'no_such=1');
  result.filter_problem = document.getElementById('filter-problem').textContent;
  await choose('filter', 'name=small');
  result.named_small = shownRuns();
  result.filters = {};
  for (const text of ['hidden_d = 8, 16', 'hidden_d!=8,16', 'test/accuracy > 0.02', 'test/accuracy>2', 'test/accuracy > 2 %',
    'test/accuracy < 101 hidden_d=16', 'loss>0', 'hidden_d=9', 'interrupted']) {
    await choose('filter', text);
    result.filters[text] = {
      runs: shownRuns().length,
      count: document.getElementById('count').textContent,
      problem: document.getElementById('filter-problem').textContent,
    };
  }
  await choose('filter', '');

  const row = document.querySelector('#runs-table tbody tr');
  mouse(row.cells[0], 'mouseover', 1, 1);
  await sleep(100);
  result.hovered_lines = all('.mark-line path', chart('curves')).filter(
    (path) => path.getAttribute('stroke-width') === '3').length;
  mouse(row.cells[0], 'mouseout', 1, 1);
}

// Drags over the upper half of the first axis.
async function useParallel(result) {
  const axis = document.querySelector('[data-chart="parallel"] .brush_0_hit path');
  axis.scrollIntoView();
  const box = axis.getBoundingClientRect();
  const x = box.left + box.width / 2;
  mouse(axis, 'mousedown', x, box.top + 1);
  mouse(window, 'mousemove', x, box.top + box.height / 2);
  mouse(window, 'mouseup', x, box.top + box.height / 2);
  await sleep(200);
  result.brushed = shownRuns();
  result.brushed_dots = marks(result.effect, 'dot');
  await choose('filter', 'seed=0');
  result.brushed_and_filtered = shownRuns();
  await choose('filter', '');
  result.brushed_again = shownRuns();
  mouse(axis, 'mousedown', x, box.top + 1);
  mouse(window, 'mouseup', x, box.top + 1);
  await sleep(200);
  result.unbrushed = shownRuns();
}

const isSeen = (each) => each.checkVisibility();
const texts = (selector, place = document) => all(selector, place).filter(isSeen).map((each) => each.textContent);

// Shows each section in turn, the first one last.
async function useSections(result) {
  const choices = all('#sections input');
  if (choices.length === 0) return;
  result.parts = [];
  for (const choice of choices) {
    choice.click();
    await until(() => all('[data-chart]').filter(isSeen).every((each) => each.classList.contains('drawn')), 'a section');
    await sleep(100);
    result.parts.push({
      label: choice.parentElement.textContent.replace(/\s+/g, ' ').trim(),
      runs: shownRuns(),
      count: document.getElementById('count').textContent,
      metric: document.getElementById('metric').selectedOptions[0].textContent,
      metrics: all('#metric option').filter((option) => !option.hidden).map((option) => option.textContent),
      columns: texts('#runs-table th button'),
      charts: all('[data-chart]').filter(isSeen).length - all('details.run [data-chart]').filter(isSeen).length,
      folded: all('details.more > summary').filter(isSeen).map((each) => each.textContent).join(),
      sections: all('section').filter(isSeen).map((section) => section.id),
    });
    checkWidths(result);
  }
  choices[0].click();
  await sleep(100);
  const count = () => texts('#runs-table thead th').length;
  result.chosen_columns = {before: count()};
  document.getElementById('columns').open = true;
  all('#columns input').find((box) => !box.checked).click();
  result.chosen_columns.after = count();
}

// What reaches beyond the window or its own place, and names that are broken or shortened.
function checkWidths(result) {
  result.too_wide ??= [];
  result.cut ??= [];
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) result.too_wide.push('the page');
  for (const each of all('body *').filter(isSeen)) {
    const box = each.getBoundingClientRect();
    const inside = each.closest('.wide, select') && width > 700; // on a wide window tables scroll
    if (box.right > width + 1 && !inside) result.too_wide.push(`${each.tagName} ${each.className?.baseVal ?? each.className}`);
    if (getComputedStyle(each).textOverflow === 'ellipsis') result.cut.push(each.textContent);
  }
  for (const each of all('.name').filter(isSeen)) {
    if (each.getBoundingClientRect().height > 30) result.cut.push(each.textContent);
  }
  for (const each of all('svg text').filter(isSeen)) {
    if (each.textContent.includes('…')) result.cut.push(each.textContent);
    const box = each.getBoundingClientRect();
    const chart = each.closest('svg').getBoundingClientRect();
    if (box.left < chart.left - 2 || box.right > chart.right + 2) result.cut.push(`beyond the chart: ${each.textContent}`);
  }
}

const distinct = (paths, attribute) => new Set(paths.map((path) => path.getAttribute(attribute))).size;

// By dashes and shapes: what is left of a page in black and white.
function seeStyles(result) {
  result.legend = all('#legend > span').map((each) => each.textContent);
  result.legend_dashes = distinct(all('#legend svg path:first-child'), 'stroke-dasharray');
  result.legend_shapes = distinct(all('#legend svg path:last-child'), 'd');
  const curves = all('.mark-line path[stroke-width="1.4"]', chart('curves'));
  result.curve_dashes = distinct(curves, 'stroke-dasharray');
  const effect = all('[data-chart^="effect-"]').find(isSeen);
  result.dot_shapes = effect ? distinct(all('.dot path', effect), 'd') : 0;
}

async function usePage() {
  const result = {problems};
  all('details.run').forEach((each) => (each.open = true));
  await until(() => all('[data-chart]').filter(isSeen).every((each) => each.classList.contains('drawn')), 'charts');
  await sleep(100);
  result.charts = {};
  for (const each of all('[data-chart]')) result.charts[each.dataset.chart] = all('svg path[d]', each).length;
  result.images = all('img').filter((image) => image.complete && image.naturalWidth > 0).length;
  result.resources = performance.getEntriesByType('resource').length;
  result.sections = all('section').map((section) => section.id);
  result.scripts = all('script').length;
  checkWidths(result);
  seeStyles(result);
  await useSections(result);
  result.lone_points = marks('curves', 'lone');
  result.mean_lengths = all('.mark-line path[stroke-width="3.2"]', chart('curves')).map(
    (path) => path.getAttribute('d').split('L').length);
  if (chart('parallel') && !result.parts) {
    result.effect = Object.keys(result.charts).find((name) => name.startsWith('effect-'));
    result.dots = marks(result.effect, 'dot');
    result.means = marks(result.effect, 'mean');
    await useTable(result);
    await useParallel(result);
    await choose('metric', all('#metric option').find((option) => option.textContent === 'test/loss').value);
    result.axis_titles = all('.role-axis-title text', chart(result.effect)).map((title) => title.textContent);
  }
  return result;
}

addEventListener('load', async () => {
  let result;
  try {
    result = await usePage();
  } catch (error) {
    result = {problems: [...problems, String(error.stack)]};
  }
  const place = document.body.appendChild(document.createElement('pre'));
  place.id = 'result';
  place.textContent = JSON.stringify(result).replace(/[<>&]/g, (letter) => '\\u00' + letter.charCodeAt(0).toString(16));
});
