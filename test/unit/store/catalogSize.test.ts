import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import { Catalog, type CatalogDeps } from "../../../src/core/store/catalog";
import { loadSqlite } from "../../../src/core/store/sqlite";
import type { Change } from "../../../src/shared/changes";
import type { Checkpoint } from "../../../src/shared/checkpoints";
import { DEFAULT_SCAN_OPTIONS } from "../../../src/shared/saves";
import { Random } from "../../support/seeded";
import { codecs } from "./packFixture";

const MEGABYTE = 1_000_000;
const FILE = "catalog.sqlite";

let nonces = 0;
const sqlite = await loadSqlite(nodeFileSystem, join(import.meta.dirname, "../../../dist/sql-wasm.wasm"));
const deps: CatalogDeps = { fs: nodeFileSystem, codecs, sqlite, nonce: () => `nonce-${nonces++}` };

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "checkpoint-catalog-"));
  folders.push(folder);
  return folder;
}

const random = new Random(6);
const hash = (): string => random.bytes(16).toString("hex");

function checkpoint(number: number, parentId: string | null): Checkpoint {
  return {
    id: `0199c2f0-0000-7000-8000-${String(number).padStart(12, "0")}`,
    number,
    createdAt: 1_790_000_000_000 + number,
    kind: "auto",
    trigger: "interval",
    name: null,
    note: null,
    pinned: number % 7 === 0,
    parentId,
    rootTree: hash(),
    files: 78_616,
    bytes: 1_300_000_000,
    newObjects: 5,
    newBytes: 40_000,
    added: 0,
    changed: 5,
    removed: 0,
    skipped: 0,
    branch: "main",
    head: hash() + hash().slice(0, 8),
    groupId: null,
  };
}

/** Paths as long as the Linux source's are. */
function fiveChanges(): Change[] {
  return Array.from({ length: 5 }, () => {
    const state = () => ({ type: "file" as const, mode: 0o644, size: 10_000 + random.below(50_000), hash: hash() });
    const path = `drivers/net/ethernet/vendor${random.below(90)}/family${random.below(40)}/device_${random.below(9_999)}.c`;
    return { path, kind: "changed" as const, before: state(), after: state() };
  });
}

function fill(folder: string, count: number): Checkpoint[] {
  const catalog = Catalog.open(deps, folder);
  const rows: Checkpoint[] = [];
  for (let number = 1; number <= count; number++) {
    const row = checkpoint(number, rows[0]?.id ?? null);
    rows.unshift(row);
    catalog.insert(row, fiveChanges(), [], JSON.stringify({ ...DEFAULT_SCAN_OPTIONS, caches: [] }));
  }
  catalog.commit();
  catalog.close();
  return rows;
}

describe("a catalog of many checkpoints", () => {
  it("P6 of 1,000 with five changes each takes less than 2 MB, and gives them all back", () => {
    const folder = newFolder();
    const rows = fill(folder, 1_000);
    expect(statSync(`${folder}/${FILE}`).size).toBeLessThan(2 * MEGABYTE);
    const catalog = Catalog.open(deps, folder);
    expect(catalog.latest).toEqual(rows[0]);
    expect(catalog.checkpoints).toEqual(rows);
    expect(catalog.changesOf(rows[500]!.id)).toHaveLength(5);
    expect(catalog.skippedOf(rows[500]!.id)).toEqual({ listed: [], folders: [] });
    catalog.close();
  });

  it("P6 says which is the newest whether or not the others were asked for", () => {
    const folder = newFolder();
    const rows = fill(folder, 3);
    for (const asksForAll of [false, true]) {
      const catalog = Catalog.open(deps, folder);
      if (asksForAll) expect(catalog.checkpoints).toEqual(rows);
      const next = checkpoint(catalog.nextNumber(), rows[0]!.id);
      catalog.insert(next, [], [], "{}");
      expect(catalog.latest).toEqual(next);
      expect(catalog.checkpoints).toEqual([next, ...rows]);
      catalog.rollback();
      expect(catalog.latest).toEqual(rows[0]);
      catalog.update(rows[0]!.id, { name: "named" });
      expect(catalog.latest).toEqual({ ...rows[0], name: "named" });
      catalog.remove(new Set([rows[0]!.id]), () => ({ counts: { added: 0, changed: 0, removed: 0 }, list: [] }));
      expect(catalog.latest).toEqual(rows[1]);
      catalog.close();
    }
    const empty = Catalog.open(deps, newFolder());
    expect([empty.latest, empty.checkpoints]).toEqual([undefined, []]);
    empty.close();
  });

  it("C8 that was cut off anywhere is refused as damaged when it is opened", () => {
    const folder = newFolder();
    fill(folder, 40);
    const whole = readFileSync(`${folder}/${FILE}`);
    for (let length = whole.length - 1; length > 0; length -= 5_000) {
      truncateSync(`${folder}/${FILE}`, length);
      expect(() => Catalog.open(deps, folder), `cut at ${length}`).toThrow(/catalog .* is damaged/);
    }
  });
});
