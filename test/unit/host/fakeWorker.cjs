// A stand-in for the engine worker: answers by method name. Its state across restarts is the file named by the folder.
const { parentPort } = require("node:worker_threads");
const { appendFileSync, readFileSync } = require("node:fs");

parentPort.on("message", (message) => {
  if (message.type !== "call") return;
  const { id, method, args, address, cancel } = message;
  const answer = (value) => parentPort.postMessage({ type: "result", id, value });
  appendFileSync(address.folder, `${method}\n`);
  const asked = readFileSync(address.folder, "utf8")
    .split("\n")
    .filter((line) => line === method).length;
  switch (method) {
    case "list":
      parentPort.postMessage({ type: "notice", message: "a pack is damaged" });
      return answer([]);
    case "resolve":
      return parentPort.postMessage({
        type: "error",
        id,
        error: { code: "not-found", message: `There is no ${args[0]}.`, details: { ref: args[0] } },
      });
    case "stats": {
      for (const done of [1, 2])
        parentPort.postMessage({ type: "progress", id, progress: { phase: "scan", done, total: 2 } });
      return answer({ folder: address.storeRoot });
    }
    case "history":
      // Dies the first time it is asked.
      if (asked === 1) process.exit(3);
      return answer(["second time"]);
    case "verify":
      throw new Error("always dies");
    case "save":
      return process.exit(4);
    case "gc": {
      // Synchronous work that polls the flag, as the engine does.
      const flag = new Int32Array(cancel);
      parentPort.postMessage({ type: "progress", id, progress: { phase: "gc", done: 0, total: 0 } });
      Atomics.wait(flag, 0, 0, 20_000);
      return parentPort.postMessage({
        type: "error",
        id,
        error: { code: Atomics.load(flag, 0) === 1 ? "cancelled" : "internal", message: "stopped", details: {} },
      });
    }
    case "planDelete":
      return; // never answers
  }
});
