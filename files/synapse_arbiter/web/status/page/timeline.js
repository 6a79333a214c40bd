// The last hour: one lane a model, full where it held the GPU, pale where it moved.

const RANGES = [[5, '5 min'], [15, '15 min'], [60, '1 h']];
const TROUBLE = new Set(['recycle', 'check', 'force_sleep', 'rewake']);
const LEAST_WIDTH = 0.25; // percent: a switch of two seconds stays visible in an hour
let rangeMinutes = 60;
let pointedAt = null;
let summary = '';

function drawRange(redraw) {
  const buttons = RANGES.map(([minutes, label]) => el('button', {
    type: 'button',
    'aria-pressed': minutes === rangeMinutes,
    onclick: () => {
      rangeMinutes = minutes;
      drawRange(redraw);
      redraw();
    },
  }, label));
  byId('range').replaceChildren(...buttons);
  for (const [place, button] of buttons.entries()) {
    setAttribute(button, 'aria-pressed', RANGES[place][0] === rangeMinutes);
  }
}

function ticks(from, to) {
  const step = 60 * ({ 5: 1, 15: 3, 60: 10 })[rangeMinutes];
  const found = [];
  for (let at = Math.ceil(from / step) * step; at < to; at += step) found.push(at);
  return found;
}

// Overlap of a span with the window, in percent of the window.
function extent(span, from, to) {
  const start = Math.max(span.from_s, from);
  const end = Math.min(span.to_s === null ? to : span.to_s, to);
  if (end < from || start > to) return null;
  return { x: (100 * (start - from)) / (to - from), width: (100 * (end - start)) / (to - from) };
}

function spanTitle(span, now) {
  const lasted = duration((span.to_s === null ? now : span.to_s) - span.from_s);
  const what = span.kind === 'resident' ? `${span.model} held the GPU` : doing(span);
  return `${what}: ${clock(span.from_s)}, ${lasted}${span.note ? `. ${span.note}` : ''}`;
}

function spanKind(span) {
  if (span.kind === 'resident') return 'resident';
  return TROUBLE.has(span.kind) || span.note ? 'trouble' : 'moving';
}

function drawTicks(node, from, to) {
  keyed(node, ticks(from, to), (at) => at, () => svg('line', { class: 'tick', y1: 0, y2: '100%' }), (line, at) => {
    const x = `${(100 * (at - from)) / (to - from)}%`;
    setAttribute(line, 'x1', x);
    setAttribute(line, 'x2', x);
  });
}

function makeSpan(span) {
  const kind = spanKind(span);
  const trouble = kind === 'trouble';
  return svg('rect', {
    class: `span ${kind}`, y: trouble ? '0%' : '18%', height: trouble ? '100%' : '64%', rx: 2,
    onpointerenter: (event) => { pointedAt = event.target.dataset.key; drawNote(); },
    onpointerleave: () => { pointedAt = null; drawNote(); },
  }, svg('title'));
}

function drawSpans(node, spans, from, to) {
  const seen = spans.map((span) => ({ span, extent: extent(span, from, to) })).filter((each) => each.extent);
  keyed(node, seen, ({ span }) => `${span.kind} ${span.from_s}`, ({ span }) => makeSpan(span), (bar, { span, extent: { x, width } }) => {
    setAttribute(bar, 'x', `${x.toFixed(3)}%`);
    setAttribute(bar, 'width', `${Math.max(width, LEAST_WIDTH).toFixed(3)}%`);
    setText(bar.firstElementChild, spanTitle(span, to));
  });
}

// The line below the lanes: what the pointer is on, else how the time shown was spent.
function drawNote() {
  const bar = pointedAt && [...document.querySelectorAll('.span')].find((each) => each.dataset.key === pointedAt);
  setText(byId('timeline-note'), bar ? bar.firstElementChild.textContent : summary);
}

function summarize(spans, from, to) {
  const switches = spans.filter((span) => span.kind === 'switch' && extent(span, from, to));
  const spent = switches.reduce((sum, span) => sum + extent(span, from, to).width, 0) / 100;
  if (!switches.length) return 'no switches';
  return `${count(switches.length, 'switch', 'switches')}, ${percent(spent)} of the time`;
}

function share(spans, from, to) {
  const held = spans.filter((span) => span.kind === 'resident')
    .map((span) => extent(span, from, to)).filter(Boolean);
  return held.reduce((sum, seen) => sum + seen.width, 0) / 100;
}

function drawTimeline(status, now) {
  const from = now - 60 * rangeMinutes;
  const makeLane = () => el('div', { class: 'lane' }, el('span', { class: 'lane-name' }), svg('svg', { role: 'img' }, svg('g'), svg('g')), el('span', { class: 'lane-share' }));
  keyed(byId('timeline'), [...status.models, null], (model) => (model ? model.name : '~axis'), (model) => (model ? makeLane() : el('div', { class: 'lane axis', 'aria-hidden': true }, el('span'), el('div', { class: 'axis-marks' }), el('span'))), (node, model) => {
    if (!model) return drawAxis(node.children[1], from, now);
    const spans = status.timeline.filter((span) => span.model === model.name);
    const held = share(spans, from, now);
    setText(node.children[0], model.name);
    setAttribute(node.children[1], 'data-colour', colourOf(status, model.name));
    setAttribute(node.children[1], 'aria-label', `${model.name} held the GPU for ${percent(held)} of the last ${rangeMinutes} minutes`);
    drawTicks(node.children[1].children[0], from, now);
    drawSpans(node.children[1].children[1], spans, from, now);
    return setText(node.children[2], percent(held));
  });
  summary = summarize(status.timeline, from, now);
  drawNote();
}

function drawAxis(node, from, to) {
  const place = (at) => (100 * (at - from)) / (to - from);
  const inside = ticks(from, to).filter((at) => place(at) > 5 && place(at) < 95);
  keyed(node, inside, (at) => at, (at) => el('span', {}, clock(at, false)), (mark, at) => {
    mark.style.left = `${place(at)}%`;
  });
}
