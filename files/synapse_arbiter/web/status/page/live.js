// The connection: listens to the stream, says so when it breaks, and keeps the clocks running.

const SILENCE_MS = 12000; // the arbiter speaks at least every five seconds
const RETRY_MS = [1000, 2000, 4000, 8000, 15000];

const live = { status: null, skew: 0, heardAt: 0, tries: 0, source: null, retryAt: 0, state: 'connecting' };

// Now, on the arbiter's clock.
function arbiterNow() {
  return Date.now() / 1000 + live.skew;
}

function listen() {
  if (live.source) live.source.close();
  live.heardAt = Date.now();
  live.retryAt = 0;
  live.source = new EventSource('status/stream');
  live.source.onmessage = (event) => {
    live.status = JSON.parse(event.data);
    live.skew = live.status.time_s - Date.now() / 1000;
    live.heardAt = Date.now();
    live.tries = 0;
    live.state = 'live';
    draw();
  };
  live.source.onerror = lose;
}

function lose() {
  live.source.close();
  live.state = 'offline';
  live.retryAt = Date.now() + RETRY_MS[Math.min(live.tries, RETRY_MS.length - 1)];
  live.tries += 1;
  draw();
}

function drawConnection() {
  const node = byId('connection');
  setAttribute(node, 'data-state', live.state);
  const seconds = Math.max(1, Math.ceil((live.retryAt - Date.now()) / 1000));
  setText(node, live.state === 'offline' ? `retrying in ${seconds} s` : live.state);
  const outage = byId('outage');
  show(outage, live.state === 'offline');
  if (live.state !== 'offline') return;
  setText(outage, live.status
    ? `No connection to the arbiter. What you see is from ${clock(live.status.time_s)}.`
    : 'No connection to the arbiter.');
}

function draw() {
  drawConnection();
  const { status } = live;
  if (!status) return;
  const now = live.state === 'live' ? arbiterNow() : status.time_s;
  show(byId('main'), true);
  setAttribute(document.body, 'data-stale', live.state !== 'live');
  drawGpu(status, now);
  drawModels(status, now);
  drawTimeline(status, now);
  drawDecisions(status);
  drawActions(status, live.state === 'live');
  document.title = live.state === 'live' ? `${headline(status)} · Synapse` : 'offline · Synapse';
}

function tick() {
  if (live.retryAt && Date.now() >= live.retryAt) listen();
  else if (!live.retryAt && Date.now() - live.heardAt > SILENCE_MS) lose();
  if (!document.hidden) draw();
}

drawRange(draw);
listen();
setInterval(tick, 1000);
document.addEventListener('visibilitychange', draw);
