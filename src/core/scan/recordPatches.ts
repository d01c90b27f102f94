/** Patches of records: made from what changed, and put on top of what they were made from. */
import { DirectoryRecord } from "./directoryRecord";
import { encodePatchEntries, encodeRecord } from "./recordEncoding";
import { FOLDER, type IndexedEntry, type RecordHead } from "./recordLayout";

/** The patch that turns `before` into these entries (both in order of name bytes). */
export function encodePatch(
  head: RecordHead,
  before: DirectoryRecord | undefined,
  entries: readonly IndexedEntry[],
): Buffer {
  if (before === undefined) return encodeRecord(head, entries);
  const old = new Map(before.entries().map((entry) => [entry.name, entry]));
  const put = entries.filter((entry) => {
    const known = old.get(entry.name);
    old.delete(entry.name);
    return known === undefined || !sameEntry(known, entry);
  });
  return encodePatchEntries(head, put, [...old.keys()]);
}

/** A patch that changes nothing but the head. */
export function encodeHeadPatch(head: RecordHead): Buffer {
  return encodePatchEntries(head, [], []);
}

/**
 * What `base` (if any) becomes by these patches, oldest first; a whole record among them replaces what was before it.
 * Throws a RangeError for a patch of nothing: it was made from a record that is not here.
 */
export function applyPatches(base: DirectoryRecord | undefined, patches: readonly DirectoryRecord[]): DirectoryRecord {
  const from = patches.findLastIndex((patch) => patch.isWhole);
  return from < 0 ? patched(base, patches) : patched(patches[from], patches.slice(from + 1));
}

function patched(base: DirectoryRecord | undefined, patches: readonly DirectoryRecord[]): DirectoryRecord {
  const last = patches.at(-1);
  if (base === undefined) throw new RangeError("A patch without the record it was made from.");
  if (last === undefined) return base;
  if (patches.every((patch) => patch.count === 0)) return base.withHeadOf(last);
  const entries = new Map<string, IndexedEntry>();
  for (const record of [base, ...patches])
    for (const cursor = record.cursor(); cursor.name !== undefined; cursor.next()) {
      if (cursor.removed) entries.delete(cursor.name);
      else entries.set(cursor.name, cursor.entry());
    }
  const sorted = [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return new DirectoryRecord(encodeRecord(last, sorted));
}

function sameEntry(a: IndexedEntry, b: IndexedEntry): boolean {
  return (
    a.type === b.type &&
    (a.type === FOLDER ||
      (a.hash === b.hash &&
        a.mode === b.mode &&
        a.size === b.size &&
        a.mtimeMs === b.mtimeMs &&
        a.ctimeMs === b.ctimeMs &&
        a.ino === b.ino &&
        a.racy === b.racy))
  );
}
