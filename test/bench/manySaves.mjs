/** Very many saves of five files each by one running engine (P6): does anything grow with their number? */
import { editFive, pickFive } from "./corpus.mjs";
import { sizeOf } from "./treeCompare.mjs";

/** Saves by the command line into the same store, before and after. */
const COMMAND_RUNS = 5;
/** The last ten are held against the first ten. */
export const MIN_MANY = 20;

/**
 * `engine` is a peer whose store holds the tree already, `command` the command line with that store and workspace.
 * The names of the edits must not have been used in that workspace before: `firstEdit` on.
 */
export async function measureManySaves({ engine, command, recording, count, firstEdit }) {
  const { interleave, noteSize } = recording;
  const five = pickFive(engine.workspace);
  let edits = firstEdit;
  const before = () => editFive(engine.workspace, five, edits++);
  const byCommand = (operation) =>
    interleave(operation, COMMAND_RUNS, [command], { before, act: (peer) => peer.save(`command-${edits}`) });

  await byCommand("command save before many");
  // What the command line saved is news to the running engine; taking it in is not one of the many.
  await engine.save("warm-up");
  noteSize("catalog bytes before many", engine, catalogBytes(engine.store));
  await interleave("many saves", count, [engine], { before, act: (peer) => peer.save(`many-${edits}`, five) });
  noteSize("catalog bytes after many", engine, catalogBytes(engine.store));
  await byCommand("command save after many");
}

const catalogBytes = (store) => sizeOf(store, (name) => name === "catalog.sqlite").bytes;
