/** A process with an engine in it (engineRunner.ts), and the questions that can be put to it. */
import { fork } from "node:child_process";

/** Starts the process; `build` says where its programs are. One question at a time. */
export function startEngineProcess({ runner: script, dist }) {
  const runner = fork(script);
  const send = (request) =>
    new Promise((resolve, reject) => {
      runner.once("message", (answer) => (answer.error ? reject(new Error(answer.error)) : resolve(answer)));
      runner.once("exit", (code) => reject(new Error(`The engine's process ended with ${code}.`)));
      runner.send(request);
    }).finally(() => runner.removeAllListeners());
  return {
    /** Opens a store; one that is open is closed first. Answers the sample of opening it. */
    async open(folder, storeRoot) {
      await send({ type: "close" });
      return (await send({ type: "open", folder, storeRoot, dist })).sample;
    },
    /**
     * { sample, id }. Without a name an unchanged tree makes no checkpoint; without paths everything is looked at. The
     * sample says whether there were any (`given`) and whether the engine went by them (`scanned`).
     */
    async save(name, changedPaths) {
      const request = { type: "save", ...(name === undefined ? {} : { name }), ...(changedPaths && { changedPaths }) };
      const { sample, id } = await send(request);
      return { sample: { ...sample, given: changedPaths !== undefined }, id };
    },
    /** { sample } */
    restore: (id) => send({ type: "restore", id }),
    /** { first, samples, size } of a method of the engine; of a search also { bytes }. */
    ask: (method, args, runs) => send({ type: "ask", method, args, runs }),
    close: () => send({ type: "close" }),
    end: () => void runner.kill(),
  };
}
