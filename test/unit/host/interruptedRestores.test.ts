import { beforeEach, describe, expect, it, vi } from "vitest";
import type { InterruptedRestore } from "../../../src/shared/restores";

interface Message {
  readonly text: string;
  readonly press: (button: string | undefined) => void;
}

const messages: Message[] = [];
const commands: unknown[][] = [];
const said: string[] = [];
const recorded: unknown[] = [];
let memoryFailure: Error | undefined;

vi.mock("vscode", () => ({
  env: { language: "en" },
  l10n: {
    t: (text: string, ...args: unknown[]) =>
      text.replace(/\{(\d)\}/g, (_, index: string) => String(args[Number(index)])),
  },
  EventEmitter: class {
    private readonly listeners: (() => void)[] = [];
    readonly event = (listener: () => void) => {
      this.listeners.push(listener);
      return { dispose: () => undefined };
    };
    fire() {
      for (const listener of this.listeners) listener();
    }
    dispose() {}
  },
  commands: { executeCommand: async (...args: unknown[]) => void commands.push(args) },
  window: {
    onDidChangeWindowState: () => ({ dispose: () => undefined }),
    showInformationMessage: async (text: string) => void said.push(text),
    showWarningMessage: (text: string) => new Promise((press) => messages.push({ text, press })),
  },
}));

const { InterruptedRestores } = await import("../../../src/host/interruptedRestores");
type Services = ConstructorParameters<typeof InterruptedRestores>;

const MARK = "checkpoint.restoring:file:///w";
const settled = () => new Promise((resolve) => setTimeout(resolve));
const RESTORE: InterruptedRestore = { kind: "restore", checkpointId: "c", at: 7, files: 3 };

let waiting: InterruptedRestore | null;
let asked: number;
let marks: Map<string, unknown>;
let onCatalog: () => void;
let peeked: boolean;

const root = {
  key: "file:///w",
  engine: {
    interrupted: async () => {
      asked++;
      return waiting;
    },
  },
};

function open() {
  const service = new InterruptedRestores(
    { all: [root] } as unknown as Services[0],
    {
      onDidChange: (listener: () => void) => {
        onCatalog = listener;
        return { dispose: () => undefined };
      },
      peek: () => (peeked ? {} : undefined),
      get: async () => ({}),
      find: () => ({ id: "c", number: 4, name: null }),
    } as unknown as Services[1],
    {
      get: (key: string) => marks.get(key),
      update: async (key: string, value: unknown) => {
        if (memoryFailure) throw memoryFailure;
        if (value === undefined) marks.delete(key);
        else marks.set(key, value);
      },
    } as unknown as Services[2],
    { show: async () => undefined, record: (error: unknown) => recorded.push(error) } as unknown as Services[3],
  );
  return { service, asRoot: root as unknown as Parameters<typeof service.check>[0] };
}

