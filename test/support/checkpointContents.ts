import type { Engine } from "../../src/core/engine";
import { describeFile, type Snapshot } from "./snapshotTree";

/** What a checkpoint holds, byte for byte, in the form of `snapshotTree`; for names that are valid UTF-8. */
export async function checkpointContents(engine: Engine, ref: string): Promise<Snapshot> {
  const snapshot: Snapshot = {};
  const visit = async (folder: string): Promise<void> => {
    for (const { name, type, mode } of await engine.readDirectory(ref, folder)) {
      const path = folder === "" ? name : `${folder}/${name}`;
      const key = Buffer.from(path).toString("latin1");
      if (type === "directory") {
        snapshot[key] = `folder ${mode.toString(8)}`;
        await visit(path);
        continue;
      }
      const content = Buffer.from(await engine.readFile(ref, path));
      snapshot[key] =
        type === "symlink" ? `link -> ${content.toString("latin1")}` : describeFile(mode.toString(8), content);
    }
  };
  await visit("");
  return snapshot;
}
