import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Checkpoint } from "../../../src/shared/checkpoints";
import { CheckpointError } from "../../../src/shared/errors";
import type { InterruptedRestore, UndoState } from "../../../src/shared/restores";

interface Message {
  readonly text: string;
  readonly buttons: readonly string[];
  readonly press: (button: string | undefined) => void;
}

const messages: Message[] = [];
const questions: string[] = [];
let documents: object[] = [];
let activeDocument: object | undefined;
let revertFailure: Error | undefined;
let calls: string[] = [];

vi.mock("vscode", () => ({
  env: { language: "en" },
  l10n: {
    t: (text: string, ...args: unknown[]) =>
      text.replace(/\{(\d)\}/g, (_, index: string) => String(args[Number(index)])),
  },
  workspace: {
    get textDocuments() {
      return documents;
    },
    encode: async (text: string) => Buffer.from(text),
  },
  ViewColumn: { Active: -1 },
  TabInputText: class {},
  TabInputCustom: class {},
  TabInputNotebook: class {},
  commands: {
    executeCommand: async (command: string) => {
      calls.push(command);
      if (revertFailure) throw revertFailure;
    },
  },
  window: {
    tabGroups: { all: [] },
    get activeTextEditor() {
      return activeDocument && { document: activeDocument };
    },
    showTextDocument: async (document: object) => {
      activeDocument = document;
    },
    showWarningMessage: async (_: string, { detail }: { detail: string }) => {
      questions.push(detail.split("\n")[0] ?? "");
      return "Keep in Checkpoint and Restore";
    },
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
let result: Omit<typeof RESULT, "safetyId"> & { readonly safetyId: string | null };
/** What an undo, a redo or a recovery would change. */
let affected: readonly string[];
let interruptedKind: InterruptedRestore["kind"] | undefined;

type Options = { dryRun?: boolean; unsaved?: readonly { path: string; content: Uint8Array }[] };

/** Notes each call that is no dry run, with the unsaved texts that came along. */
function answer(name: string, { dryRun, unsaved }: Options = {}) {
  const changes = { length: 1, find: (path: string) => (affected.includes(path) ? 0 : undefined) };
  if (dryRun) return { ...result, changes };
  calls.push([name, ...(unsaved ?? []).map(({ path, content }) => `${path}=${String(content)}`)].join(" "));
  return { ...result, changes, ...(unsaved ? { unsavedId: "u" } : {}) };
}

const engine = {
  undoState: async () => top,
  restore: async () => result,
  undo: async (_: object, options?: Options) => answer("undo", options),
  redo: async (_: object, options?: Options) => answer("redo", options),
  recover: async (how: string, _: object, options?: Options) => answer(how, options),
};
const pathOf = ({ path }: { path: string }) => path.slice(3);
const root = { name: "w", engine, controlled: () => engine, scanOptions: () => ({}), pathOf } as unknown as Root;
const selection = { includes: () => true, request: () => ({ paths: [], exact: true }) } as never;

function commands() {
  const failures: unknown[] = [];
  const recorded: unknown[] = [];
  const restoring = new RestoreCommands(
    {
      refreshQuietly: async () => refreshed && { undo: refreshed },
      find: (_root: unknown, id: string | null) => (id === null ? undefined : { ...CHECKPOINT, id, number: 9 }),
    } as unknown as Services[0],
    { run: (_title: string, work: (control: object) => Promise<unknown>) => work({}) } as unknown as Services[1],
    {} as Services[2],
    { close: () => undefined } as unknown as Services[3],
    {
      during: (_root: unknown, work: () => Promise<unknown>) => work(),
      of: () => interruptedKind && { kind: interruptedKind, checkpointId: "c", at: 5, files: 1 },
    } as unknown as Services[4],
    {
      show: async (error: unknown) => failures.push(error),
      record: (error: unknown) => recorded.push(error),
    } as unknown as Services[5],
    { info: () => undefined, warn: () => undefined } as unknown as Services[6],
  );
  return { restoring, failures, recorded };
}

const step = (at: number) => ({ checkpointId: "c", at, files: 1 });

describe("restore notifications", () => {
  beforeEach(() => {
    messages.length = 0;
    questions.length = 0;
    documents = [];
    activeDocument = undefined;
    revertFailure = undefined;
    interruptedKind = "restore";
    affected = [];
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

  const dirty = (path: string) => ({
    uri: { path: `/w/${path}`, scheme: "file" },
    isDirty: true,
    isUntitled: false,
    version: 1,
    encoding: "utf8",
    getText: () => "typed",
  });

  it("V11 an undo asks about dirty files that it changes, and keeps what is typed there", async () => {
    const { restoring } = commands();
    documents = [dirty("a.ts"), dirty("b.ts")];
    affected = ["b.ts"];
    await restoring.reverse(root, "undo");
    expect([questions, calls]).toEqual([["b.ts"], ["undo b.ts=typed", "workbench.action.files.revert"]]);
    expect(messages[0]?.text).toBe("The restore was undone (1 file). What was unsaved is in #9.");
  });

  it("V11 an undo that touches no dirty file asks nothing", async () => {
    const { restoring } = commands();
    documents = [dirty("a.ts")];
    affected = ["b.ts"];
    await restoring.reverse(root, "undo");
    await restoring.reverse(root, "redo");
    expect([questions, calls]).toEqual([[], ["undo", "redo"]]);
  });

  it("V10 an editor that cannot be reverted does not turn a restore into a failure", async () => {
    const { restoring, failures, recorded } = commands();
    documents = [dirty("a.ts")];
    affected = ["a.ts"];
    revertFailure = new Error("no such command");
    vi.spyOn(engine, "restore").mockImplementationOnce(async () => answer("restore", { unsaved: [] }));
    await restoring.apply(root, CHECKPOINT, selection);
    expect([failures, recorded]).toEqual([[], [revertFailure]]);
    expect([messages[0]?.text, messages[0]?.buttons]).toEqual([
      "Restored 1 file from #4. What was unsaved is in #9. Edited meanwhile, or not reverted, so still unsaved: a.ts.",
      ["Undo"],
    ]);
  });

  it("C3 the end of an interrupted undo or redo is called what it is, and whole only if it is", async () => {
    const { restoring } = commands();
    result = { ...RESULT, safetyId: null };
    for (const kind of ["undo", "redo"] as const) {
      interruptedKind = kind;
      await restoring.recover(root, "finish");
      await restoring.recover(root, "rollBack");
    }
    result = { ...RESULT, safetyId: null, kept: [], keptCount: 2 };
    for (const kind of ["restore", "undo", "redo", undefined] as const) {
      interruptedKind = kind;
      await restoring.recover(root, "rollBack");
    }
    expect(messages.map(({ text }) => text)).toEqual([
      "The interrupted undo was finished.",
      "The interrupted undo was rolled back: your files are as before it.",
      "The interrupted redo was finished.",
      "The interrupted redo was rolled back: your files are as before it.",
      "The interrupted restore was rolled back, except for what was left alone. Left alone: 2 files.",
      "The interrupted undo was rolled back, except for what was left alone. Left alone: 2 files.",
      "The interrupted redo was rolled back, except for what was left alone. Left alone: 2 files.",
      "The interrupted restore was rolled back, except for what was left alone. Left alone: 2 files.",
    ]);
  });

  it("C3 V11 an interrupted restore that is finished can be undone, also if nothing was left to do", async () => {
    const { restoring } = commands();
    documents = [dirty("a.ts")];
    affected = ["a.ts"];
    result = { ...RESULT, added: 0 };
    await restoring.recover(root, "finish");
    expect([questions, calls[0]]).toEqual([["a.ts"], "finish a.ts=typed"]);
    expect([messages[0]?.text, messages[0]?.buttons]).toEqual([
      "The interrupted restore of #4 was finished. What your files held until now is in #9. What was unsaved is in #9.",
      ["Undo"],
    ]);
    documents = [];
    await restoring.recover(root, "rollBack");
    expect([messages[1]?.text, messages[1]?.buttons]).toEqual([
      "The interrupted restore was rolled back: your files are as before. What your files held until now is in #9.",
      [],
    ]);
  });
});
