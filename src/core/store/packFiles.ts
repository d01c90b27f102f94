/** The names of a pack's files in its folder. A pack exists once its `.dat` or its parts manifest does. */

/** The first 16 hex digits of a pack's own hash. */
export type PackId = string;

export type PackFileKind = "dat" | "index" | "manifest" | "part";

const PACK_FILE = /^pack-([0-9a-f]{16})\.(dat|idx|dat\.parts\.json|dat\.part-[0-9]{6,})$/;

export const datName = (id: PackId): string => `pack-${id}.dat`;
export const indexName = (id: PackId): string => `pack-${id}.idx`;
export const manifestName = (id: PackId): string => `pack-${id}.dat.parts.json`;
export const partName = (id: PackId, number: number): string =>
  `pack-${id}.dat.part-${String(number).padStart(6, "0")}`;

/** Which pack's file a name denotes; undefined for every other name. */
export function parsePackFile(name: string): { readonly id: PackId; readonly kind: PackFileKind } | undefined {
  const match = PACK_FILE.exec(name);
  if (match === null) return undefined;
  const [, id, suffix] = match as unknown as [string, string, string];
  if (suffix === "dat") return { id, kind: "dat" };
  if (suffix === "idx") return { id, kind: "index" };
  return { id, kind: suffix === "dat.parts.json" ? "manifest" : "part" };
}
