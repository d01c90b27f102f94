/** Ways in which a file goes wrong on its own: what disks, cables and power cuts do. */
import type { Random } from "./seeded";

export const DAMAGES = ["flip", "cut", "junk", "zeros"] as const;
export type Damage = (typeof DAMAGES)[number];

/** Other bytes than these, always. */
export function damagedBytes(random: Random, bytes: Buffer, damage: Damage): Buffer {
  const changed = Buffer.from(bytes);
  switch (damage) {
    case "flip": {
      const bit = random.below(8 * bytes.length);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return changed;
    }
    case "cut":
      return changed.subarray(0, random.below(bytes.length));
    case "junk":
      return Buffer.concat([bytes, random.bytes(1 + random.below(random.pick([4, 40, 400])))]);
    case "zeros": {
      const start = random.below(bytes.length);
      changed.fill(0, start, Math.min(bytes.length, start + 1 + random.below(512)));
      return changed.equals(bytes) ? damagedBytes(random, bytes, "flip") : changed;
    }
  }
}
