// The last hour: one lane a model, full where it held the card, pale where it moved.

const RANGES = [[5, '5 min'], [15, '15 min'], [60, '1 h']];
const TROUBLE = new Set(['recycle', 'check', 'calm', 'rouse']);
const LEAST_WIDTH = 0.25; // percent: a switch of two seconds stays visible in an hour
let rangeMinutes = 15;

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
  const what = span.kind === 'resident' ? `${span.model} held the card` : doing(span);
  return `${what}: ${clock(span.from_s)}, ${lasted}${span.note ? `. ${span.note}` : ''}`;
}

function spanKind(span) {
  if (span.kind === 'resident') return 'resident';
  return TROUBLE.has(span.kind) || span.note ? 'trouble' : 'moving';
}

function drawStrip(spans, from, to) {
  const marks = ticks(from, to).map((at) => {
    const x = `${(100 * (at - from)) / (to - from)}%`;
    return svg('line', { class: 'tick', x1: x, x2: x, y1: 0, y2: '100%' });
  });
  const bars = [];
  for (const span of spans) {
    const seen = extent(span, from, to);
    if (!seen) continue;
    const kind = spanKind(span);
    const bar = svg('rect', {
      class: `span ${kind}`,
      x: `${seen.x}%`,
      width: `${Math.max(seen.width, LEAST_WIDTH)}%`,
      y: kind === 'trouble' ? '0%' : '20%',
      height: kind === 'trouble' ? '100%' : '60%',
      rx: 2,
    }, svg('title', {}, spanTitle(span, to)));
    bars.push(bar);
  }
  return [...marks, ...bars];
}

function share(spans, from, to) {
  const held = spans.filter((span) => span.kind === 'resident')
    .map((span) => extent(span, from, to)).filter(Boolean);
  return held.reduce((sum, seen) => sum + seen.width, 0) / 100;
}

function drawTimeline(status, now) {
  const from = now - 60 * rangeMinutes;
  const makeLane = () => el('div', { class: 'lane' }, el('span', { class: 'lane-name' }), svg('svg', { role: 'img' }), el('span', { class: 'lane-share' }));
  keyed(byId('timeline'), [...status.models, null], (model) => (model ? model.name : '~axis'), (model) => (model ? makeLane() : el('div', { class: 'lane axis', 'aria-hidden': true }, el('span'), el('div', { class: 'axis-marks' }), el('span'))), (node, model) => {
    if (!model) return drawAxis(node.children[1], from, now);
    const spans = status.timeline.filter((span) => span.model === model.name);
    const held = share(spans, from, now);
    setText(node.children[0], model.name);
    setAttribute(node.children[1], 'data-colour', colourOf(status, model.name));
    setAttribute(node.children[1], 'aria-label', `${model.name} held the card for ${percent(held)} of the last ${rangeMinutes} minutes`);
    node.children[1].replaceChildren(...drawStrip(spans, from, now));
    return setText(node.children[2], percent(held));
  });
}

function drawAxis(node, from, to) {
  keyed(node, ticks(from, to), (at) => at, (at) => el('span', {}, clock(at, false)), (mark, at) => {
    mark.style.left = `${(100 * (at - from)) / (to - from)}%`;
  });
}
