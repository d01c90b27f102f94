/**
 * The shapes `--json` prints. Scripts read them, so they are fixed: keys are added, never renamed or taken away.
 * Times are ISO 8601 in UTC.
 */
import type { Change, ChangeKind, CheckpointDetail, EntryState, FileVersion } from "../shared/changes";
import type { Checkpoint } from "../shared/checkpoints";
import type { Coverage } from "../shared/coverage";
import type { CheckpointError } from "../shared/errors";
import type { PurgePlan, PurgeResult } from "../shared/purge";
import type { InterruptedRestore, RestoreResult } from "../shared/restores";
import type { PrunedCheckpoint, PrunePlan, PruneResult } from "../shared/retention";
import type { SaveResult, Skipped } from "../shared/saves";
import type { SearchResult } from "../shared/searches";
import type { DeletePlan, GcResult, StoreStats, VerifyResult } from "../shared/upkeep";

export const isoTime = (ms: number): string => new Date(ms).toISOString();

export function errorJson(error: CheckpointError) {
  return { error: { code: error.code, message: error.message } };
}

/** When nothing changed, the checkpoint is the existing one and the counts, being those of this save, are zero. */
export function saveJson(result: SaveResult) {
  const { checkpoint, noChange } = result;
  const count = (value: number | undefined): number => (noChange ? 0 : (value ?? 0));
  return {
    id: checkpoint?.id ?? null,
    number: checkpoint?.number ?? null,
    parent: checkpoint?.parentId ?? null,
    created: checkpoint ? isoTime(checkpoint.createdAt) : null,
    name: checkpoint?.name ?? null,
    files: checkpoint?.files ?? 0,
    bytes: checkpoint?.bytes ?? 0,
    added: count(checkpoint?.added),
    changed: count(checkpoint?.changed),
    removed: count(checkpoint?.removed),
    newObjects: count(checkpoint?.newObjects),
    newBytes: count(checkpoint?.newBytes),
    skipped: skippedJson(result.skipped),
    noChange,
    durationMs: result.durationMs,
  };
}

function skippedJson(skipped: readonly Skipped[]) {
  return skipped.map(({ path, reason }) => ({ path, reason }));
}

export function checkpointJson(checkpoint: Checkpoint) {
  return {
    id: checkpoint.id,
    number: checkpoint.number,
    created: isoTime(checkpoint.createdAt),
    name: checkpoint.name,
    kind: checkpoint.kind,
    pinned: checkpoint.pinned,
    files: checkpoint.files,
    bytes: checkpoint.bytes,
    added: checkpoint.added,
    changed: checkpoint.changed,
    removed: checkpoint.removed,
    parent: checkpoint.parentId,
  };
}

export function listJson(checkpoints: readonly Checkpoint[]) {
  return { checkpoints: checkpoints.map(checkpointJson) };
}

export function showJson(detail: CheckpointDetail) {
  const { checkpoint } = detail;
  return {
    ...checkpointJson(checkpoint),
    trigger: checkpoint.trigger,
    note: checkpoint.note,
    newObjects: checkpoint.newObjects,
    newBytes: checkpoint.newBytes,
    rootTree: checkpoint.rootTree,
    branch: checkpoint.branch,
    head: checkpoint.head,
    skipped: skippedJson(detail.skipped),
    changes: changesJson(detail.changes),
    totalChanges: detail.totalChanges,
  };
}

/** Paths by what happened to them: the whole of `diff --json`. */
export function changesJson(changes: readonly Change[]): Record<ChangeKind, string[]> {
  const paths: Record<ChangeKind, string[]> = { added: [], changed: [], removed: [], typeChanged: [] };
  for (const change of changes) paths[change.kind].push(change.path);
  return paths;
}

export function restoreJson(result: RestoreResult) {
  return {
    id: result.checkpoint.id,
    added: result.added,
    changed: result.changed,
    removed: result.removed,
    unchanged: result.unchanged,
    kept: result.kept.map(({ path, reason, code }) => ({ path, reason, code })),
    safetyId: result.safetyId,
    dryRun: result.dryRun,
    paths: { added: result.paths.added, changed: result.paths.changed, removed: result.paths.removed },
  };
}

export function interruptedJson(found: InterruptedRestore | null) {
  return {
    interrupted:
      found === null
        ? null
        : { kind: found.kind, id: found.checkpointId, begun: isoTime(found.at), files: found.files },
  };
}

export function gcJson(result: GcResult) {
  return {
    deadObjects: result.deadObjects,
    freedBytes: result.freedBytes,
    removedPacks: result.removedPacks,
    rewrittenPacks: result.rewrittenPacks,
    damaged: result.damaged.map(({ id, message }) => ({ id, message })),
  };
}

const prunedJson = ({ checkpoint, reason }: PrunedCheckpoint) => ({
  id: checkpoint.id,
  number: checkpoint.number,
  created: isoTime(checkpoint.createdAt),
  kind: checkpoint.kind,
  reason,
});

