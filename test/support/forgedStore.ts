/** Writes into a real store what the product would never write: what somebody made who wants to do harm. */
import * as fs from "node:fs";
import { join } from "node:path";
import initSqlJs from "sql.js";
import { nodeFileSystem } from "../../src/core/fs/nodeFileSystem";
import { loadCodecs } from "../../src/core/store/codecs";
import type { Hash } from "../../src/core/store/hash";
import { PackWriter } from "../../src/core/store/packWriter";

export interface ForgedEntry {
  readonly name: string;
  /** A folder has the hash of its tree, a file that of its content. */
  readonly type?: number;
  readonly hash: Hash;
  readonly mode?: number;
  readonly size?: number;
}

/** Tree bytes by the format's description alone, without any of its checks. Names are byte strings. */
export function forgeTree(entries: readonly ForgedEntry[]): Buffer {
  const parts = [Buffer.from([1]), varint(entries.length)];
  for (const { name, type = 0, hash, mode = 0o644, size = 0 } of entries)
    parts.push(
      Buffer.from([type]),
      varint(mode),
      varint(size),
      Buffer.from(hash, "hex"),
      varint(name.length),
      Buffer.from(name, "latin1"),
    );
  return Buffer.concat(parts);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 128);
  }
}

/** Puts objects into a published pack of the store and answers their hashes. */
export async function forgePack(store: string, kind: "packs" | "trees", contents: readonly Buffer[]): Promise<Hash[]> {
  const codecs = await loadCodecs();
  const folder = join(store, kind);
  const writer = new PackWriter({ fs: nodeFileSystem, codecs, folder, nonce: "forged" });
  const hashes = contents.map((content) => codecs.hash(content));
  contents.forEach((content, i) => void writer.add(hashes[i] as Hash, content));
  writer.finish();
  return hashes;
}

/** Changes the catalog as SQL says. */
export async function forgeCatalog(store: string, sql: string, values: (string | number | null)[] = []): Promise<void> {
  const path = join(store, "catalog.sqlite");
  const sqlite = await initSqlJs();
  const database = new sqlite.Database(fs.readFileSync(path));
  database.run(sql, values);
  // Without the seal that a program puts into it; one without is believed.
  database.run("PRAGMA application_id = 0");
  fs.writeFileSync(path, database.export());
  database.close();
}
