/** Records of folders, and entries to put into them. */
import { encodeRecord } from "../../../src/core/scan/recordEncoding";
import { FILE, type IndexedEntry } from "../../../src/core/scan/recordLayout";
import { loadCodecs } from "../../../src/core/store/codecs";
import type { Hash } from "../../../src/core/store/hash";
import type { ByteString } from "../../../src/shared/pathText";

export const codecs = await loadCodecs();
export const hashOf = (text: string): Hash => codecs.hash(Buffer.from(text));
export const path = (text: string): ByteString => text as ByteString;

export const entry = (name: string, content = name, changes: Partial<IndexedEntry> = {}): IndexedEntry => ({
  ...{ name, type: FILE, mode: 0o644, size: content.length, mtimeMs: 1.25, ctimeMs: 2.5, ino: 2 ** 40 + 1 },
  hash: hashOf(content),
  racy: false,
  ...changes,
});
export const head = (folder: string, tree = folder) => ({
  path: path(folder),
  mode: 0o755,
  treeHash: hashOf(tree),
  rulesId: "0123456789abcdef",
  listing: { mtimeMs: 3.5, ctimeMs: 4.25, ino: 77 },
});
export const record = (folder: string, ...entries: IndexedEntry[]): Buffer => encodeRecord(head(folder), entries);