describe("restores that were interrupted", () => {
  beforeEach(() => {
    messages.length = 0;
    commands.length = 0;
    said.length = 0;
    recorded.length = 0;
    memoryFailure = undefined;
    waiting = null;
    asked = 0;
    marks = new Map();
    peeked = false;
  });

  it("C3 activation asks no engine, unless a restore of this window did not end", async () => {
    waiting = RESTORE;
    open();
    onCatalog();
    await settled();
    expect(asked).toBe(0);
    marks.set(MARK, true);
    const { service } = open();
    await settled();
    expect([asked, messages.map(({ text }) => text)]).toEqual([1, ["A restore of #4 was interrupted."]]);
    expect(service.sentence).toBe("A restore of #4 was interrupted.");
  });

  it("C3 an engine that is in use is asked, and the offer is made once", async () => {
    const { service } = open();
    peeked = true;
    onCatalog();
    await settled();
    expect(messages).toEqual([]);
    waiting = RESTORE;
    onCatalog();
    await settled();
    onCatalog();
    await settled();
    expect([messages.length, service.roots.length]).toEqual([1, 1]);
    messages[0]?.press("Roll Back");
    await settled();
    expect(commands.at(-1)).toEqual(["checkpoint.recoverRestore", { root, how: "rollBack" }]);
  });

  const recoveries = () => commands.filter(([name]) => name === "checkpoint.recoverRestore");

  it("C3 buttons of an old offer do nothing to another restore, which is offered itself", async () => {
    waiting = RESTORE;
    const { service, asRoot } = open();
    await service.check(asRoot);
    await settled();
    waiting = { ...RESTORE, kind: "undo", at: 8 };
    messages[0]?.press("Roll Back");
    await settled();
    expect(recoveries()).toEqual([]);
    expect(messages.map(({ text }) => text)).toEqual([
      "A restore of #4 was interrupted.",
      "Undoing a restore was interrupted.",
    ]);
    messages[1]?.press("Finish");
    await settled();
    expect(recoveries()).toEqual([["checkpoint.recoverRestore", { root, how: "finish" }]]);
  });

  it("C3 a button says so when nothing is interrupted any more", async () => {
    waiting = RESTORE;
    const { service, asRoot } = open();
    await service.check(asRoot);
    await settled();
    waiting = null;
    messages[0]?.press("Finish");
    await settled();
    expect([recoveries(), said]).toEqual([[], [expect.stringMatching(/^Nothing was done: /)]]);
  });

  it("C3 a workspace state that cannot be written neither stops a restore nor hides how it ended", async () => {
    const { service, asRoot } = open();
    memoryFailure = new Error("disk full");
    expect(await service.during(asRoot, async () => "done")).toBe("done");
    const failing = service.during(asRoot, async () => {
      throw new Error("the engine died");
    });
    await expect(failing).rejects.toThrow("the engine died");
    expect(recorded).toEqual([memoryFailure, memoryFailure]);
    marks.set(MARK, true);
    vi.useFakeTimers();
    expect(await service.during(asRoot, async () => "done")).toBe("done");
    await vi.advanceTimersByTimeAsync(60_000);
    vi.useRealTimers();
    expect(recorded).toEqual(Array(4).fill(memoryFailure));
  });

  it("C3 Later leaves the choice to the command", async () => {
    waiting = RESTORE;
    const { service, asRoot } = open();
    await service.check(asRoot);
    await settled();
    messages[0]?.press("Later");
    await settled();
    expect(commands.filter(([name]) => name !== "setContext")).toEqual([]);
    expect(service.of(asRoot)).toEqual(RESTORE);
  });

  it("C3 a restore leaves a mark while it runs, and no longer if it ended", async () => {
    const { service, asRoot } = open();
    const during = await service.during(asRoot, async () => {
      await service.check(asRoot);
      return [marks.get(MARK), asked];
    });
    // While it runs its journal means nothing.
    expect(during).toEqual([true, 0]);
    vi.useFakeTimers();
    await service.during(asRoot, async () => undefined);
    await vi.advanceTimersByTimeAsync(60_000);
    vi.useRealTimers();
    expect([...marks]).toEqual([]);
    expect(messages).toEqual([]);
  });

  it("C3 one that failed in the middle is offered at once, and forgotten once somebody dealt with it", async () => {
    const { service, asRoot } = open();
    const failing = service.during(asRoot, async () => {
      waiting = RESTORE;
      throw new Error("the engine died");
    });
    await expect(failing).rejects.toThrow("the engine died");
    await settled();
    expect([messages.length, marks.get(MARK)]).toEqual([1, true]);
    vi.useFakeTimers();
    waiting = null;
    // A store that is in use tells nothing, so once is not enough.
    await service.check(asRoot);
    expect(service.roots).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(60_000);
    vi.useRealTimers();
    expect([service.roots.length, marks.size, service.sentence]).toEqual([0, 0, undefined]);
  });
});
