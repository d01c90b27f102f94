import { describe, expect, it, vi } from "vitest";
import type * as vscode from "vscode";

/** The few parts of vscode.Uri that are used: parts in, parts out. */
vi.mock("vscode", () => ({ Uri: { from: (parts: object) => parts } }));

const { checkpointUri, checkpointUriFacing, emptyUri, isEmptyUri, parseCheckpointUri, storeIdOf, timeOfId } =
  await import("../../../src/host/checkpointUris");

const ID = "019a9f00-1234-7abc-8def-0123456789ab";
const STORE = "/data/stores/00ff00ff00ff00ff";

describe("checkpoint URIs", () => {
  it("V15 carry checkpoint, store and path, and give them back", () => {
    for (const path of ["", "src/a b.ts", "odd/#?%.md", "emoji/🦊", "back\\xfflash"])
      expect(parseCheckpointUri(checkpointUri(STORE, ID, path))).toEqual({
        checkpointId: ID,
        storeId: "00ff00ff00ff00ff",
        path,
        isAbsolute: false,
      });
  });

  it("V5 can carry the real file's own path, so that a multi-diff editor sees no rename", () => {
    const file = { path: "/home/me/project/src/a.ts" } as vscode.Uri;
    const uri = checkpointUriFacing(STORE, ID, file);
    expect(uri.path).toBe(file.path);
    expect(`${uri.scheme}+${uri.authority}`.length).toBeLessThanOrEqual(63);
    expect(parseCheckpointUri(uri)).toMatchObject({
      checkpointId: ID,
      path: "home/me/project/src/a.ts",
      isAbsolute: true,
    });
  });

  it("V15 keep the file's own name at the end, for tabs, icons and languages", () => {
    expect(checkpointUri(STORE, ID, "src/logo.png").path).toBe("/src/logo.png");
  });

  it("V15 fit into a host name's label in web views", () => {
    const { scheme, authority } = checkpointUri(STORE, ID, "logo.png");
    expect(authority).toMatch(/^[0-9a-f]+$/);
    expect(`${scheme}+${authority}`.length).toBeLessThanOrEqual(63);
  });

  it("the empty side is no saved file", () => {
    const uri = emptyUri("src/a.ts");
    expect(isEmptyUri(uri)).toBe(true);
    expect(parseCheckpointUri(uri)).toBeUndefined();
  });

  it("reads store ids from paths of both kinds", () => {
    expect(["/a/stores/0f", "/a/stores/0f/", "C:\\a\\stores\\0f"].map(storeIdOf)).toEqual(["0f", "0f", "0f"]);
  });

  it("reads the time from the id", () => {
    expect(timeOfId(ID)).toBe(0x019a9f001234);
  });
});
