/** From delays of the event loop to rows V20 and P9. */
import { MAX_PACKAGE_BYTES } from "../../scripts/package.mjs";
import { writeSection } from "./markdownSections.mjs";
import { ACTIVATION_MS, median } from "./rows.mjs";
import { bytes, columns, markdownTable } from "./textTable.mjs";

/** The place of docs/PERFORMANCE.md that these rows belong to. */
export const SECTION = "editor";

/** V20. */
const MAX_BLOCKED_MS = 25;
const P99_MS = 10;

/** Not ours: nothing of the extension is asked for in these. */
const REFERENCE = /^idle$|by others$/;

export function judgeEditor({ phases, activationsMs, activationCpuMs = [], workersAfterActivation, vsixBytes }) {
  const cpuMs = activationCpuMs.filter((each) => each !== null);
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
    ...(cpuMs.length === 0 ? [] : [row("P9", "activation, CPU, median", median(cpuMs), ACTIVATION_MS, "ms")]),
    row("P9", "activation, VS Code's own figure, median", median(activationsMs), ACTIVATION_MS, "ms"),
    row("P9", "VSIX", vsixBytes, MAX_PACKAGE_BYTES, "B"),
  ];
}

function row(id, what, measured, target, unit) {
  return { id, what, measured, unit, target, ok: measured <= target };
}

export function formatEditorFigures(results, rows) {
  return [
    ...heading(results),
    ...results.machine.warnings.map((text) => `WARNING  ${text}`),
    "",
    ...columns([PHASE_HEAD, ...results.phases.map(phaseCells)], 1),
    ...profileLines({ name: "activation", longRuns: results.activationRuns }),
    ...results.phases.flatMap(profileLines),
    "",
    ...columns([ROW_HEAD, ...rows.map(rowCells)], 2),
  ].join("\n");
}

/** Writes the same, profiles left out, into a Markdown file. */
export function writeEditorMarkdown(file, results, rows) {
  writeSection(file, SECTION, [
    ...[...heading(results), ...results.machine.warnings].map((text) => `- ${text}`),
    "",
    ...markdownTable([PHASE_HEAD, ...results.phases.map(phaseCells)]),
    "",
    ...markdownTable([ROW_HEAD, ...rows.map(rowCells)]),
  ]);
}

const PHASE_HEAD = [
  "event loop of the extension host",
  ...["seconds", "CPU s", "p50 ms", "p99 ms", "max ms", "at work", `> ${MAX_BLOCKED_MS} ms`],
];
const ROW_HEAD = ["row", "figure", "measured", "target", "verdict"];

function heading({ date, machine, vscode, corpus, activationsMs, activationCpuMs = [] }) {
  return [
    `${date}  ${machine.cores} x ${machine.cpu}, Linux ${machine.kernel}, load ${machine.load.toFixed(2)}`,
    `VS Code ${vscode}, corpus ${corpus}`,
    `Activations: ${activationsMs.join(", ")} ms by VS Code's own figure, which is of wall clock while the editor starts`,
    ...(activationCpuMs.some((each) => each !== null)
      ? [
          `CPU time of the host's thread for them: ${activationCpuMs.map((each) => each?.toFixed(1) ?? "-").join(", ")} ms`,
        ]
      : []),
  ];
}

function phaseCells(phase) {
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

function rowCells({ id, what, measured, target, unit, ok }) {
  const show = (value) => (unit === "B" ? bytes(value) : unit === "ms" ? `${value.toFixed(1)} ms` : String(value));
  return [id, what, show(measured), `<= ${show(target)}`, ok ? "ok" : "miss"];
}
