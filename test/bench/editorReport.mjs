/** From delays of the event loop to rows V20 and P9. */
import { median } from "./rows.mjs";

/** V20. */
const MAX_BLOCKED_MS = 25;
const P99_MS = 10;
/** P9. */
const ACTIVATION_MS = 30;
const VSIX_BYTES = 1.5 * 1024 * 1024;

/** Not ours: nothing of the extension is asked for in these. */
const REFERENCE = /^idle$|by others$/;

export function judgeEditor({ phases, activationsMs, workersAfterActivation, vsixBytes }) {
  const delays = phases
    .filter(({ name }) => !REFERENCE.test(name))
    .flatMap(({ name, maxMs, maxCpuMs, p99Ms }) => [
      ...(maxCpuMs === null ? [] : [row("V20", `longest work, ${name}`, maxCpuMs, MAX_BLOCKED_MS, "ms")]),
      row("V20", `longest delay, ${name}`, maxMs, MAX_BLOCKED_MS, "ms"),
      row("V20", `p99 of delays, ${name}`, p99Ms, P99_MS, "ms"),
    ]);
  return [
    ...delays,
    row("V20", "worker threads after activation", workersAfterActivation, 0, ""),
    row("P9", "activation, median", median(activationsMs), ACTIVATION_MS, "ms"),
    row("P9", "VSIX", vsixBytes, VSIX_BYTES, "B"),
  ];
}

function row(id, what, measured, target, unit) {
  return { id, what, measured, unit, target, ok: measured <= target };
}

export function formatEditorFigures(results, rows) {
  const { machine, phases } = results;
  return [
    `${results.date}  ${machine.cores} x ${machine.cpu}, Linux ${machine.kernel}, load ${machine.load.toFixed(1)}`,
    `VS Code ${results.vscode}, corpus ${results.corpus}`,
    `activations: ${results.activationsMs.join(", ")} ms`,
    "",
    ...columns([
      ["event loop of the extension host", "seconds", "CPU s", "p50 ms", "p99 ms", "max ms", "at work", "> 25 ms"],
      ...phases.map(phaseRow),
    ]),
    ...profileLines({ name: "activation", longRuns: results.activationRuns }),
    ...phases.flatMap(profileLines),
    "",
    ...columns([["row", "figure", "measured", "target", ""], ...rows.map(targetRow)]),
  ].join("\n");
}

function phaseRow(phase) {
  return [
    phase.name,
    (phase.durationMs / 1000).toFixed(1),
    phase.cpuMs === null ? "-" : (phase.cpuMs / 1000).toFixed(2),
    phase.p50Ms.toFixed(2),
    phase.p99Ms.toFixed(1),
    phase.maxMs.toFixed(1),
    phase.maxCpuMs === null ? "-" : phase.maxCpuMs.toFixed(1),
    String(phase.notable.filter(({ delayMs }) => delayMs > MAX_BLOCKED_MS).length),
  ];
}

function profileLines({ name, longRuns = [] }) {
  if (longRuns.length === 0) return [];
  return [
    "",
    `${name}: longest stretches with the extension on the stack`,
    ...longRuns.flatMap(({ totalMs, ownMs, frames }) => [
      `  ${totalMs.toFixed(1)} ms, ${ownMs.toFixed(1)} below the extension`,
      ...frames.map(({ where, ms }) => `    ${ms.toFixed(1).padStart(7)}  ${where}`),
    ]),
  ];
}

function targetRow({ id, what, measured, target, unit, ok }) {
  const show = (value) =>
    unit === "B" ? `${(value / 1024).toFixed(0)} KiB` : unit === "ms" ? `${value.toFixed(1)} ms` : String(value);
  return [id, what, show(measured), `<= ${show(target)}`, ok ? "ok" : "miss"];
}

function columns(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((cells) => cells[column].length)));
  return rows.map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join("  ")
      .trimEnd(),
  );
}
