// A small project to try the extension on, and to photograph it with: a tide forecast nobody needs.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { crc32, deflateSync } from "node:zlib";

/** Writes the sample into a folder, over what is there. */
export function writeSampleWorkspace(folder) {
  for (const [name, content] of Object.entries(sampleFiles())) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}

/** @returns {Record<string, string | Buffer>} content by path */
export function sampleFiles() {
  return { ...TEXTS, "media/logo.png": logoPng(0.55) };
}

/**
 * A picture of waves, 240 x 150, so that image diffs have something to show.
 * @param {number} hue 0 to 1
 */
export function logoPng(hue) {
  const [width, height] = [240, 150];
  const rows = [];
  for (let y = 0; y < height; y++) {
    const row = Buffer.alloc(1 + width * 3); // the leading 0 says "no filter"
    for (let x = 0; x < width; x++) {
      const crest = height * (0.5 + 0.14 * Math.sin(x / 26) + 0.05 * Math.sin(x / 9));
      const light = y < crest ? 0.92 - (y / height) * 0.25 : 0.55 - ((y - crest) / height) * 0.5;
      row.set(rgb(hue + (y < crest ? 0.06 : 0), light), 1 + x * 3);
    }
    rows.push(row);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8); // 8 bits a channel, red green blue
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk("IHDR", header),
    pngChunk("IDAT", deflateSync(Buffer.concat(rows))),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}

function pngChunk(type, data) {
  const typed = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(typed), 4);
  return Buffer.concat([frame.subarray(0, 4), typed, frame.subarray(4)]);
}

/** Hue and lightness (0 to 1) at three fifths of full colour, as bytes. */
function rgb(hue, light) {
  const strength = 0.6 * Math.min(light, 1 - light);
  return [0, 8, 4].map((offset) => {
    const k = (offset + hue * 12) % 12;
    return Math.round(255 * (light - strength * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  });
}

const TEXTS = {
  "README.md": `# Harbor Lights

Tide times for small harbors, from the harmonic constants of the nearest station.

    npm run forecast -- --station whitby --days 3

The curve is drawn in the terminal; \`--json\` prints the numbers.
`,
  "TRY-ME.md": `# A minute with Checkpoint

1. Press F1 and run **Checkpoint: Save**. The checkpoint appears in the Checkpoints view.
2. Change \`src/tide.ts\`, delete \`docs/stations.md\`, add a file of your own. Save again.
3. Open the checkpoint in the tree: it shows what changed. Click a file to see how.
4. Run **Checkpoint: Restore...** and choose the first checkpoint: look at the preview, then restore.
5. Changed your mind? **Undo** brings everything back, also after you closed the window.
`,
  "src/tide.ts": `import { type Constituent, stationByName } from "./stations";

export interface Tide {
  readonly at: Date;
  readonly metres: number;
}

/** Height of the water over chart datum. */
export function heightAt(constituents: readonly Constituent[], at: Date): number {
  const hours = at.getTime() / 3_600_000;
  let height = 0;
  for (const { amplitude, speed, phase } of constituents)
    height += amplitude * Math.cos(((speed * hours - phase) * Math.PI) / 180);
  return height;
}

/** One value every ten minutes. */
export function forecast(station: string, from: Date, days: number): Tide[] {
  const { constituents } = stationByName(station);
  const steps = days * 144;
  return Array.from({ length: steps }, (_, step) => {
    const at = new Date(from.getTime() + step * 600_000);
    return { at, metres: heightAt(constituents, at) };
  });
}
`,
  "src/stations.ts": `import data from "../data/stations.json";

export interface Constituent {
  readonly name: string;
  readonly amplitude: number;
  readonly speed: number;
  readonly phase: number;
}

export function stationByName(name: string): { constituents: Constituent[] } {
  const found = data.find((station) => station.name === name);
  if (!found) throw new Error(\`No station called \${name}\`);
  return found;
}
`,
  "src/chart/curve.ts": `import type { Tide } from "../tide";

const BLOCKS = " ▁▂▃▄▅▆▇█";

/** The tide as one line of block characters. */
export function curve(tides: readonly Tide[], width: number): string {
  const highest = Math.max(...tides.map((tide) => tide.metres));
  const lowest = Math.min(...tides.map((tide) => tide.metres));
  const step = tides.length / width;
  let line = "";
  for (let column = 0; column < width; column++) {
    const { metres } = tides[Math.floor(column * step)]!;
    line += BLOCKS[Math.round(((metres - lowest) / (highest - lowest)) * 8)];
  }
  return line;
}
`,
  "src/chart/axis.ts": `export function hourMarks(days: number, width: number): string {
  const marks = Array.from({ length: days * 4 }, (_, quarter) => String((quarter * 6) % 24).padStart(2, "0"));
  return marks.map((mark) => mark.padEnd(width / marks.length)).join("");
}
`,
  "data/stations.json": `[
  {
    "name": "whitby",
    "constituents": [
      { "name": "M2", "amplitude": 1.68, "speed": 28.984104, "phase": 107 },
      { "name": "S2", "amplitude": 0.56, "speed": 30.0, "phase": 149 },
      { "name": "N2", "amplitude": 0.33, "speed": 28.43973, "phase": 84 }
    ]
  }
]
`,
  "docs/stations.md": `# Stations

| station | from | constituents |
| --- | --- | --- |
| Whitby | 1980 | M2, S2, N2 |
`,
  "styles/theme.css": `:root {
  --sea: #1f6f8b;
  --foam: #e6f2f5;
}

.curve {
  color: var(--sea);
  background: var(--foam);
}
`,
  ".gitignore": `build/
*.log
`,
};
