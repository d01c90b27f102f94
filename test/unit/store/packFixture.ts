import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import { type Codecs, loadCodecs } from "../../../src/core/store/codecs";
import type { Hash } from "../../../src/core/store/hash";
import type { PublishedPack } from "../../../src/core/store/packPublication";
import { PackWriter } from "../../../src/core/store/packWriter";
import { TEMP_PREFIX } from "../../../src/shared/leftOutNames";

export const fs = nodeFileSystem;
export const codecs: Codecs = await loadCodecs();

const folders: string[] = [];
let nonces = 0;

/** A folder that is removed after the test. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "checkpoint-store-"));
  folders.push(folder);
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function newWriter(folder: string): PackWriter {
  return new PackWriter({ fs, codecs, folder, nonce: `test-${nonces++}` });
}

export function writePack(folder: string, contents: readonly Uint8Array[], chunkBytes = 0): PublishedPack {
  const writer = newWriter(folder);
  for (const content of contents) writer.add(codecs.hash(content), content);
  const pack = writer.finish({ chunkBytes });
  if (pack === undefined) throw new Error("the pack is empty");
  return pack;
}

export function tempsIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith(TEMP_PREFIX));
}

/** Bytes that do not shrink, the same ones for the same seed. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state;
  }
  return bytes;
}

/** Text that shrinks. */
export function prose(length: number): Buffer {
  let text = "";
  for (let line = 0; text.length < length; line++) text += `line ${line} of some text that repeats itself\n`;
  return Buffer.from(text.slice(0, length));
}

/** What packs are tried with: nothing, one byte, block borders, raw and mixed blocks, several blocks. */
export function variedContents(): Buffer[] {
  const K = 1024;
  return [
    Buffer.alloc(0),
    Buffer.from("x"),
    Buffer.from("hello\n"),
    ...[64 * K - 1, 64 * K, 64 * K + 1, 256 * K, 256 * K + 1, 1024 * K, 1024 * K + 1].map(prose),
    noise(10_000),
    noise(64 * K + 1, 2),
    Buffer.alloc(3 * 1024 * K),
    prose(3 * 1024 * K + 17),
    noise(2 * 1024 * K + 5, 3),
    Buffer.concat([noise(1024 * K, 4), prose(1024 * K), noise(70_000, 5)]),
  ];
}

export const hashOf = (content: Uint8Array): Hash => codecs.hash(content);
