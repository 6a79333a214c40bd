// Numbers and times in words. Pure functions.

const GIB = 1024 ** 3;
const NB = '\u00a0'; // a number and its unit stay on one line

function gib(bytes) {
  return `${(bytes / GIB).toFixed(1)}${NB}GiB`;
}

// 0.4 s, 12 s, 3 min 05 s, 2 h 10 min
function duration(seconds) {
  return seconds < 9.95 ? `${seconds.toFixed(1)}${NB}s` : elapsed(seconds);
}

// A running clock counts whole seconds, so that it does not flicker.
function elapsed(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole}${NB}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}${NB}min${NB}${String(whole % 60).padStart(2, '0')}${NB}s`;
  return `${Math.floor(minutes / 60)}${NB}h${NB}${String(minutes % 60).padStart(2, '0')}${NB}min`;
}

function clock(unix, withSeconds = true) {
  return new Date(unix * 1000).toLocaleTimeString([], {
    hour: '2-digit', minute: '2-digit', second: withSeconds ? '2-digit' : undefined, hour12: false,
  });
}

function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString()} ${number === 1 ? one : many}`;
}

function percent(share) {
  if (share > 0 && share < 0.01) return `<1${NB}%`;
  return `${Math.round(100 * share)}${NB}%`;
}
