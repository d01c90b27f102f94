import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Checkpoint } from "../../../src/shared/checkpoints";
import { CheckpointError } from "../../../src/shared/errors";
import type { UndoState } from "../../../src/shared/restores";

interface Message {
  readonly text: string;
  readonly buttons: readonly string[];
  readonly press: (button: string | undefined) => void;
}

const messages: Message[] = [];

vi.mock("vscode", () => ({
  env: { language: "en" },
  l10n: {
    t: (text: string, ...args: unknown[]) =>
      text.replace(/\{(\d)\}/g, (_, index: string) => String(args[Number(index)])),
  },
  workspace: { textDocuments: [] },
  window: {
    showInformationMessage: (text: string, ...buttons: string[]) =>
      new Promise((resolve) => messages.push({ text, buttons, press: resolve })),
  },
}));

const { RestoreCommands } = await import("../../../src/host/restoreCommands");
type Services = ConstructorParameters<typeof RestoreCommands>;
type Root = Parameters<InstanceType<typeof RestoreCommands>["reverse"]>[0];

const CHECKPOINT = { id: "c", number: 4, name: null, kind: "manual" } as Checkpoint;
const COUNTS = { added: 1, changed: 0, removed: 0 };
const RESULT = { checkpoint: CHECKPOINT, ...COUNTS, changes: { length: 1 }, kept: [], keptCount: 0, safetyId: "s" };
const settled = () => new Promise((resolve) => setTimeout(resolve));

let top: UndoState;
let refreshed: UndoState | undefined;
let result: typeof RESULT;
let calls: string[];

const engine = {
  undoState: async () => top,
  restore: async () => result,
  undo: async () => {
    calls.push("undo");
    return result;
  },
  redo: async () => {
    calls.push("redo");
    return result;
  },
};
const root = { name: "w", engine, controlled: () => engine, scanOptions: () => ({}) } as unknown as Root;
const selection = { includes: () => true, request: () => ({ paths: [], exact: true }) } as never;

function commands() {
  const failures: unknown[] = [];
  const restoring = new RestoreCommands(
    { refreshQuietly: async () => refreshed && { undo: refreshed } } as unknown as Services[0],
    { run: (_title: string, work: (control: object) => Promise<unknown>) => work({}) } as unknown as Services[1],
    {} as Services[2],
    { close: () => undefined } as unknown as Services[3],
    { show: async (error: unknown) => failures.push(error) } as unknown as Services[4],
    { info: () => undefined, warn: () => undefined } as unknown as Services[5],
  );
  return { restoring, failures };
}

const step = (at: number) => ({ checkpointId: "c", at, files: 1 });

describe("restore notifications", () => {
  beforeEach(() => {
    messages.length = 0;
    calls = [];
    result = RESULT;
    top = { undo: step(5), redo: null };
    refreshed = top;
  });

  it("V10 says how many files were restored, and takes exactly that restore back", async () => {
    const { restoring } = commands();
    await restoring.apply(root, CHECKPOINT, selection);
    expect(messages.map(({ text, buttons }) => [text, buttons])).toEqual([["Restored 1 file from #4.", ["Undo"]]]);
    refreshed = { undo: null, redo: step(6) };
    messages[0]?.press("Undo");
    await settled();
    expect(calls).toEqual(["undo"]);
    expect([messages[1]?.text, messages[1]?.buttons]).toEqual(["The restore was undone (1 file).", ["Redo"]]);
  });

  it("V10 a button does nothing once its restore is not the last one", async () => {
    const { restoring } = commands();
    await restoring.apply(root, CHECKPOINT, selection);
    top = { undo: step(9), redo: null };
    messages[0]?.press("Undo");
    await settled();
    expect([calls, messages[1]?.text]).toEqual([
      [],
      "Something else was restored or taken back since then, so nothing was done.",
    ]);
  });

  it("V10 says so when the safety checkpoint was deleted", async () => {
    const { restoring } = commands();
    await restoring.apply(root, CHECKPOINT, selection);
    top = { undo: null, redo: null };
    messages[0]?.press("Undo");
    await settled();
    expect(calls).toEqual([]);
    expect(messages[1]?.text).toMatch(/^The safety checkpoint with the state before was deleted/);
  });

  it("V10 a list that cannot be read afterwards does not turn a restore into a failure", async () => {
    const { restoring } = commands();
    refreshed = undefined;
    await restoring.apply(root, CHECKPOINT, selection);
    expect([messages[0]?.text, messages[0]?.buttons]).toEqual(["Restored 1 file from #4.", []]);
  });

  it("V10 offers no way back from what wrote nothing: the last restore is another one", async () => {
    const { restoring } = commands();
    result = { ...RESULT, added: 0, changes: { length: 0 } };
    await restoring.apply(root, CHECKPOINT, selection);
    expect(messages[0]?.buttons).toEqual([]);
  });

  it("V10 offers no way back when another restore came right after", async () => {
    const { restoring } = commands();
    refreshed = { undo: { ...step(9), checkpointId: "other" }, redo: null };
    await restoring.apply(root, CHECKPOINT, selection);
    expect(messages[0]?.buttons).toEqual([]);
  });

  it("C21 a failure of the button's own work is shown", async () => {
    const { restoring, failures } = commands();
    await restoring.apply(root, CHECKPOINT, selection);
    const error = new CheckpointError("locked", "In use.");
    vi.spyOn(engine, "undo").mockRejectedValueOnce(error);
    messages[0]?.press("Undo");
    await settled();
    expect(failures).toEqual([error]);
  });
});