/** Of a dry run `freedBytes` is what is expected; the counts of packs are those of a prune that is done. */
export function pruneJson(plan: PrunePlan | PruneResult) {
  const isPlan = "going" in plan;
  return {
    dryRun: isPlan,
    deleted: (isPlan ? plan.going : plan.gone).map(prunedJson),
    kept: plan.kept,
    missingBytes: plan.missingBytes,
    ...(isPlan ? { freedBytes: plan.freedBytes } : gcJson(plan.freed)),
  };
}

export function deleteJson(plan: DeletePlan, result: GcResult) {
  return {
    deleted: plan.checkpoints.map(({ id, number }) => ({ id, number })),
    endsUndo: plan.endsUndo,
    ...gcJson(result),
  };
}

export function purgeJson(result: PurgePlan | PurgeResult, dryRun: boolean) {
  return {
    paths: result.paths,
    missing: result.missing,
    checkpoints: result.checkpoints.map(({ id, number, name, pinned }) => ({ id, number, name, pinned })),
    versions: result.versions,
    elsewhere: result.elsewhere.listed.map(({ path, other }) => ({ path, other })),
    elsewhereTotal: result.elsewhere.total,
    endedRestores: result.endedRestores,
    present: result.present,
    dryRun,
    deadObjects: result.deadObjects,
    deadBytes: result.deadBytes,
    freed: "freed" in result ? gcJson(result.freed) : null,
  };
}

export function coverageJson(result: Coverage) {
  return {
    saved: { files: result.saved.files, bytes: result.saved.bytes },
    leftOut: result.leftOut.map(({ reason, rule, entries, files, bytes, listed }) => ({
      reason,
      rule,
      entries,
      files,
      bytes,
      listed: listed.map((each) => ({ path: each.path, files: each.files, bytes: each.bytes })),
    })),
    secrets: { total: result.secrets.total, listed: result.secrets.listed },
    isComplete: result.isComplete,
  };
}

export function verifyJson(result: VerifyResult) {
  return {
    ok: result.ok,
    full: result.full,
    checkpoints: result.checkpoints,
    packs: result.packs,
    objects: result.objects,
    bytesRead: result.bytesRead,
    problems: result.problems.map(({ part, message }) => ({ part, message })),
    damaged: result.damaged.map(({ checkpoint, paths }) => ({
      id: checkpoint.id,
      number: checkpoint.number,
      name: checkpoint.name,
      paths,
    })),
    healed: result.healed.map(({ part, message }) => ({ part, message })),
  };
}

export function statsJson(stats: StoreStats) {
  return {
    folder: stats.folder,
    checkpoints: stats.checkpoints,
    packs: stats.packs,
    objects: stats.objects,
    packBytes: stats.packBytes,
    treeBytes: stats.treeBytes,
    indexBytes: stats.indexBytes,
    catalogBytes: stats.catalogBytes,
    totalBytes: stats.totalBytes,
    freeDiskBytes: stats.freeDiskBytes,
    oldest: stats.oldest === null ? null : isoTime(stats.oldest),
    newest: stats.newest === null ? null : isoTime(stats.newest),
  };
}

export function historyJson(path: string, versions: readonly FileVersion[]) {
  return {
    path,
    versions: versions.map(({ checkpoint, kind, state }) => ({
      id: checkpoint.id,
      number: checkpoint.number,
      created: isoTime(checkpoint.createdAt),
      name: checkpoint.name,
      change: kind,
      ...(state === undefined ? { type: null, mode: null, size: null, hash: null } : stateJson(state)),
    })),
  };
}

export function searchJson(result: SearchResult) {
  return {
    matches: result.matches.map(({ path, hash, checkpoint, deleted, line, column, preview, start, length }) => ({
      path,
      line,
      column,
      preview,
      start,
      length,
      deleted,
      hash,
      ...placeJson(checkpoint),
    })),
    files: result.files,
    contents: result.contents,
    bytes: result.bytes,
    binary: result.binary,
    limitReached: result.limitReached,
    cutContents: result.cutContents,
    unreadable: result.unreadable.map(({ path, checkpoint, message }) => ({ path, message, ...placeJson(checkpoint) })),
  };
}

function placeJson({ id, number, createdAt, name }: SearchResult["matches"][number]["checkpoint"]) {
  return { id, number, created: isoTime(createdAt), name };
}

function stateJson(state: EntryState) {
  return { type: state.type, mode: octal(state.mode), size: state.size, hash: state.hash };
}

/** Text where the bytes are valid UTF-8, otherwise base64: nothing is lost either way. */
export function contentJson(path: string, state: EntryState, content: Uint8Array) {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const text = bytes.toString("utf8");
  const isText = Buffer.from(text, "utf8").equals(bytes);
  return {
    path,
    ...stateJson(state),
    encoding: isText ? "utf8" : "base64",
    content: isText ? text : bytes.toString("base64"),
  };
}

/** Permission bits as people write them: "644". */
export const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(3, "0");
