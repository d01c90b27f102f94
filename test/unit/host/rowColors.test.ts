import { expect, it, vi } from "vitest";
import type { ChangeKind } from "../../../src/shared/changes";

interface Provider {
  provideFileDecoration(uri: unknown): { readonly badge: unknown; readonly color: { readonly id: string } } | undefined;
}

let provider: Provider | undefined;

vi.mock("vscode", () => ({
  Uri: { from: (parts: object) => parts },
  ThemeColor: class {
    constructor(readonly id: string) {}
  },
  FileDecoration: class {
    constructor(
      readonly badge: unknown,
      readonly tooltip: unknown,
      readonly color: unknown,
    ) {}
  },
  window: {
    registerFileDecorationProvider: (given: Provider) => {
      provider = given;
      return { dispose: () => undefined };
    },
  },
}));

const { registerRowColors } = await import("../../../src/host/rowColors");
const { checkpointUri, iconUri } = await import("../../../src/host/checkpointUris");

it("V4 rows of changed files have source control's colors, and nothing else has", () => {
  registerRowColors();
  const colorOf = (uri: unknown) => provider?.provideFileDecoration(uri)?.color.id;
  const kinds: readonly ChangeKind[] = ["added", "changed", "removed", "typeChanged"];
  expect(kinds.map((kind) => colorOf(iconUri("src/a.ts", kind)))).toEqual([
    "gitDecoration.addedResourceForeground",
    "gitDecoration.modifiedResourceForeground",
    "gitDecoration.deletedResourceForeground",
    "gitDecoration.modifiedResourceForeground",
  ]);
  expect(provider?.provideFileDecoration(iconUri("src/a.ts", "added"))?.badge).toBeUndefined();
  const folder = iconUri("src");
  const file = { scheme: "file", path: "/w/a.ts", query: "added" };
  const saved = checkpointUri("/stores/0123456789abcdef", "019ab000-0000-7000-8000-00000000000c", "a.ts");
  for (const uri of [folder, file, saved]) expect(provider?.provideFileDecoration(uri)).toBeUndefined();
});
