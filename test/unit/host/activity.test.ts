import { describe, expect, it, vi } from "vitest";
import type { Progress } from "../../../src/shared/api";

const reports: (string | undefined)[] = [];

vi.mock("vscode", () => ({
  l10n: {
    t: (text: string, ...args: unknown[]) =>
      text.replace(/\{(\d)\}/g, (_, index: string) => String(args[Number(index)])),
  },
  ProgressLocation: { Notification: 15 },
  EventEmitter: class {
    readonly event = () => ({ dispose: () => undefined });
    fire() {}
    dispose() {}
  },
  window: {
    withProgress: (_: object, task: (progress: object, token: object) => Promise<unknown>) =>
      task(
        { report: ({ message }: { message?: string }) => reports.push(message) },
        { onCancellationRequested: () => ({ dispose: () => undefined }) },
      ),
  },
}));

const { Activity } = await import("../../../src/host/activity");

describe("activity", () => {
  it("V14 who is waited for is shown, although it is told before there is a place to show it", async () => {
    vi.useFakeTimers();
    let finish: (value: string) => void = () => undefined;
    const running = new Activity().run("Saving", ({ onProgress }) => {
      onProgress?.({ phase: "lock", done: 0, total: 0, message: "process 12 on host" } satisfies Progress);
      return new Promise<string>((resolve) => {
        finish = resolve;
      });
    });
    expect(reports).toEqual([]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(reports).toEqual(["waiting for the store: in use by process 12 on host"]);
    finish("done");
    vi.useRealTimers();
    expect(await running).toBe("done");
  });
});
