import { beforeEach, describe, expect, it, vi } from "vitest";

class TabInputText {
  constructor(readonly uri: unknown) {}
}
class TabInputCustom {
  constructor(readonly uri: unknown) {}
}
class TabInputNotebook {
  constructor(readonly uri: unknown) {}
}

interface Document {
  readonly uri: { readonly path: string; readonly scheme: string };
  version: number;
  isDirty: boolean;
  readonly isClosed: boolean;
  readonly isUntitled: boolean;
  readonly encoding: string;
  readonly getText: () => string;
}

const editor = { documents: [] as Document[], tabs: [] as object[], shown: [] as string[], saved: [] as string[] };
const asked: { detail: string; buttons: string[] }[] = [];
let answer: string | undefined;
let canSave = true;
/** The active editor, as the workbench has it. */
let active: { document: object; viewColumn?: number } | undefined;
/** What happens while an editor is being shown. */
let whileShown: (document: Document) => void = () => undefined;
let onCommand: () => void = () => undefined;

vi.mock("vscode", () => ({
  l10n: {
    t: (text: string, ...args: unknown[]) =>
      text.replace(/\{(\d)\}/g, (_, index: string) => String(args[Number(index)])),
  },
  ViewColumn: { Active: -1 },
  TabInputText,
  TabInputCustom,
  TabInputNotebook,
  workspace: {
    get textDocuments() {
      return editor.documents;
    },
    encode: async (text: string, { encoding }: { encoding: string }) => {
      if (encoding === "odd") throw new Error("unknown encoding");
      return Buffer.from(text, encoding as BufferEncoding);
    },
    save: async (uri: { path: string }) => {
      editor.saved.push(uri.path);
      return canSave ? uri : undefined;
    },
  },
  window: {
    get activeTextEditor() {
      return active;
    },
    tabGroups: {
      get all() {
        return [{ tabs: editor.tabs, viewColumn: 2 }];
      },
    },
    showWarningMessage: async (_: string, { detail }: { detail: string }, ...buttons: string[]) => {
      asked.push({ detail, buttons });
      return answer;
    },
    showTextDocument: async (document: Document) => {
      editor.shown.push(document.uri.path);
      active = { document };
      whileShown(document);
    },
  },
  commands: {
    executeCommand: async (command: string) => {
      editor.shown.push(command);
      onCommand();
    },
  },
}));

const { hasUnsaved, settleEditors } = await import("../../../src/host/settledEditors");
const { encodeTexts } = await import("../../../src/host/unsavedFiles");
type Root = Parameters<typeof settleEditors>[0];
type Changes = Parameters<Awaited<ReturnType<typeof settleEditors>>["revert"]>[0];

const root = {
  pathOf: ({ path, scheme }: Document["uri"]) =>
    scheme === "file" && path.startsWith("/w/") ? path.slice(3) : undefined,
  uriOf: (path: string) => ({ path: `/w/${path}`, scheme: "file" }),
} as unknown as Root;
const uri = (path: string, scheme = "file") => ({ path, scheme });
const changesOf = (...paths: string[]) =>
  ({ find: (path: string) => (paths.includes(path) ? 1 : undefined) }) as unknown as Changes;

function open(path: string, text: string, change: Partial<Document> = {}): Document {
  const base = { version: 1, isDirty: true, isClosed: false, isUntitled: false, encoding: "utf8" };
  const document = { uri: uri(path), ...base, getText: () => text, ...change };
  editor.documents.push(document);
  return document;
}

const failures: unknown[] = [];
const onFailure = (error: unknown) => void failures.push(error);
const REVERT = "workbench.action.files.revert";
const KEEP = "Keep in Checkpoint and Restore";
const SAVE = "Save Them First";

