/**
 * The list of changed paths that the catalog keeps per checkpoint: an LZ4 frame of JSON rows
 * `[kind, path, beforeState | null, afterState | null]`, a state being `[type, mode, size, hash]`. Short lists only
 * (see MAX_LISTED_CHANGES): longer ones are computed from the trees.
 */
import { CHANGE_KINDS, type Change, ENTRY_TYPES, type EntryState } from "../../shared/changes";
import type { Codecs } from "./codecs";
import { damaged } from "./damage";
import { decodeFrame } from "./lz4FrameDecoder";
import { encodeFrame } from "./lz4FrameEncoder";

/** 1,000 checkpoints with 5 changes each take about 0.5 MB of catalog; a list of this length takes at most 60 KB. */
export const MAX_LISTED_CHANGES = 1_000;

/** What the catalog keeps of a checkpoint's difference to its parent. */
export interface Differences {
  readonly counts: { readonly added: number; readonly changed: number; readonly removed: number };
  /** Undefined: too long to keep. */
  readonly list: readonly Change[] | undefined;
}

type StateRow = readonly [type: number, mode: number, size: number, hash: string];
type ChangeRow = readonly [kind: number, path: string, before: StateRow | null, after: StateRow | null];

export function encodeChanges(codecs: Codecs, changes: readonly Change[]): Uint8Array {
  const rows: ChangeRow[] = changes.map((change) => [
    CHANGE_KINDS.indexOf(change.kind),
    change.path,
    toRow(change.before),
    toRow(change.after),
  ]);
  return encodeFrame(codecs, Buffer.from(JSON.stringify(rows)));
}

export function decodeChanges(codecs: Codecs, frame: Uint8Array): Change[] {
  return parseChanges(changesText(codecs, frame));
}

/** The JSON of a list, for `parseChanges`; to look for a path in it takes less than to parse it. */
export function changesText(codecs: Codecs, frame: Uint8Array): Buffer {
  return decodeFrame(codecs, frame);
}

/** Throws `damaged` for what `encodeChanges` would not have written. */
export function parseChanges(text: Buffer): Change[] {
  try {
    return (JSON.parse(text.toString("utf8")) as ChangeRow[]).map(([kind, path, before, after]) => {
      if (typeof path !== "string") throw new TypeError("no path");
      return {
        path,
        kind: CHANGE_KINDS[kind] ?? "changed",
        ...(before === null ? {} : { before: fromRow(before) }),
        ...(after === null ? {} : { after: fromRow(after) }),
      };
    });
  } catch (cause) {
    throw damaged("A list of changes", "it is not as it was written", { cause });
  }
}

function toRow(state: EntryState | undefined): StateRow | null {
  return state === undefined ? null : [ENTRY_TYPES.indexOf(state.type), state.mode, state.size, state.hash];
}

function fromRow([type, mode, size, hash]: StateRow): EntryState {
  if (typeof hash !== "string" || !Number.isSafeInteger(mode) || !Number.isSafeInteger(size))
    throw new TypeError("no state");
  return { type: ENTRY_TYPES[type] ?? "file", mode, size, hash };
}
