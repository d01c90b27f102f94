/** Saving and restoring the corpus, by every contestant in turn: rows P1 to P5, P7, and growth of the store (P6). */
import * as fs from "node:fs";
import * as path from "node:path";
import { editFive, framesOf, pickFive } from "./corpus.mjs";
import { compareTrees, describeTree, ignoredPaths, sizeOf } from "./treeCompare.mjs";

/** Slow operations run `runs` times, quick ones more often. */
export async function measureOperations({ peers, small, recording, runs, work }) {
  const quickRuns = 2 * runs + 1;
  const { interleave, noteSize } = recording;
  const quick = peers.filter((peer) => peer.incremental);
  const restorers = peers.filter((peer) => peer.restore !== undefined);
  let edits = 0;

  await interleave("cold save", runs, peers, { before: (peer) => peer.reset(), act: (peer) => peer.save("base") });
  for (const peer of peers) {
    const { bytes, disk, files } = sizeOf(peer.store);
    noteSize("store bytes", peer, bytes);
    noteSize("store disk", peer, disk);
    noteSize("store files", peer, files);
  }

  // Entries of the same second as the first save are read again once; that belongs to the save before.
  for (const peer of quick) await peer.save("warm-up");
  await interleave("no-change save", quickRuns, quick, { act: (peer) => peer.save("same") });

  await small.reset();
  for (const label of ["base", "warm-up"]) await small.save(label);
  const savers = [...quick, small];
  const five = new Map(savers.map((peer) => [peer, pickFive(peer.workspace)]));
  const edit = (peer) => editFive(peer.workspace, five.get(peer), edits++);
  await interleave("5-file save", quickRuns, savers, {
    before: (peer) => {
      edit(peer);
      return sizeOf(peer.store);
    },
    act: (peer) => peer.save(`edit-${edits}`, five.get(peer)),
    after: (peer, before) => {
      const now = sizeOf(peer.store);
      noteSize("growth bytes", peer, now.bytes - before.bytes);
      noteSize("growth disk", peer, now.disk - before.disk);
      noteSize("growth frames", peer, framesOf(peer.workspace, five.get(peer)));
    },
  });

  for (const peer of restorers) await peer.save("target");
  const targets = new Map(restorers.map((peer) => [peer, peer.lastId]));
  const restore = (peer) => peer.restore(targets.get(peer));
  await interleave("5-file restore", quickRuns, restorers, { before: edit, act: restore });
  await interleave("no-change restore", quickRuns, restorers, { act: restore });

  const wanted = new Map(restorers.map((peer) => [peer, describeTree(peer.workspace, { hashes: true })]));
  const ignored = new Map(restorers.map((peer) => [peer, ignoredPaths(peer.workspace, path.join(work, "ignored"))]));
  await interleave("full restore", runs, restorers, {
    before: (peer) => {
      for (const name of fs.readdirSync(peer.workspace))
        fs.rmSync(path.join(peer.workspace, name), { recursive: true });
    },
    act: restore,
    after: (peer) => {
      const got = describeTree(peer.workspace, { hashes: true });
      const { wrong, examples } = compareTrees(wanted.get(peer), got, ignored.get(peer));
      noteSize("wrong entries", peer, wrong);
      if (wrong > 0 && recording.sizes["wrong entries"][peer.name].length === 1)
        console.error(`${peer.name}: ${wrong} wrong after the full restore, e.g. ${examples.join(", ")}`);
    },
  });
}