describe("unsaved editors under a restore", () => {
  beforeEach(() => {
    Object.assign(editor, { documents: [], tabs: [], shown: [], saved: [] });
    asked.length = 0;
    answer = undefined;
    canSave = true;
    active = undefined;
    whileShown = () => undefined;
    onCommand = () => undefined;
    failures.length = 0;
  });

  it("V11 only dirty files of the folder that would be changed are asked about", async () => {
    open("/w/a.ts", "a");
    open("/w/clean.ts", "clean", { isDirty: false });
    open("/elsewhere/b.ts", "b");
    open("/w/c.ts", "c", { uri: uri("/w/c.ts", "checkpoint") });
    expect(hasUnsaved(root)).toBe(true);
    const settled = await settleEditors(root, (path) => path === "other.ts");
    expect([settled.wasAsked, settled.unsaved, asked]).toEqual([false, undefined, []]);
    await expect(settleEditors(root, () => true)).rejects.toMatchObject({ code: "cancelled" });
    expect(asked[0]?.buttons).toEqual([KEEP, SAVE]);
    expect(asked[0]?.detail.split("\n\n")[0]).toBe("a.ts");
  });

  it("V11 kept texts are handed over in their encoding, and their editors reverted if the file was changed", async () => {
    open("/w/a.ts", "ä", { encoding: "latin1" });
    open("/w/untouched.ts", "u");
    answer = KEEP;
    const settled = await settleEditors(root, () => true);
    expect(settled.unsaved?.map(({ path, content }) => [path, [...content]])).toEqual([
      ["a.ts", [0xe4]],
      ["untouched.ts", [0x75]],
    ]);
    expect(await settled.revert(changesOf("a.ts"), onFailure)).toEqual([]);
    expect([editor.shown, failures]).toEqual([["/w/a.ts", REVERT], []]);
  });

  it("V11 an editor that somebody went on typing into is left alone, and named", async () => {
    const document = open("/w/a.ts", "a");
    answer = KEEP;
    const settled = await settleEditors(root, () => true);
    document.version++;
    expect(await settled.revert(changesOf("a.ts"), onFailure)).toEqual(["a.ts"]);
    expect(editor.shown).toEqual([]);
  });

  it("V11 keys typed while the editor is being shown are not reverted", async () => {
    open("/w/a.ts", "a");
    open("/w/b.ts", "b");
    answer = KEEP;
    const settled = await settleEditors(root, () => true);
    whileShown = (document) => {
      if (document.uri.path === "/w/a.ts") document.version++;
    };
    expect(await settled.revert(changesOf("a.ts", "b.ts"), onFailure)).toEqual(["a.ts"]);
    expect(editor.shown).toEqual(["/w/a.ts", "/w/b.ts", REVERT]);
  });

  it("V11 no other editor is reverted when somebody goes there, and they stay there", async () => {
    open("/w/a.ts", "a");
    const other = open("/w/other.ts", "o", { isDirty: false });
    active = { document: open("/w/before.ts", "x", { isDirty: false }) };
    answer = KEEP;
    const settled = await settleEditors(root, () => true);
    whileShown = () => {
      active = { document: other };
    };
    expect(await settled.revert(changesOf("a.ts"), onFailure)).toEqual(["a.ts"]);
    expect(editor.shown).toEqual(["/w/a.ts"]);
  });

  it("V11 an editor that cannot be reverted keeps neither the others from it nor the user from going on", async () => {
    open("/w/a.ts", "a");
    open("/w/b.ts", "b");
    active = { document: open("/w/before.ts", "x", { isDirty: false }) };
    answer = KEEP;
    const settled = await settleEditors(root, () => true);
    const error = new Error("no such command");
    onCommand = () => {
      onCommand = () => undefined;
      throw error;
    };
    expect(await settled.revert(changesOf("a.ts", "b.ts"), onFailure)).toEqual(["a.ts"]);
    expect(failures).toEqual([error]);
    expect(editor.shown).toEqual(["/w/a.ts", REVERT, "/w/b.ts", REVERT, "/w/before.ts"]);
  });

  it("V11 a custom editor of texts is kept like any other: its document has what is unsaved", async () => {
    open("/w/drawing.svg", "s");
    editor.tabs.push({ isDirty: true, input: new TabInputCustom(uri("/w/drawing.svg")) });
    answer = KEEP;
    const settled = await settleEditors(root, () => true);
    expect(asked[0]?.buttons).toEqual([KEEP, SAVE]);
    expect(settled.unsaved?.map(({ path }) => path)).toEqual(["drawing.svg"]);
  });

  it("V11 notebooks and custom editors can only be saved first", async () => {
    open("/w/a.ts", "a");
    editor.tabs.push({ isDirty: true, input: new TabInputNotebook(uri("/w/b.ipynb")) });
    editor.tabs.push({ isDirty: true, input: new TabInputCustom(uri("/w/c.bin")) });
    editor.tabs.push({ isDirty: false, input: new TabInputCustom(uri("/w/d.bin")) });
    editor.tabs.push({ isDirty: true, input: new TabInputText(uri("/w/a.ts")) });
    answer = SAVE;
    const settled = await settleEditors(root, () => true);
    expect(asked[0]?.buttons).toEqual([SAVE]);
    expect(asked[0]?.detail.split("\n\n")[0]).toBe("a.ts\nb.ipynb\nc.bin");
    expect([settled.wasAsked, settled.unsaved]).toEqual([true, undefined]);
    expect(editor.saved).toEqual(["/w/a.ts", "/w/b.ipynb", "/w/c.bin"]);
  });

  it("V11 what can neither be saved nor kept stops the restore, by name", async () => {
    open("/w/a.ts", "a", { encoding: "odd" });
    answer = KEEP;
    await expect(settleEditors(root, () => true)).rejects.toMatchObject({
      code: "io",
      message: expect.stringMatching(/^Nothing was restored: a\.ts .*unknown encoding/),
    });
    answer = SAVE;
    canSave = false;
    await expect(settleEditors(root, () => true)).rejects.toMatchObject({
      code: "io",
      message: expect.stringContaining("a.ts could not be saved"),
    });
  });

  it("V11 texts beyond the limit are named instead of being sent", async () => {
    const huge = "x".repeat(40 * 1024 ** 2);
    const documents = ["a", "b", "c"].map((name) => ({ path: name, document: open(`/w/${name}`, huge) }));
    open("/w/small", "s");
    const small = { path: "small", document: editor.documents.at(-1) as Document };
    const { files, refused } = await encodeTexts([...documents, small] as unknown as Parameters<typeof encodeTexts>[0]);
    expect(files.map(({ path }) => path)).toEqual(["a", "small"]);
    expect(refused.map(({ path, reason }) => [path, reason])).toEqual([
      ["b", "unsaved"],
      ["c", "unsaved"],
    ]);
  });
});
