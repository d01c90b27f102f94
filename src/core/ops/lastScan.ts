/**
 * What the last scan found, kept in memory: a save which is told what changed looks at nothing else, and one which is
 * not need not walk through what a check found unchanged.
 *
 * It is relied on only while nothing casts doubt on it: the same options, the index not replaced behind our back
 * (another process saved, content was dropped), everything looked at within FULL_SCAN_EVERY_MS. A new engine has none:
 * its first save looks at everything.
 */

import type { ByteString } from "../../shared/pathText";
import type { ScanOptions } from "../../shared/saves";
import type { ScannedFolder } from "../scan/scannedFolder";

export interface KnownScan {
  readonly scan: ScanOptions;
  /** Untouched, see `asUntouched`. */
  readonly root: ScannedFolder;
  /** Folders to look at again in any case: recently changed, or with something that could not be saved. */
  readonly restless: readonly ByteString[];
  /**
   * Whether a watcher may be believed: not on what is known to be a network file system (Linux tells), whose other
   * users' changes it does not see, and not where dependencies are in, which editors do not watch.
   */
  readonly isWatchable: boolean;
  /** When everything was last looked at, in milliseconds since 1970. */
  readonly scannedAllAt: number;
}

/** Watchers lose events without saying so; this bounds for how long a loss can go unnoticed. */
const FULL_SCAN_EVERY_MS = 60 * 60_000;

export class LastScan {
  private known: (KnownScan & { readonly generation: number; readonly scanText: string }) | undefined;

  /** To be called when the scanned state has become the index's, which then has this generation. */
  remember(scan: KnownScan, generation: number): void {
    this.known = { ...scan, generation, scanText: JSON.stringify(scan.scan) };
  }

  /** To be called when the workspace was changed by us. */
  forget(): void {
    this.known = undefined;
  }

  /** The last scan, if one with these options can be relied on. */
  recall(scan: ScanOptions, generation: number, now: number): KnownScan | undefined {
    const { known } = this;
    if (known === undefined || known.generation !== generation) return undefined;
    const age = now - known.scannedAllAt;
    // A clock that was set back makes the age unknown.
    if (age < 0 || age > FULL_SCAN_EVERY_MS) return undefined;
    return known.scanText === JSON.stringify(scan) ? known : undefined;
  }
}
