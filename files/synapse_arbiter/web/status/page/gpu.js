// Who holds the GPU, what is being done to it, and what is in its memory.

const DOING = {
  reconcile: () => 'Asking the engines what is going on',
  switch: (model) => `Switching to ${model}`,
  sleep: (model) => `Putting ${model} to sleep`,
  boot: (model) => `${model} is starting`,
  onboard: (model) => `Taking ${model} in`,
  force_sleep: (model) => `Putting ${model} back to sleep`,
  rewake: (model) => `Waking ${model} again`,
  check: (model) => `Checking ${model}`,
  recycle: (model) => `Replacing ${model}`,
};

// Which colour a model has: by its place in the catalogue, so that it never changes.
function colourOf(status, name) {
  const place = status.models.findIndex((model) => model.name === name);
  return place < 0 ? 'other' : String(place % 8);
}

function doing(activity) {
  const words = DOING[activity.kind] || ((model) => `${activity.kind} ${model || ''}`);
  return words(activity.model || 'an engine');
}

function headline(status) {
  const { gpu, phase } = status;
  if (phase === 'stopping') return 'The arbiter is stopping';
  if (gpu.activity) return doing(gpu.activity);
  if (gpu.released_until_s !== null) return 'The GPU is released';
  if (gpu.resident === null) return 'The GPU is free';
  return gpu.gate_open ? `${gpu.resident} holds the GPU` : `${gpu.resident} is finishing`;
}

function subline(status, now) {
  const { gpu } = status;
  const holder = status.models.find((model) => model.name === gpu.resident);
  if (gpu.activity) {
    const since = `for ${elapsed(now - gpu.activity.since_s)}`;
    const usual = gpu.activity.expected_s;
    return usual === null ? since : `${since}, usually ${duration(usual)}`;
  }
  if (gpu.released_until_s !== null) {
    return `until ${clock(gpu.released_until_s, false)}, for another `
      + `${elapsed(gpu.released_until_s - now)}; requests go to their fallbacks`;
  }
  if (!holder) return 'the next request wakes its model';
  const running = `${holder.running} of ${holder.capacity} running`;
  if (!gpu.gate_open) return `${count(holder.running, 'request')} still running; then the next model comes in`;
  const parts = [`for ${elapsed(now - gpu.resident_since_s)}`, running];
  if (gpu.turn_ends_s !== null) parts.push(`turn ends in ${elapsed(gpu.turn_ends_s - now)}`);
  return parts.join(' · ');
}

function facts(status) {
  const { gpu } = status;
  const waiting = status.models.reduce((sum, model) => sum + model.waiting, 0);
  const found = [waiting ? count(waiting, 'request waits', 'requests wait') : 'nobody waits'];
  found.push(`${count(status.switches, 'switch', 'switches')} in the last hour`);
  if (gpu.pinned) found.push(`pinned to ${gpu.pinned}`);
  if (gpu.default) found.push(`default ${gpu.default}`);
  return found;
}

function drawGpu(status, now) {
  const { gpu } = status;
  setText(byId('headline'), headline(status));
  setText(byId('subline'), subline(status, now));
  setAttribute(byId('headline'), 'data-colour', colourOf(status, gpu.activity ? gpu.activity.model : gpu.resident));
  keyed(byId('facts'), facts(status), (fact) => fact, () => el('li'), setText);
  drawProgress(gpu.activity, now);
  drawMemory(status);
}

// A bar that glides to its end in the time that is left; the end itself comes as an event.
function drawProgress(activity, now) {
  const node = byId('progress');
  const usual = activity ? activity.expected_s : null;
  show(node, Boolean(usual));
  const key = usual ? `${activity.kind} ${activity.since_s}` : '';
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  if (!usual) return;
  const passed = Math.max(0, now - activity.since_s);
  const bar = node.firstElementChild;
  bar.style.transition = 'none';
  bar.style.width = `${Math.min(97, (100 * passed) / usual)}%`;
  bar.getBoundingClientRect(); // the start counts before the glide begins
  bar.style.transition = `width ${Math.max(0, usual - passed)}s linear`;
  bar.style.width = '97%';
}

// The parts of the memory as known per model; what is left over belongs to nobody we know.
function memoryParts(status) {
  const { gpu } = status;
  const parts = [];
  for (const model of status.models) {
    const awake = model.name === gpu.resident;
    const bytes = awake ? model.vram_bytes : model.residual_bytes;
    if (bytes) parts.push({ name: model.name, label: awake ? model.name : `${model.name} asleep`, bytes, awake });
  }
  parts.sort((a, b) => Number(b.awake) - Number(a.awake));
  if (gpu.used_bytes === null) return parts;
  const known = parts.reduce((sum, part) => sum + part.bytes, 0);
  const scale = known > gpu.used_bytes ? gpu.used_bytes / known : 1;
  for (const part of parts) part.bytes *= scale;
  const other = gpu.used_bytes - known;
  const moves = gpu.resident === null && gpu.activity && gpu.activity.model;
  if (other > 0.2 * GIB) parts.push({ name: moves || '', label: moves ? 'on the move' : 'other', bytes: other, awake: false });
  return parts;
}

function drawMemory(status) {
  const { total_bytes: total, used_bytes: used } = status.gpu;
  const parts = memoryParts(status);
  const sum = used === null ? 'reading is away, as last known' : `${gib(used)} of ${gib(total)} used, ${gib(total - used)} free`;
  setText(byId('memory-sum'), sum);
  setAttribute(byId('memory-bar'), 'aria-label', `Gpu memory: ${sum}. `
    + parts.map((part) => `${part.label} ${gib(part.bytes)}`).join(', '));
  const update = (node, part) => {
    setAttribute(node, 'data-colour', colourOf(status, part.name));
    setAttribute(node, 'data-awake', part.awake);
  };
  keyed(byId('memory-bar'), parts, (part) => part.label, () => el('div'), (node, part) => {
    update(node, part);
    node.style.width = `${(100 * part.bytes) / total}%`;
  });
  keyed(byId('memory-legend'), parts, (part) => part.label, () => el('li', {}, el('i'), el('span')), (node, part) => {
    update(node.firstElementChild, part);
    setText(node.lastElementChild, `${part.label} ${gib(part.bytes)}`);
  });
}
