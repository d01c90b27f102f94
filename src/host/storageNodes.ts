/** What stands in the "Storage" view. Commands receive these objects. */
import type { PathUsage, StoreSummary } from "../shared/retention";
import type { StoreStats } from "../shared/upkeep";
import type { Root } from "./workspaceFolders";

/** The store of a workspace folder. */
export class WorkspaceStoreNode {
  constructor(
    readonly root: Root,
    readonly stats: StoreStats,
  ) {}
}

/** One figure. */
export class FigureNode {
  constructor(
    readonly label: string,
    readonly value: string,
    readonly icon: string,
    readonly id: string,
  ) {}
}

/** Opens into the paths that take most; finding out may take seconds, so it is kept while the view is. */
export class LargestNode {
  constructor(
    readonly root: Root,
    readonly hasSeveralRoots: boolean,
  ) {}
}

export class LargePathNode {
  constructor(
    readonly root: Root,
    readonly usage: PathUsage,
  ) {}
}

/** Opens into all stores below the storage root. */
export class AllStoresNode {
  constructor(
    readonly root: Root,
    readonly stores: readonly StoreSummary[],
    readonly freeDiskBytes: number | null,
  ) {}
}

export class StoreNode {
  constructor(
    /** Whose engine is asked about it. */
    readonly root: Root,
    readonly summary: StoreSummary,
  ) {}
}

export type StorageNode = WorkspaceStoreNode | FigureNode | LargestNode | LargePathNode | AllStoresNode | StoreNode;
