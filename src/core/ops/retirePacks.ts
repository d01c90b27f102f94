/** The last step of everything that moves content to other packs or drops it: packs go. */
import type { PackId } from "../store/packFiles";
import type { PackSet } from "../store/packSet";
import type { Store } from "./context";

/**
 * Removes packs; what of them is in use lies in other published packs. The index is told first: it must not rely on
 * packs that are about to go, or it would be void and the next save read everything. The caller holds the lock. After an
 * error any number of them may still be there, which harms nobody.
 */
export function retirePacks(store: Store, packs: PackSet, going: ReadonlySet<PackId>): void {
  store.index.relyOn([...store.blobs.stamps(going), ...store.treePacks.stamps(going)]);
  for (const id of going) packs.remove(id);
}
