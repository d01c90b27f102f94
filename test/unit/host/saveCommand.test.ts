import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Checkpoint } from "../../../src/shared/checkpoints";
import { CheckpointError, cancelled } from "../../../src/shared/errors";
import type { SaveRequest, Skipped } from "../../../src/shared/saves";

class TabInputNotebook {
  constructor(readonly uri: { path: string }) {}
}

const state = { documents: [] as object[], tabs: [] as object[], warnings: [] as string[], logged: [] as string[] };

vi.mock("vscode", () => ({
  env: { language: "en" },
  l10n: {
    t: (text: string, ...args: unknown[]) =>
      text.replace(/\{(\d)\}/g, (_, index: string) => String(args[Number(index)])),
  },
  TabInputCustom: class {},
  TabInputNotebook,
  extensions: { getExtension: () => undefined },
  workspace: {
    get textDocuments() {
      return state.documents;
    },
    encode: async (text: string) => Buffer.from(text),
  },
  window: {
    get tabGroups() {
      return { all: [{ tabs: state.tabs }] };
    },
    showWarningMessage: async (text: string) => void state.warnings.push(text),
    showInformationMessage: async () => undefined,
    setStatusBarMessage: () => undefined,
  },
}));

const { SaveCommand } = await import("../../../src/host/saveCommand");
type Services = ConstructorParameters<typeof SaveCommand>;
type Root = Parameters<InstanceType<typeof SaveCommand>["saveQuietly"]>[0][number];

const requests: SaveRequest[] = [];
let skipped: Skipped[] = [];
/** Folders whose saves fail, and how. */
let failing: Readonly<Record<string, Error>> = {};
let refreshed: string[] = [];

const rootOf = (name: string) => ({
  key: `file:///${name}`,
  name,
  folder: { uri: { path: "/w" } },
  scanOptions: () => ({}),
  pathOf: ({ path }: { path: string }) => (path.startsWith("/w/") ? path.slice(3) : undefined),
  controlled: () => ({
    save: async (request: SaveRequest) => {
      requests.push(request);
      if (failing[name]) throw failing[name];
      const checkpoint = { id: "c", number: 4, name: null, files: 1, added: 1, changed: 0, removed: 0 } as Checkpoint;
      return { checkpoint, noChange: false, skipped, skippedCount: skipped.length, durationMs: 1, scanned: "all" };
    },
  }),
});
const root = rootOf("w") as unknown as Root;

function command() {
  const log = (text: string) => void state.logged.push(text);
  return new SaveCommand(
    { all: [root] } as unknown as Services[0],
    { refreshQuietly: async ({ name }: Root) => void refreshed.push(name) } as unknown as Services[1],
    {
      run: (_: string, work: (control: object) => Promise<unknown>) => work({}),
      quietly: (_: string, work: () => Promise<unknown>) => work(),
    } as unknown as Services[2],
    { take: () => ({ succeeded: () => undefined, failed: () => undefined }) } as unknown as Services[3],
    { confirmSave: async () => undefined } as unknown as Services[4],
    { packChunkBytes: () => 0, retention: () => ({ policy: {} }) } as unknown as Services[5],
    { info: log, warn: log, error: log, show: () => undefined } as unknown as Services[6],
  );
}

const dirty = (path: string, text: string, isUntitled = false) => ({
  uri: { path },
  isDirty: true,
  isUntitled,
  version: 1,
  encoding: "utf8",
  getText: () => text,
});

describe("saving unsaved editors", () => {
  beforeEach(() => {
    Object.assign(state, { documents: [], tabs: [], warnings: [], logged: [] });
    requests.length = 0;
    skipped = [];
    failing = {};
    refreshed = [];
  });

  it("V11 their texts go with every save, by hand or automatic; without any the request says nothing of them", async () => {
    const saving = command();
    await saving.saveByHand();
    state.documents.push(dirty("/w/a.ts", "typed"), dirty("/elsewhere/b.ts", "b"));
    await saving.saveByHand();
    await saving.saveQuietly([root], { kind: "auto", trigger: "interval" });
    const sent = requests.map(({ unsaved }) => unsaved?.map(({ path, content }) => `${path} ${String(content)}`));
    expect(sent).toEqual([undefined, ["a.ts typed"], ["a.ts typed"]]);
    expect(state.warnings).toEqual([]);
  });

  it("V11 what could not be taken is named once; untitled editors are mentioned in the log once", async () => {
    const saving = command();
    state.documents.push(dirty("Untitled-1", "new", true));
    state.tabs.push({ isDirty: true, input: new TabInputNotebook({ path: "/w/n.ipynb" }) });
    await saving.saveByHand();
    await saving.saveByHand();
    expect(state.warnings).toEqual([
      "The checkpoint holds n.ipynb as it is on disk: notebooks and custom editors do not give away what is unsaved.",
    ]);
    expect(state.logged.filter((entry) => /Untitled/.test(entry))).toHaveLength(1);
    skipped = [{ path: "a.ts", reason: "unsaved", message: "too much" }];
    await saving.saveByHand();
    expect(state.warnings[1]).toBe("The checkpoint holds 2 files as they are on disk, without what is unsaved.");
    skipped = [{ path: "b", reason: "unreadable", message: "permission denied" }];
    state.tabs = [];
    await saving.saveByHand();
    expect(state.warnings[2]).toBe("The checkpoint does not hold b: permission denied.");
  });

  it("V11 automatic saves mention what is unsaved in the log only, and everything else once", async () => {
    const saving = command();
    const auto = () => saving.saveQuietly([root], { kind: "auto", trigger: "interval" });
    state.tabs.push({ isDirty: true, input: new TabInputNotebook({ path: "/w/n.ipynb" }) });
    await auto();
    expect(state.warnings).toEqual([]);
    expect(state.logged.filter((entry) => /n\.ipynb/.test(entry))).toHaveLength(1);
    skipped = [{ path: "b", reason: "unreadable", message: "permission denied" }];
    await auto();
    state.tabs.push({ isDirty: true, input: new TabInputNotebook({ path: "/w/m.ipynb" }) });
    await auto();
    expect(state.warnings).toEqual(["The checkpoint does not hold b: permission denied."]);
    // Whoever saves by hand is told all of it, once; the automatic saves in between do not make it new again.
    await saving.saveByHand();
    await auto();
    await saving.saveByHand();
    expect(state.warnings.slice(1)).toEqual(["The checkpoint does not hold 3 files that could not be saved."]);
  });

  it("V12 a folder that cannot be saved keeps no other from it; its failure is told after them", async () => {
    const saving = command();
    const roots = ["a", "b", "c", "d"].map((name) => rootOf(name) as unknown as Root);
    failing = { b: new CheckpointError("disk-full", "The disk is full."), d: new CheckpointError("io", "Gone.") };
    const saved = saving.saveQuietly(roots, { kind: "auto", trigger: "interval" });
    await expect(saved).rejects.toBe(failing.b);
    expect([requests.length, refreshed]).toEqual([4, ["a", "c"]]);
    expect(state.logged.filter((entry) => /saved #4/.test(entry))).toHaveLength(2);
    expect(state.logged.at(-1)).toBe("d: [io] Gone.");
  });

  it("V14 a cancellation ends the save of all folders", async () => {
    const saving = command();
    failing = { a: cancelled() };
    const roots = ["a", "b"].map((name) => rootOf(name) as unknown as Root);
    await expect(saving.saveQuietly(roots, { kind: "manual", trigger: "manual" })).rejects.toBe(failing.a);
    expect(requests).toHaveLength(1);
  });
});
