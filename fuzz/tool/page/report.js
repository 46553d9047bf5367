// SPDX-License-Identifier: ISC
// Draws the charts of the report from the data in the page, and says for a cell of a matrix which command shows its input.
// Text from the data is only ever set as text.
'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const LEFT = 52, RIGHT = 10, TOP = 12, BOTTOM = 26, DOTS_MAX = 60, NAMES_MAX = 8;
  const select = document.getElementById('target');
  const charts = [...document.querySelectorAll('svg.chart')];

  function add(parent, name, attributes, text) {
    const made = document.createElementNS(parent.namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  }

  // 1234567 as "1,234,567", 0.0123 as "0.012".
  function exact(value) {
    const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 1 ? 1 : 3;
    return value.toLocaleString('en', { minimumFractionDigits: 0, maximumFractionDigits: digits });
  }

  function brief(value) {
    for (const [size, letter] of [[1e9, 'G'], [1e6, 'M'], [1e4, 'k']])
      if (value >= size) return (value / (letter === 'k' ? 1e3 : size)).toLocaleString('en', { maximumFractionDigits: 1 }) + letter;
    return exact(value);
  }

  function duration(seconds) {
    if (seconds < 60) return `${Math.round(seconds)} s`;
    const minutes = Math.round(seconds / 60);
    if (minutes < 60) return `${minutes} min`;
    if (minutes < 72 * 60) return `${Math.floor(minutes / 60)} h` + (minutes % 60 ? ` ${minutes % 60} min` : '');
    return `${Math.floor(minutes / 1440)} d` + (Math.floor(minutes / 60) % 24 ? ` ${Math.floor(minutes / 60) % 24} h` : '');
  }

  function moment(seconds) {
    const at = new Date(seconds * 1000), two = (number) => String(number).padStart(2, '0');
    return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
  }

  // A round number of which about `wanted` multiples lie from low to high.
  function roundStep(low, high, wanted, whole) {
    const rough = (high - low) / wanted || 1, power = 10 ** Math.floor(Math.log10(rough));
    let step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999);
    if (whole) step = Math.max(1, step);
    return step;
  }

  function timeTicks(total, wanted) {
    const sizes = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 432000, 864000, 2592000];
    const step = sizes.find((size) => total / size <= wanted) || Math.ceil(total / wanted / 2592000) * 2592000;
    const found = [];
    for (let at = 0; at <= total; at += step) found.push(at);
    return found;
  }

  // The points of a chart: [{x, y, t, name}], those without a value left out.
  function pointsOf(quantity, series) {
    if (quantity === 'found') {
      const shown = data.findings.filter((one) => one.x !== null && (!series.name || one.target === series.name));
      return shown.sort((a, b) => a.x - b.x).map((one, index) => ({ x: one.x, y: index + 1, t: one.t, name: one.identity }));
    }
    const values = series[quantity] || [];
    return series.x.map((x, index) => ({ x, y: values[index], t: series.t[index] })).filter((point) => point.y !== null && point.y !== undefined);
  }

  function draw(svg) {
    const series = data.series.find((one) => one.name === select.value) || data.series[0];
    const quantity = svg.dataset.quantity, steps = quantity === 'found', points = pointsOf(quantity, series);
    const width = Math.max(200, Math.round(svg.getBoundingClientRect().width)), height = 190;
    const output = svg.parentNode.querySelector('output');
    svg.replaceChildren();
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    svg.points = [];
    output.textContent = points.length ? brief(points[points.length - 1].y) : '';
    const title = svg.parentNode.querySelector('h3').textContent, whose = series.name || 'all targets';
    svg.setAttribute('aria-label', points.length ? `${title}, ${whose}: ${exact(points[0].y)} to ${exact(points[points.length - 1].y)} ` +
      `in ${duration(data.total)} of campaigns; left and right arrows say each point` : `${title}, ${whose}: nothing`);
    if (!points.length) {
      add(svg, 'text', { x: width / 2, y: height / 2, 'text-anchor': 'middle' }, steps ? 'no finding of this target' : 'not counted for this target');
      return;
    }
    const values = points.map((point) => point.y), zero = steps || svg.dataset.zero === 'yes';
    let low = zero ? 0 : Math.min(...values), high = Math.max(...values);
    if (high === low) { low = zero ? 0 : Math.max(0, low - 1); high += 1; }
    const step = roundStep(low, high, 4, svg.dataset.whole === 'yes');
    const first = Math.floor(low / step + 1e-9), last = Math.ceil(high / step - 1e-9);
    low = first * step;
    high = last * step;
    const total = Math.max(data.total, 1);
    const px = (value) => LEFT + (width - LEFT - RIGHT) * value / total;
    const py = (value) => height - BOTTOM - (height - TOP - BOTTOM) * (value - low) / (high - low);
    const at = (value) => Math.round(value * 100) / 100;
    for (let number = first; number <= last; number++) {
      const value = Number((number * step).toPrecision(12));
      add(svg, 'line', { class: 'grid', x1: LEFT, x2: width - RIGHT, y1: at(py(value)), y2: at(py(value)) });
      add(svg, 'text', { class: 'y', x: LEFT - 8, y: at(py(value)), dy: '0.32em', 'text-anchor': 'end', 'data-value': value }, brief(value));
    }
    add(svg, 'line', { class: 'axis', x1: LEFT, x2: width - RIGHT, y1: height - BOTTOM, y2: height - BOTTOM });
    const times = timeTicks(total, width < 330 ? 3 : width < 700 ? 5 : 10), inSeconds = times.some((value) => value % 60);
    for (const value of times)
      add(svg, 'text', { class: 'x', x: at(px(value)), y: height - BOTTOM + 16, 'text-anchor': value === 0 ? 'start' : px(value) > width - RIGHT - 14 ? 'end' : 'middle', 'data-value': value }, value === 0 ? '0' : inSeconds ? `${value} s` : duration(value));
    for (const begin of data.begins.slice(1))
      add(svg, 'line', { class: 'begin', x1: at(px(begin)), x2: at(px(begin)), y1: TOP, y2: height - BOTTOM });
    svg.points = points.map((point) => ({ ...point, px: at(px(point.x)), py: at(py(point.y)) }));
    let drawn = svg.points.map((point) => [point.px, point.py]);
    if (steps) { // it is as many as before until the next one
      drawn = [[px(0), py(0)], ...svg.points.flatMap((point, index) => [[point.px, py(index)], [point.px, point.py]]), [px(total), py(points.length)]];
      drawn = drawn.map((pair) => pair.map(at));
    }
    const path = drawn.map((pair) => pair.join(',')).join(' ');
    add(svg, 'polygon', { class: 'area', points: `${drawn[0][0]},${height - BOTTOM} ${path} ${drawn[drawn.length - 1][0]},${height - BOTTOM}` });
    add(svg, 'polyline', { class: 'line', points: path });
    if (steps && points.length <= NAMES_MAX && width >= 700)
      for (const point of svg.points) {
        const left = point.px > width / 2;
        add(svg, 'text', { class: 'name', x: point.px + (left ? -9 : 9), y: point.py - 6, 'text-anchor': left ? 'end' : 'start' },
          point.name.length > 60 ? `${point.name.slice(0, 59)}…` : point.name);
      }
    if (steps || points.length <= DOTS_MAX)
      for (const point of svg.points) add(svg, 'circle', { class: steps ? 'found' : 'dot', cx: point.px, cy: point.py, r: steps ? 5 : 2.2 });
  }

  function say(svg, index) {
    const point = svg.points[index], card = svg.parentNode;
    hush(svg);
    if (!point) return;
    svg.current = index;
    add(svg, 'line', { class: 'cross', x1: point.px, x2: point.px, y1: TOP, y2: 190 - BOTTOM });
    add(svg, 'circle', { class: 'here', cx: point.px, cy: point.py, r: 4 });
    const tip = document.createElement('div'), strong = document.createElement('b');
    tip.className = 'tip';
    strong.textContent = point.name || `${exact(point.y)} ${svg.dataset.unit}`;
    tip.append(strong, `after ${duration(point.x)} of campaigns, ${moment(point.t)}`);
    tip.setAttribute('role', 'status');
    card.append(tip);
    const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    const left = svg.offsetLeft || svg.getBoundingClientRect().left - card.getBoundingClientRect().left;
    const x = left + point.px * scale, room = card.clientWidth - tip.offsetWidth - 6;
    tip.style.left = `${Math.max(6, Math.min(room, x - tip.offsetWidth / 2))}px`;
    tip.style.top = `${svg.getBoundingClientRect().top - card.getBoundingClientRect().top + point.py < tip.offsetHeight + 20 ? point.py + 14 : point.py - tip.offsetHeight - 10}px`;
  }

  function hush(svg) {
    svg.querySelectorAll('.cross, .here').forEach((one) => one.remove());
    svg.parentNode.querySelectorAll('.tip').forEach((one) => one.remove());
  }

  function near(svg, event) {
    const box = svg.getBoundingClientRect(), x = (event.clientX - box.left) * svg.viewBox.baseVal.width / box.width;
    let best = 0;
    svg.points.forEach((point, index) => { if (Math.abs(point.px - x) < Math.abs(svg.points[best].px - x)) best = index; });
    return best;
  }

  for (const svg of charts) {
    svg.points = [];
    svg.addEventListener('pointermove', (event) => { if (svg.points.length) say(svg, near(svg, event)); });
    svg.addEventListener('pointerdown', (event) => { if (svg.points.length) say(svg, near(svg, event)); });
    svg.addEventListener('pointerleave', () => hush(svg));
    svg.addEventListener('blur', () => hush(svg));
    svg.addEventListener('focus', () => say(svg, svg.points.length - 1));
    svg.addEventListener('keydown', (event) => {
      const last = svg.points.length - 1, now = svg.current ?? last;
      const next = { ArrowLeft: Math.max(0, now - 1), ArrowRight: Math.min(last, now + 1), Home: 0, End: last }[event.key];
      if (next === undefined || last < 0) return;
      event.preventDefault();
      say(svg, next);
    });
  }
  if (charts.length) {
    const all = () => charts.forEach(draw);
    select.addEventListener('change', all);
    let drawnAt = 0;
    new ResizeObserver(() => {
      const width = charts[0].getBoundingClientRect().width;
      if (width !== drawnAt) { drawnAt = width; all(); }
    }).observe(document.body);
    all();
    document.addEventListener('click', (event) => {
      const button = event.target.closest('button[data-target]');
      if (!button) return;
      select.value = button.dataset.target;
      all();
      document.getElementById('history').scrollIntoView();
    });
  }

  // --- the table of targets, by any of its columns ---

  const targets = document.querySelector('#targets table');
  const worth = (row, at) => { // names after numbers, nothing last
    const cell = row.cells[at], said = cell.dataset.v ?? cell.textContent.replaceAll(',', '');
    return said.trim() === '' ? -Infinity : Number.parseFloat(said);
  };

  function sort(head) {
    const at = head.cellIndex, down = head.getAttribute('aria-sort') !== 'descending', rows = [...targets.tBodies[0].rows];
    for (const other of targets.tHead.rows[0].cells) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    rows.sort((a, b) => (at === 0 ? b.cells[0].textContent.localeCompare(a.cells[0].textContent) : worth(b, at) - worth(a, at) || 0));
    targets.tBodies[0].append(...(down ? rows : rows.reverse()));
  }

  for (const head of targets.tHead.rows[0].cells) {
    if (head.cellIndex !== 0 && !head.classList.contains('n')) continue;
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    button.addEventListener('click', () => sort(head));
    head.append(button);
  }

  // --- matrices ---

  const panel = document.getElementById('chosen');
  let chosen = null;

  // What a cell is: its table's service, its row, its column.
  function words(link) {
    if (link.closest('.names')) return link.textContent;
    const cell = link.parentNode, table = cell.closest('table');
    const row = cell.parentNode.cells[0].firstChild.textContent, verdict = table.tHead.rows[0].cells[cell.cellIndex].textContent;
    return `${table.dataset.of}${table.dataset.states ? `, state ${row}` : `.${row}`}: ${verdict}, ` +
      `${link.textContent} input${link.textContent === '1' ? '' : 's'}`;
  }

  // A path for the shell.
  function quoted(path) {
    return /^[\w./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\"'\"'")}'`;
  }

  function choose(link) {
    if (chosen) chosen.classList.remove('chosen');
    chosen = link;
    link.classList.add('chosen');
    let path = link.getAttribute('href').slice(data.root.length);
    try { path = decodeURIComponent(path); } catch { /* a name that is no UTF-8 stays as the link has it */ }
    panel.querySelector('.words').textContent = words(link);
    panel.querySelector('code').textContent = `./basalt show ${quoted(path)}`;
    panel.querySelector('a').href = link.getAttribute('href');
    panel.hidden = false;
  }

  function leave() {
    panel.hidden = true;
    if (chosen) chosen.classList.remove('chosen');
    chosen = null;
  }

  const cellOf = (event) => event.target.closest && event.target.closest('.heat td > a, .names a');
  document.addEventListener('pointerover', (event) => { if (event.pointerType === 'mouse' && cellOf(event)) choose(cellOf(event)); });
  document.addEventListener('focusin', (event) => { if (cellOf(event)) choose(cellOf(event)); });
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape') leave(); });
  // A finger has no way to point: its first touch says what the cell is, the link in the panel opens the input.
  document.addEventListener('click', (event) => {
    const link = cellOf(event);
    if (link && event.pointerType === 'touch') { event.preventDefault(); choose(link); }
  });
  panel.querySelector('.close').addEventListener('click', leave);
  const copy = panel.querySelector('.copy');
  copy.hidden = !navigator.clipboard;
  copy.addEventListener('click', () => navigator.clipboard.writeText(panel.querySelector('code').textContent).then(
    () => { copy.textContent = 'Copied'; setTimeout(() => { copy.textContent = 'Copy'; }, 1500); }, () => {}));

  // A link to an operation opens what it lies in.
  function reveal() {
    const there = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let at = there; at; at = at.parentElement) if (at.tagName === 'DETAILS') at.open = true;
    if (there) there.scrollIntoView();
  }
  addEventListener('hashchange', reveal);
  reveal();
})();
