// The buttons: what they ask, and how they are sent with the admin token.

const TOKEN = 'synapse-admin-token';
const LEASES = [[900, '15 minutes'], [3600, '1 hour'], [4 * 3600, '4 hours'], [12 * 3600, '12 hours']];

const ACTIONS = {
  pin: {
    title: (model) => `Pin the GPU to ${model}?`,
    text: (model) => `${model} comes in and stays. Requests for other models go to their fallbacks until you unpin it.`,
    go: 'Pin', path: (model) => `admin/pin/${model}`,
  },
  unpin: {
    title: () => 'Unpin the GPU?', text: () => 'All models take their turns again.', go: 'Unpin', path: () => 'admin/unpin',
  },
  release: {
    title: () => 'Release the GPU?',
    text: () => 'Running requests finish, every model goes to sleep, and requests go to their fallbacks. The GPU comes back by itself.',
    go: 'Release', path: (_model, seconds) => `admin/release?seconds=${seconds}`, lease: true,
  },
  reclaim: {
    title: () => 'Take the GPU back?', text: () => 'Models may wake again at once. Make sure nothing else uses the GPU.', go: 'Take back', path: () => 'admin/reclaim',
  },
  recycle: {
    title: (model) => `Recycle ${model}?`,
    text: (model) => `Its engine starts anew, which takes minutes. Requests for ${model} go to its fallback meanwhile.`,
    go: 'Recycle', path: (model) => `admin/recycle/${model}`,
  },
};

function actionButton(action, model, label) {
  const button = el('button', {
    type: 'button', 'data-action': action, 'data-model': model,
    onclick: () => ask(button.dataset.action, model),
  }, label);
  return button;
}

function drawActions(status, usable) {
  const wanted = status.gpu.released_until_s === null ? [['release', 'Release']] : [['reclaim', 'Take back']];
  if (status.gpu.pinned) wanted.push(['unpin', 'Unpin']);
  keyed(byId('gpu-actions'), wanted, (entry) => entry[0], ([action, label]) => actionButton(action, '', label), () => {});
  for (const button of document.querySelectorAll('[data-action]')) {
    const off = !usable || !status.actions_enabled;
    if (button.disabled !== off) button.disabled = off;
  }
  setText(byId('footnote'), status.actions_enabled ? '' : 'The buttons are off: the arbiter has no admin token.');
}

function ask(action, model) {
  const kind = ACTIONS[action];
  const known = sessionStorage.getItem(TOKEN);
  setText(byId('ask-title'), kind.title(model));
  setText(byId('ask-text'), kind.text(model));
  setText(byId('ask-go'), kind.go);
  setText(byId('ask-note'), known ? '' : 'The token is kept until you close this tab.');
  show(byId('ask-choice-label'), Boolean(kind.lease));
  show(byId('ask-token-label'), !known);
  byId('ask-choice').replaceChildren(...LEASES.map(([value, label]) => el('option', { value }, label)));
  byId('ask-token').value = '';
  const dialog = byId('ask');
  dialog.returnValue = '';
  dialog.onclose = () => {
    if (dialog.returnValue !== 'go') return;
    const token = known || byId('ask-token').value.trim();
    byId('ask-token').value = '';
    send(action, kind.path(encodeURIComponent(model), byId('ask-choice').value), token);
  };
  dialog.showModal();
  (known ? byId('ask-go') : byId('ask-token')).focus();
}

async function send(action, path, token) {
  try {
    const response = await fetch(path, { method: 'POST', headers: { Authorization: `Bearer ${token}` } });
    const body = await response.json().catch(() => ({}));
    if (response.ok) {
      sessionStorage.setItem(TOKEN, token);
      toast(body.message || 'Done.', false);
    } else {
      if (response.status === 401) sessionStorage.removeItem(TOKEN);
      toast(body.error ? body.error.message : `The arbiter answered ${response.status}.`, true);
    }
  } catch {
    toast('The arbiter could not be reached; nothing was changed.', true);
  }
}

function toast(text, failed) {
  const node = byId('toast');
  setText(node, text);
  setAttribute(node, 'data-failed', failed);
  show(node, true);
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => show(node, false), failed ? 10000 : 5000);
}
