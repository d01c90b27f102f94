import type { GcResult } from "../shared/upkeep";
import { forCommandLine } from "./advice";
import { printable } from "./output";

/** Packs that stay although there is garbage in them. */
export function damagedPackLines({ damaged }: GcResult): string[] {
  return damaged.map(({ message }) => `Left as it is: ${printable(forCommandLine(message))}`);
}
