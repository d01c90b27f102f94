/** Entry of a lane thread: runs the tasks it is sent, one after another, with codecs and packs of its own. */
import { parentPort } from "node:worker_threads";
import { CheckpointError } from "../shared/errors";
import { nodeFileSystem } from "./fs/nodeFileSystem";
import { runExtractTask } from "./pipeline/extractTask";
import type { FromLane, ToLane } from "./pipeline/lanes";
import { runStoreTask } from "./pipeline/storeTask";
import { type Codecs, loadCodecs } from "./store/codecs";
import { openPackSet } from "./store/packSet";

const codecs = loadCodecs();

parentPort?.on("message", (message: ToLane) => {
  codecs
    .then((loaded): FromLane => ({ id: message.id, result: run(loaded, message) }))
    .catch((error: unknown): FromLane => ({ id: message.id, error: CheckpointError.serialize(error) }))
    .then((answer) => parentPort?.postMessage(answer));
});

function run(loaded: Codecs, message: ToLane) {
  const { task, packs: folder } = message;
  const fs = nodeFileSystem;
  // Opened for each task: between tasks other packs may have come and gone.
  const packs = openPackSet({ fs, codecs: loaded, folder });
  try {
    return task.kind === "store"
      ? runStoreTask({ fs, codecs: loaded, isKnown: (hash) => packs.has(hash) }, task)
      : runExtractTask({ fs, read: (hash, onBlock) => packs.readTo(hash, onBlock) }, task);
  } finally {
    packs.close();
  }
}
