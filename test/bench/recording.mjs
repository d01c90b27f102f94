/** What a run measured, and the turn-taking that makes it comparable. */
import { spawnSync } from "node:child_process";

/**
 * samples: operation → peer → samples, in order: the i-th of two peers were taken one right after the other.
 * sizes:   measure → peer → numbers.
 */
export function createRecording() {
  const samples = {};
  const sizes = {};
  const add = (into, row, name, value) => {
    into[row] ??= {};
    into[row][name] ??= [];
    into[row][name].push(value);
  };
  return {
    samples,
    sizes,
    noteSample: (operation, peer, sample) => add(samples, operation, peer.name, sample),
    noteSize: (measure, peer, value) => add(sizes, measure, peer.name, value),

    /** Every peer in turn, `runs` times over (A B C A B C …). `before` and `after` are not timed. */
    async interleave(operation, runs, peers, { before, act, after }) {
      for (let i = 0; i < runs; i++) {
        for (const peer of peers) {
          const state = await before?.(peer);
          spawnSync("sync");
          add(samples, operation, peer.name, await act(peer));
          await after?.(peer, state);
        }
      }
      console.error(`${operation}: done`);
    },
  };
}
