import type { FileSystem } from "../fs/fileSystem";
import { PathRoot } from "../fs/osPath";
import type { CheckTask, RecordCheck } from "../pipeline/checkTask";
import { DirectoryRecord } from "../scan/directoryRecord";
import { checkFolder } from "../scan/folderCheck";

/** How a lane, or this thread, checks the records of the index that are in a task. */
export function recordCheck(
  fs: FileSystem,
  { root, device, maxFileBytes }: Omit<CheckTask, "kind" | "work">,
): RecordCheck {
  const deps = { fs, root: new PathRoot(root), device, maxFileBytes };
  return (record) => checkFolder(deps, new DirectoryRecord(record));
}
