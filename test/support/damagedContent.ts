import * as fs from "node:fs";

/** Flips one bit wherever this content lies uncompressed in a pack of the store. */
export function damageContent(store: string, content: string): void {
  for (const name of fs.readdirSync(`${store}/packs`).filter((each) => each.endsWith(".dat"))) {
    const path = `${store}/packs/${name}`;
    const bytes = fs.readFileSync(path);
    const at = bytes.indexOf(content);
    if (at < 0) continue;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    fs.chmodSync(path, 0o600);
    fs.writeFileSync(path, bytes);
  }
}
