/** Entry of a lane thread: runs the tasks it is sent, one after another, with codecs and packs of its own. */
import { parentPort } from "node:worker_threads";
import { CheckpointError } from "../shared/errors";
import { nodeFileSystem } from "./fs/nodeFileSystem";
import { recordCheck } from "./ops/recordCheck";
import { runCheckTask } from "./pipeline/checkTask";
import { runExtractTask } from "./pipeline/extractTask";
import type { AnyResult, FromLane, ToLane } from "./pipeline/lanes";
import { runSearchTask } from "./pipeline/searchTask";
import { runStoreTask } from "./pipeline/storeTask";
import { type Codecs, loadCodecs } from "./store/codecs";
import { openPackSet } from "./store/packSet";

let codecs: Promise<Codecs> | undefined;

parentPort?.on("message", (message: ToLane) => {
  answer(message)
    .then((result): FromLane => ({ id: message.id, result }))
    .catch((error: unknown): FromLane => ({ id: message.id, error: CheckpointError.serialize(error) }))
    .then((answer) => parentPort?.postMessage(answer, buffersOf(answer)));
});

async function answer({ task, packs: folder }: ToLane): Promise<AnyResult> {
  const fs = nodeFileSystem;
  // Comparing stats needs no codecs, and is over before they would be there.
  if (task.kind === "check") return runCheckTask(recordCheck(fs, task), task);
  codecs ??= loadCodecs({ busy: true });
  const loaded = await codecs;
  // Opened for each task: between tasks other packs may have come and gone.
  const packs = openPackSet({ fs, codecs: loaded, folder });
  try {
    switch (task.kind) {
      case "store":
        return runStoreTask({ fs, codecs: loaded, isKnown: (hash) => packs.has(hash) }, task);
      case "extract":
        return runExtractTask({ fs, read: (hash, onBlock) => packs.readTo(hash, onBlock) }, task);
      case "search":
        return runSearchTask(packs, task);
    }
  } finally {
    packs.close();
  }
}

/** Handed over, not copied: the index of a pack of 100,000 files is 3 MB. */
function buffersOf(answer: FromLane): ArrayBuffer[] {
  if (!("result" in answer) || answer.result === undefined || !("pack" in answer.result)) return [];
  const { pack } = answer.result;
  return pack === undefined ? [] : [pack.index.buffer as ArrayBuffer];
}
