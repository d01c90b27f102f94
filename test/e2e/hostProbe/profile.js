// A CPU profile of the host's thread, taken from within.
const { writeFile } = require("node:fs/promises");
const { Session } = require("node:inspector/promises");

const INTERVAL_US = 250;

let session;

exports.startProfile = async () => {
  session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: INTERVAL_US });
  await session.post("Profiler.start");
};

exports.stopProfile = async ({ file }) => {
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  await writeFile(file, JSON.stringify(profile));
};
