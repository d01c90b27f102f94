// How long the host's event loop is held up: a timer every millisecond, and how much later than asked it comes. VS Code's
// own work and that of other extensions is in it, and so is time in which another process had the CPU: the thread's CPU
// time beside each delay tells these from work. perf_hooks measures the same from outside JavaScript, as a check.
const { monitorEventLoopDelay } = require("node:perf_hooks");

const PERIOD_MS = 1;
/** Half an hour of samples. */
const MAX_SAMPLES = 2_000_000;
/** Delays above this are kept one by one. */
const NOTABLE_MS = 8;
const MAX_NOTABLE = 2_000;

let running;

exports.beginSamples = () => {
  const state = {
    delays: new Float32Array(MAX_SAMPLES),
    count: 0,
    notable: [],
    maxCpuMs: 0,
    startedAt: performance.now(),
    cpuBefore: threadCpuMs(),
    histogram: monitorEventLoopDelay({ resolution: PERIOD_MS }),
    timer: undefined,
  };
  state.histogram.enable();
  let last = performance.now();
  let lastCpu = threadCpuMs();
  const tick = () => {
    const now = performance.now();
    const cpu = threadCpuMs();
    const delay = Math.max(0, now - last - PERIOD_MS);
    if (state.count < MAX_SAMPLES) state.delays[state.count++] = delay;
    if (delay > NOTABLE_MS && state.notable.length < MAX_NOTABLE)
      state.notable.push({ atMs: last - state.startedAt, delayMs: delay, cpuMs: cpu - lastCpu });
    state.maxCpuMs = Math.max(state.maxCpuMs, cpu - lastCpu);
    last = now;
    lastCpu = cpu;
    state.timer = setTimeout(tick, PERIOD_MS);
  };
  tick();
  running = state;
};

exports.endSamples = () => {
  const state = running;
  running = undefined;
  clearTimeout(state.timer);
  state.histogram.disable();
  const sorted = state.delays.subarray(0, state.count).sort();
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return {
    durationMs: performance.now() - state.startedAt,
    cpuMs: threadCpuMs() - state.cpuBefore,
    samples: state.count,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
    maxCpuMs: state.maxCpuMs,
    histogramMaxMs: state.histogram.max / 1e6 - PERIOD_MS,
    notable: state.notable,
  };
};

/** CPU time of this thread; NaN, which JSON makes null, on Node before 22.19, which does not tell. */
exports.threadCpuMs = threadCpuMs;

function threadCpuMs() {
  if (!process.threadCpuUsage) return Number.NaN;
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
