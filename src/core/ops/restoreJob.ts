/** What a restore, an undo or a redo is to do, made of what was asked for. */
import type { Checkpoint, Trigger } from "../../shared/checkpoints";
import { CheckpointError } from "../../shared/errors";
import type { ByteString } from "../../shared/pathText";
import { textToPaths } from "../../shared/pathText";
import type { RestoreRequest } from "../../shared/restores";
import type { ScanOptions, UnsavedFile } from "../../shared/saves";
import type { Hash } from "../store/hash";
import type { RestoreRow } from "../store/restoreRows";
import type { Store } from "./context";
import { type PathSelection, selectExactly, selectPaths, typedPaths } from "./pathSelection";
import { resolveRef } from "./refs";
import { checkpointBefore, originOf, pathsOf } from "./restoreStack";

/** One restore, undo or redo, as asked for. */
export interface Job {
  readonly kind: RestoreRow["kind"];
  readonly trigger: Trigger;
  readonly target: Checkpoint;
  /** The target's tree, or that with what its scan did not see. */
  readonly targetRoot: Hash;
  readonly selection: PathSelection;
  readonly scan: ScanOptions;
  readonly keepNew: boolean;
  readonly safety: boolean;
  /** Texts of editors, to be kept in a checkpoint of their own. */
  readonly unsaved: readonly UnsavedFile[];
  /** Past ignore rules matter when going to a checkpoint, not when going back to what was there a moment ago. */
  readonly respectPastRules: boolean;
  /** What was restored before at these paths, or was there before that: it may lie where no scan sees it. */
  readonly unseen: { readonly paths: readonly ByteString[]; readonly states: readonly Hash[] } | undefined;
  /** The restore that is taken back or repeated. */
  readonly originId: number | null;
}

/** For `request.ref` as it is understood now; throws `not-found` for what means nothing. */
export function requestedJob(store: Store, request: RestoreRequest): Job {
  const target = resolveRef(store.catalog.checkpoints, request.ref);
  const { safety = true, unsaved = [] } = request;
  if (!safety && unsaved.length > 0)
    throw new CheckpointError(
      "usage",
      "Unsaved texts can only be kept in the safety checkpoint. Restore with one, or save the files first.",
    );
  return {
    kind: "restore",
    trigger: "restore",
    target,
    targetRoot: target.rootTree as Hash,
    selection: requestedSelection(store, target, request),
    scan: request.scan,
    keepNew: request.keepNew ?? false,
    safety,
    unsaved,
    respectPastRules: true,
    unseen: undefined,
    originId: null,
  };
}

/** Back to the state before `row`, for the paths that the restore it belongs to was about. */
export function reverting(
  store: Store,
  kind: "undo" | "redo",
  row: RestoreRow,
  scan: ScanOptions,
  unsaved: readonly UnsavedFile[] = [],
): Job {
  const target = checkpointBefore(store, row);
  if (target === undefined)
    throw new CheckpointError("internal", "The undo stack offered a state that is gone. Please report it.");
  const paths = pathsOf(store, row);
  return {
    kind,
    trigger: kind,
    target,
    targetRoot: row.baseRoot as Hash,
    selection: selectExactly(paths, false),
    scan,
    keepNew: false,
    safety: true,
    unsaved,
    respectPastRules: false,
    unseen: { paths, states: [row.resultRoot as Hash, row.baseRoot as Hash] },
    originId: originOf(row),
  };
}

/** The selection, after making sure that each path means something now or then. */
function requestedSelection(store: Store, target: Checkpoint, request: RestoreRequest): PathSelection {
  const { fs, root, trees } = store;
  const { paths } = request;
  // Those come from a preview; what has gone since on both sides is nothing to do.
  if (request.exact === true) return selectExactly((paths ?? []).flatMap(textToPaths), false);
  for (const text of paths ?? []) {
    const candidates = typedPaths(text);
    const known = candidates.some(
      (path) =>
        path === "" ||
        (!path.split("/").includes("..") &&
          (trees.find(target.rootTree as Hash, path) !== undefined || fs.lstat(root.os(path)) !== undefined)),
    );
    if (!known)
      throw new CheckpointError(
        "not-found",
        `"${text}" is neither in checkpoint #${target.number} nor in the workspace. Check the path.`,
        {
          details: { path: text },
        },
      );
  }
  return selectPaths(paths);
}
