// Numbers and times in words. Pure functions.

const GIB = 1024 ** 3;

function gib(bytes) {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}

// 0.42 s, 12 s, 3 min 05 s, 2 h 10 min
function duration(seconds) {
  if (seconds < 0.05) return '0 s';
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

// A running clock: whole seconds, so that it does not flicker.
function elapsed(seconds) {
  return duration(Math.max(0, Math.floor(seconds)));
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
  if (share > 0 && share < 0.01) return '<1 %';
  return `${Math.round(100 * share)} %`;
}
