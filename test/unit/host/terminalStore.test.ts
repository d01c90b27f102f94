import { expect, it, vi } from "vitest";

vi.mock("vscode", () => ({ l10n: { t: (text: string) => text } }));

const { showStoreToTerminals } = await import("../../../src/host/terminalStore");
type Args = Parameters<typeof showStoreToTerminals>;

it("A1 terminals are given the window's store, and another one once the setting changes", () => {
  const set: [string, string][] = [];
  let storeRoot = "/first";
  let onChange: ((affects: (name: string) => boolean) => void) | undefined;
  let listening = true;
  const registration = showStoreToTerminals(
    { replace: (name: string, value: string) => set.push([name, value]) } as unknown as Args[0],
    {
      storeRoot: () => storeRoot,
      onDidChange: (listener: typeof onChange) => {
        onChange = listener;
        return {
          dispose: () => {
            listening = false;
          },
        };
      },
    } as unknown as Args[1],
  );
  storeRoot = "/second";
  onChange?.((name) => name === "autoSave");
  expect(set).toEqual([["CHECKPOINT_STORE", "/first"]]);
  onChange?.((name) => name === "storage.path");
  expect(set).toEqual([
    ["CHECKPOINT_STORE", "/first"],
    ["CHECKPOINT_STORE", "/second"],
  ]);
  registration.dispose();
  expect(listening).toBe(false);
});
