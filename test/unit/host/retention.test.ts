import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CheckpointError } from "../../../src/shared/errors";
import { DEFAULT_RETENTION, type PrunePlan, type PruneRequest, type PruneResult } from "../../../src/shared/retention";

const { showInformationMessage, executeCommand } = vi.hoisted(() => ({
  showInformationMessage: vi.fn(async (..._: string[]): Promise<string | undefined> => undefined),
  executeCommand: vi.fn(async (..._: string[]) => undefined),
}));
vi.mock("vscode", () => ({
  l10n: { t: (text: string, ...values: unknown[]) => text.replace("{0}", String(values[0])) },
  window: { showInformationMessage },
  commands: { executeCommand },
}));

const { Retention } = await import("../../../src/host/retention");

type Services = ConstructorParameters<typeof Retention>;

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const PLAN: PrunePlan = {
  going: [{ checkpoint: { number: 3 } as never, reason: "age" }],
  kept: 4,
  storeBytes: 100,
  freedBytes: 10,
  freeDiskBytes: null,
  missingBytes: 0,
};
const RESULT: PruneResult = {
  gone: PLAN.going,
  kept: 4,
  missingBytes: 0,
  freed: { deadObjects: 1, freedBytes: 10, removedPacks: 1, rewrittenPacks: 0, damaged: [] },
};

/** What the windows of a machine remember. */
function memoryOf() {
  const values = new Map<string, unknown>();
  return {
    get: (key: string, fallback: unknown) => values.get(key) ?? fallback,
    update: async (key: string, value: unknown) => void values.set(key, value),
  };
}

/** A window with one folder of two checkpoints. */
function openRetention(plan: Partial<PrunePlan> = {}, memory = memoryOf()) {
  const state = {
    enabled: true,
    isBusy: false,
    plan: { ...PLAN, ...plan },
    policy: DEFAULT_RETENTION,
    /** When they were made. */
    checkpoints: [Date.now(), Date.now()],
    error: undefined as Error | undefined,
  };
  const listeners = new Map<string, (affects?: unknown) => void>();
  const event = (name: string) => (listener: (affects?: unknown) => void) => {
    listeners.set(name, listener);
    return { dispose: () => undefined };
  };
  const log = { show: vi.fn(), info: vi.fn<(text: string) => void>(), warn: vi.fn<(text: string) => void>() };
  const planPrune = vi.fn(async (_: PruneRequest) => {
    if (state.error) throw state.error;
    return state.plan;
  });
  const prune = vi.fn(async (_: PruneRequest) => RESULT);
  const root = { key: "file:///w", name: "w", engine: { planPrune, prune } };
  const refreshed = vi.fn(async () => undefined);
  const retention = new Retention(
    { all: [root] } as unknown as Services[0],
    {
      onDidChange: event("catalog"),
      peek: () => ({ checkpoints: state.checkpoints.map((createdAt) => ({ createdAt })) }),
      refreshQuietly: refreshed,
    } as unknown as Services[1],
    {
      onDidChange: event("activity"),
      get isBusy() {
        return state.isBusy;
      },
      quietly: (_: string, work: () => Promise<unknown>) => work(),
    } as unknown as Services[2],
    {
      onDidChange: event("settings"),
      retention: () => ({ enabled: state.enabled, policy: state.policy }),
    } as unknown as Services[3],
    { onDidChange: event("autoSave") } as unknown as Services[4],
    log as unknown as Services[5],
    memory as unknown as NonNullable<Services[6]>,
  );
  const fire = (name: string, value?: unknown) => listeners.get(name)?.(value);
  return { state, fire, planPrune, prune, log, refreshed, retention };
}

