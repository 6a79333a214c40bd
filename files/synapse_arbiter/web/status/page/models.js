// One row a model: what it does, who waits for it, what it costs, and what can be done to it.

const STATES = {
  awake: 'awake', asleep: 'asleep', moving: 'moving', booting: 'starting', away: 'away', waiting: 'waits to start',
  quarantined: 'quarantined', stuck: 'stuck', unknown: 'unknown',
};

const MOST_PIPS = 40;

function makeModel(model) {
  const part = (name) => el('span', { class: name });
  return el('li', { class: 'model' },
    el('div', { class: 'model-name' }, el('i', { class: 'dot' }), el('h3', {}, model.name), part('badge')),
    el('div', { class: 'pips', 'aria-hidden': true }),
    el('p', { class: 'model-line' }, part('line'), part('oldest')),
    el('p', { class: 'model-facts quiet' }),
    el('div', { class: 'model-actions' },
      actionButton('pin', model.name, 'Pin'), actionButton('recycle', model.name, 'Recycle')),
    el('p', { class: 'model-reason' }));
}

function waitingWords(model) {
  const batch = model.waiting_batch ? ` (${model.waiting_batch} batch)` : '';
  const parts = [];
  if (model.running) parts.push(`${model.running} of ${model.capacity} running`);
  if (model.waiting) parts.push(`${model.waiting} waiting${batch}`);
  return parts.join(', ') || 'no requests';
}

// One square a place in the engine, one a waiting request: the same facts as the words beside.
function pips(model) {
  const places = Math.min(model.capacity, MOST_PIPS);
  const found = Array(places).fill('free').fill('running', 0, Math.min(model.running, places));
  if (!model.waiting) return found;
  const batch = Math.min(model.waiting_batch, MOST_PIPS);
  const others = Math.min(model.waiting - model.waiting_batch, MOST_PIPS - batch);
  return [...found, 'gap', ...Array(others).fill('waiting'), ...Array(batch).fill('batch')];
}

function modelFacts(model, status) {
  const parts = [];
  const now = model.predicted_wait_s;
  if (now !== null) parts.push(now < 0.05 ? 'answers at once' : `about ${duration(now)} to wait`);
  parts.push(`${gib(model.vram_bytes)} awake`);
  parts.push(`switch ${duration(model.switch_s)}`);
  if (model.answered) parts.push(`${model.answered.toLocaleString()} answered`);
  if (model.refused) parts.push(`${model.refused.toLocaleString()} refused`);
  if (status.gpu.default === model.name) parts.push('default');
  return parts.join(' · ');
}

function drawModel(node, model, status, now) {
  const find = (name) => node.querySelector(name);
  const isResident = status.gpu.resident === model.name;
  const pinned = status.gpu.pinned === model.name;
  setAttribute(node, 'data-colour', colourOf(status, model.name));
  setAttribute(node, 'data-state', model.state);
  setAttribute(node, 'data-resident', isResident);
  setText(find('.badge'), pinned ? `${STATES[model.state] || model.state}, pinned` : STATES[model.state] || model.state);
  keyed(find('.pips'), pips(model).map((is, place) => ({ is, place })), ({ place }) => place, () => el('i'), (pip, { is }) => setAttribute(pip, 'data-is', is));
  setText(find('.line'), waitingWords(model));
  const waits = model.oldest_since_s !== null ? `oldest ${elapsed(now - model.oldest_since_s)}` : '';
  setText(find('.oldest'), waits);
  setText(find('.model-facts'), modelFacts(model, status));
  setText(find('.model-reason'), model.reason);
  show(find('.model-reason'), Boolean(model.reason));
  const pin = find('[data-action]');
  setAttribute(pin, 'data-action', pinned ? 'unpin' : 'pin');
  setText(pin, pinned ? 'Unpin' : 'Pin');
}

function drawModels(status, now) {
  keyed(byId('models'), status.models, (model) => model.name, makeModel, (node, model) => {
    drawModel(node, model, status, now);
  });
}
