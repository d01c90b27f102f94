// What it takes the host's thread to load an extension and to call its `activate`. VS Code's own figure is of wall clock,
// at a time when several processes of a starting editor want the processor: CPU time tells what the extension itself costs.
const Module = require("node:module");
const { threadCpuMs } = require("./samples.js");

/** By path of the main script. */
const activations = new Map();

/** To be called before the extensions in question are activated. Scripts below a folder called "dist" are watched. */
exports.watchActivations = () => {
  const load = Module._load;
  Module._load = function (request, ...rest) {
    if (!/[\\/]dist[\\/]extension(\.js)?$/.test(request)) return load.call(this, request, ...rest);
    const loaded = timed(() => load.call(this, request, ...rest));
    const entry = { load: loaded.took, activate: undefined };
    activations.set(request, entry);
    return {
      ...loaded.value,
      activate: (...args) => {
        const { value, took } = timed(() => loaded.value.activate(...args));
        entry.activate = took;
        return value;
      },
    };
  };
};

/** Of the extension in this folder: { load, activate }, each { wallMs, cpuMs }; null when it was not activated. */
exports.activationOf = (home) => [...activations].find(([script]) => script.startsWith(home))?.[1] ?? null;

function timed(work) {
  const at = performance.now();
  const cpu = threadCpuMs();
  const value = work();
  return { value, took: { wallMs: performance.now() - at, cpuMs: threadCpuMs() - cpu } };
}
