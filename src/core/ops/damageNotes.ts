/**
 * What is known to be damaged, from memory to disk: by whoever holds the project lock, because reading takes none.
 *
 * The index goes first. It must not vouch for such content: nobody would read those files again, and the next save would
 * rely on the damaged copy. Killed between the two, the damage is found once more.
 */
import { ignoreFailure } from "../../shared/errors";
import type { Store } from "./context";

/** The caller holds the lock. What cannot be written stays known in memory, for the next time. */
export function writeDownDamage(store: Store): void {
  const { blobs, treePacks, index } = store;
  ignoreFailure(() => {
    const sets = [blobs, treePacks].filter((each) => each.hasUnwrittenDamage);
    if (sets.length === 0) return;
    index.retain((hash) => !blobs.isLost(hash) && !treePacks.isLost(hash));
    for (const each of sets) each.writeDownDamage(store.nonce());
  }, "a disk that takes nothing must not keep anybody from what they were about to do");
}
