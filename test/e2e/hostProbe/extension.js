// A second extension in the same host as the one under test: all extensions of a window share one thread, so what this
// one sees of the event loop holds for the other, and what the other starts shows up here. Asked over a socket, one JSON
// request a connection, answered by one JSON line.
const { subscribe } = require("node:diagnostics_channel");
const { createServer } = require("node:net");
const path = require("node:path");
const vscode = require("vscode");
const { activationOf, watchActivations } = require("./activations.js");
const { startProfile, stopProfile } = require("./profile.js");
const { beginSamples, endSamples } = require("./samples.js");

/** Worker threads started since this extension was activated that still run, and the stack of what started each. */
const workers = new Set();

const ANSWERS = {
  isActive: ({ id }) => vscode.extensions.getExtension(id)?.isActive === true,
  activation: ({ id }) => activationOf(vscode.extensions.getExtension(id)?.extensionPath),
  /** How many worker threads of that extension run. */
  workers: ({ id }) => workersOf(id).length,
  /** Runs a command and answers when it is done. */
  command: async ({ command, args = [] }) => {
    await vscode.commands.executeCommand(command, ...args);
  },
  /**
   * Makes the extension's worker throw, and runs a command before anybody can know that it died: whatever the command
   * asks of the worker is lost with it.
   */
  crashThenCommand: async ({ id, command }) => {
    const [worker] = workersOf(id);
    if (!worker) throw new Error(`${id} runs no worker.`);
    const gone = new Promise((resolve) => worker.once("exit", resolve));
    // No message a worker knows is null: reading its type throws in the event handler.
    worker.postMessage(null);
    await Promise.all([gone, vscode.commands.executeCommand(command)]);
  },
  beginSamples,
  endSamples,
  startProfile,
  stopProfile,
};

exports.activate = (context) => {
  watchActivations();
  subscribe("worker_threads", ({ worker }) => {
    const entry = { worker, startedBy: new Error("started here").stack };
    workers.add(entry);
    worker.once("exit", () => workers.delete(entry));
  });
  const server = createServer({ allowHalfOpen: true }, (connection) => {
    connection.on("error", (error) => console.error("hostProbe", error));
    // Read to its end by an iterator, a socket is closed in both directions on Node 20.
    let request = "";
    connection.setEncoding("utf8").on("data", (part) => {
      request += part;
    });
    connection.on("end", () => {
      answer(request)
        .then(
          (value) => ({ value: value ?? null }),
          (error) => ({ error: error.stack ?? String(error) }),
        )
        .then((reply) => connection.end(JSON.stringify(reply)));
    });
  });
  // Each host its own socket: after a reload the old one may still hold its for a moment.
  const settings = vscode.workspace.getConfiguration("hostProbe");
  const folder = settings.get("folder");
  server.listen(path.join(folder, `${process.pid}.sock`));
  context.subscriptions.push({ dispose: () => server.close() });
  const profiled = settings.get("profiledActivation");
  return profiled ? profileActivation(profiled, path.join(folder, "activation.cpuprofile")) : undefined;
};

async function profileActivation(id, file) {
  await startProfile();
  await vscode.extensions.getExtension(id)?.activate();
  await stopProfile({ file });
}

function workersOf(id) {
  const home = vscode.extensions.getExtension(id)?.extensionPath;
  return [...workers].filter(({ startedBy }) => startedBy.includes(home)).map(({ worker }) => worker);
}

async function answer(request) {
  const { ask, ...details } = JSON.parse(request);
  const act = ANSWERS[ask];
  if (!act) throw new Error(`Unknown question ${ask}.`);
  return act(details);
}