describe("cleaning up without being asked", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.clearAllMocks();
  });
  afterEach(() => void vi.useRealTimers());

  it("C19 comes a quiet minute after a save, by the settings, and is logged", async () => {
    const { fire, planPrune, prune, log, refreshed, retention } = openRetention();
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    // No engine is started for it.
    expect(planPrune).not.toHaveBeenCalled();
    fire("catalog");
    await vi.advanceTimersByTimeAsync(MINUTE - 1);
    expect(planPrune).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(planPrune).toHaveBeenCalledWith({ policy: DEFAULT_RETENTION });
    expect(prune).toHaveBeenCalledWith({ policy: DEFAULT_RETENTION, automatic: true });
    expect(refreshed).toHaveBeenCalledTimes(1);
    expect(log.info.mock.calls.flat().join()).toContain("#3 (age)");
    retention.dispose();
  });

  it("C19 comes once an hour at most, whatever is saved in between", async () => {
    const { fire, planPrune, retention } = openRetention();
    for (let minute = 0; minute < 181; minute += 10) {
      fire("catalog");
      await vi.advanceTimersByTimeAsync(10 * MINUTE);
    }
    expect(planPrune).toHaveBeenCalledTimes(4);
    retention.dispose();
  });

  it("C19 locks and writes nothing while nothing is to go", async () => {
    const { fire, planPrune, prune, retention } = openRetention({ going: [], freedBytes: 0 });
    fire("catalog");
    await vi.advanceTimersByTimeAsync(2 * MINUTE);
    expect(planPrune).toHaveBeenCalledTimes(1);
    expect(prune).not.toHaveBeenCalled();
    retention.dispose();
  });

  it("C19 waits while something is being done, and comes when that is over", async () => {
    const { state, fire, planPrune, retention } = openRetention();
    fire("catalog");
    state.isBusy = true;
    await vi.advanceTimersByTimeAsync(20 * MINUTE);
    expect(planPrune).not.toHaveBeenCalled();
    state.isBusy = false;
    fire("activity");
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(planPrune).toHaveBeenCalledTimes(1);
    retention.dispose();
  });

  it("C19 can be turned off and on, and looks anew when a rule changes", async () => {
    const { state, fire, planPrune, retention } = openRetention();
    state.enabled = false;
    fire("catalog");
    await vi.advanceTimersByTimeAsync(200 * MINUTE);
    expect(planPrune).not.toHaveBeenCalled();
    state.enabled = true;
    const change = () => fire("settings", (name: string) => name === "retention");
    change();
    await vi.advanceTimersByTimeAsync(5 * MINUTE - 1);
    expect(planPrune).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(planPrune).toHaveBeenCalledTimes(1);
    change();
    await vi.advanceTimersByTimeAsync(5 * MINUTE);
    expect(planPrune).toHaveBeenCalledTimes(2);
    fire("settings", () => false);
    await vi.advanceTimersByTimeAsync(30 * MINUTE);
    expect(planPrune).toHaveBeenCalledTimes(2);
    retention.dispose();
  });

  it("C19 deletes nothing by a number that is half typed", async () => {
    const { state, fire, planPrune, prune, retention } = openRetention();
    fire("catalog");
    await vi.advanceTimersByTimeAsync(50 * MINUTE);
    planPrune.mockClear();
    prune.mockClear();
    for (const allHours of [1, 10, 100]) {
      state.policy = { ...DEFAULT_RETENTION, allHours };
      fire("settings", (name: string) => name === "retention");
      await vi.advanceTimersByTimeAsync(4 * MINUTE);
    }
    expect(planPrune).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(prune.mock.calls).toEqual([[{ policy: state.policy, automatic: true }]]);
    retention.dispose();
  });

  it("C19 does nothing after the clock jumped until a checkpoint is a day old by it", async () => {
    const { state, fire, planPrune, prune, log, retention } = openRetention();
    state.checkpoints = [Date.now() - 100 * DAY];
    state.checkpoints.push(state.checkpoints[0]! + 60 * MINUTE);
    fire("catalog");
    await vi.advanceTimersByTimeAsync(5 * DAY);
    state.checkpoints.unshift(Date.now());
    fire("catalog");
    await vi.advanceTimersByTimeAsync(DAY - MINUTE);
    expect([planPrune.mock.calls, prune.mock.calls]).toEqual([[], []]);
    expect(log.info.mock.calls.flat().filter((text) => text.includes("gap"))).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(120 * MINUTE);
    expect(prune).toHaveBeenCalled();
    retention.dispose();
  });

  it("C19 the first time that some go by age on this machine it is told, with ways to the settings and the log", async () => {
    const memory = memoryOf();
    const { fire, prune, log, retention } = openRetention({}, memory);
    prune.mockResolvedValueOnce({ ...RESULT, gone: [{ checkpoint: { number: 1 } as never, reason: "size" }] });
    fire("catalog");
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    expect(prune).toHaveBeenCalledTimes(1);
    expect(showInformationMessage).not.toHaveBeenCalled();
    showInformationMessage.mockResolvedValueOnce("Settings");
    await vi.advanceTimersByTimeAsync(130 * MINUTE);
    expect(prune).toHaveBeenCalledTimes(3);
    expect(showInformationMessage.mock.calls).toEqual([
      ["Automatic checkpoints thin out with age; 1 were deleted.", "Settings", "Show Output"],
    ]);
    expect(executeCommand.mock.calls).toEqual([["workbench.action.openSettings", "checkpoint.retention"]]);
    retention.dispose();
    // Another window, later.
    const later = openRetention({}, memory);
    later.fire("catalog");
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    expect(later.prune).toHaveBeenCalledTimes(1);
    expect(showInformationMessage).toHaveBeenCalledTimes(1);
    later.retention.dispose();
    // Another machine, and the other button.
    const other = openRetention();
    showInformationMessage.mockResolvedValueOnce("Show Output");
    other.fire("catalog");
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    expect([other.log.show.mock.calls.length, log.show.mock.calls.length]).toEqual([1, 0]);
    other.retention.dispose();
  });

  it("C19 a limit that is missed is told once, a failure is logged, and the next hour tries again", async () => {
    const { state, fire, planPrune, log, retention } = openRetention({ going: [], freedBytes: 0, missingBytes: 7 });
    fire("catalog");
    await vi.advanceTimersByTimeAsync(130 * MINUTE);
    expect(planPrune.mock.calls.length).toBeGreaterThan(1);
    expect(log.warn.mock.calls.flat().filter((text) => text.includes("7 bytes"))).toHaveLength(1);
    state.error = new CheckpointError("damaged", "Broken.");
    const before = planPrune.mock.calls.length;
    await vi.advanceTimersByTimeAsync(130 * MINUTE);
    expect(planPrune.mock.calls.length).toBe(before + 2);
    expect(log.warn.mock.calls.flat().join()).toContain("[damaged] Broken.");
    retention.dispose();
    await vi.advanceTimersByTimeAsync(130 * MINUTE);
    expect(planPrune.mock.calls.length).toBe(before + 2);
  });
});
