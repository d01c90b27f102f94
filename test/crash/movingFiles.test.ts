import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../src/core/fs/nodeFileSystem";
import { checkpointContents } from "../support/checkpointContents";
import { UNSYNCED } from "../support/dyingFileSystem";
import { withSeeds } from "../support/seeded";
import { openTestEngine, type TestWorkspace } from "../support/testEngine";
import { link } from "../support/treeLiteral";
import { type Call, WatchedFileSystem } from "../support/watchedFileSystem";

const QUIET = { idleMs: 0 } as const;

describe("calls that do less than they were asked for", () => {
  it("C12 short reads and writes are repeated until all is done", async () => {
    await withSeeds(5, async (random) => {
      let short = 0;
      const disk = new WatchedFileSystem(({ method, args }) => {
        if (method !== "read" && method !== "write") return;
        const [fd, buffer, offset, length, position] = args as [number, Uint8Array, number, number, number | null];
        if (length < 2 || random.chance(0.3)) return;
        short++;
        const part = 1 + random.below(random.chance(0.5) ? Math.min(length, 20) : length);
        return { answer: nodeFileSystem[method](fd, buffer, offset, part, position) };
      }, UNSYNCED);
      const tree = { a: "1", b: randomBytes(70_000), large: randomBytes(1_200_000), link: link("a"), d: { c: "1" } };
      const w = await openTestEngine(tree, { fs: disk.fs, housekeeping: QUIET });
      const { id } = await w.checkpoint({ packChunkBytes: 50_000 });
      const then = w.snapshot();
      w.write("a", "2");
      fs.rmSync(w.path("large"));
      w.write("b", randomBytes(60_000));
      await w.reopen();
      expect((await w.restore(id)).kept).toEqual([]);
      expect(w.snapshot()).toEqual(then);
      await w.undo();
      await w.engine.delete([id]);
      await w.engine.gc();
      expect(await w.engine.verify({ full: true })).toMatchObject({ ok: true });
      expect(await checkpointContents(w.engine, "latest")).toEqual(w.snapshot());
      expect(short).toBeGreaterThan(50);
    });
  }, 300_000);
});

/** What somebody else does to a file of ours, at any moment. */
const DEEDS: Readonly<Record<string, (path: string) => void>> = {
  vanishes: (path) => fs.rmSync(path),
  grows: (path) => fs.appendFileSync(path, "and more"),
  shrinks: (path) => fs.truncateSync(path, 1),
  "is emptied": (path) => fs.truncateSync(path, 0),
  "is edited": (path) => {
    const bytes = fs.readFileSync(path);
    bytes.fill("x", 0, 3);
    fs.writeFileSync(path, bytes);
  },
  "is replaced": (path) => {
    fs.writeFileSync(`${path}.new`, "another one");
    fs.renameSync(`${path}.new`, path);
  },
  "becomes a link": (path) => {
    fs.rmSync(path);
    fs.symlinkSync("other", path);
  },
  "becomes a folder": (path) => {
    fs.rmSync(path);
    fs.mkdirSync(path);
    fs.writeFileSync(`${path}/inside`, "1");
  },
  "becomes a pipe's name": (path) => {
    fs.rmSync(path);
    fs.symlinkSync("/dev/zero", path);
  },
};

const CONTENTS = { small: "as it was", large: randomBytes(1_100_000) };

/** Does `act`, with the deed done right before the k-th call about `path`. False: there are not so many calls. */
async function disturbed(
  w: TestWorkspace,
  disk: WatchedFileSystem,
  path: string,
  k: number,
  deed: (path: string) => void,
  act: () => Promise<unknown>,
  isSafe: (call: Call) => boolean = () => true,
): Promise<boolean> {
  let count = 0;
  let isDone = false;
  disk.hook = (call) => {
    if (call.path !== w.path(path) || !isSafe(call) || ++count !== k) return;
    isDone = true;
    deed(w.path(path));
  };
  try {
    await act();
  } finally {
    disk.hook = () => {};
  }
  return isDone;
}

describe("a file that changes under a save", () => {
  for (const [name, content] of Object.entries(CONTENTS))
    it(`C12 C20 between any two looks at it: a ${name} one is saved whole, old or new, or named`, async () => {
      const disk = new WatchedFileSystem(() => {}, UNSYNCED);
      const w = await openTestEngine({ other: "1" }, { fs: disk.fs, housekeeping: QUIET });
      const moments: number[] = [];
      for (const [what, deed] of Object.entries(DEEDS)) {
        let k = 1;
        for (; ; k++) {
          fs.rmSync(w.path("f"), { recursive: true, force: true });
          w.write("f", content);
          const before = w.snapshot();
          let saved: Awaited<ReturnType<TestWorkspace["save"]>> | undefined;
          const at = `${what} before call ${k}`;
          const isDone = await disturbed(w, disk, "f", k, deed, async () => {
            saved = await w.save({ name: at });
          });
          const after = w.snapshot();
          const held = await checkpointContents(w.engine, saved?.checkpoint?.id ?? "none");
          if (saved?.skipped.some(({ path }) => path === "f")) {
            expect({ at, held: Object.keys(held) }).toEqual({ at, held: ["other"] });
            expect(saved.skipped.every(({ message }) => message.length > 5)).toBe(true);
          } else expect([before, after], at).toContainEqual(held);
          if (!isDone) break;
          // Whatever it was taken for then: the next one sees what is there now.
          const next = await w.save({ name: "next" });
          expect(next.skipped).toEqual([]);
          expect({ at, held: await checkpointContents(w.engine, next.checkpoint?.id ?? "none") }).toEqual({
            at,
            held: after,
          });
        }
        moments.push(k - 1);
      }
      expect(Math.min(...moments)).toBeGreaterThan(3);
      expect(disk.openPaths.filter((path) => path.startsWith(w.folder))).toEqual([]);
    }, 300_000);
});

describe("a file that changes under a restore", () => {
  it("C12 C20 before any look at it: what somebody wrote meanwhile is there, or in the safety checkpoint", async () => {
    const disk = new WatchedFileSystem(() => {}, UNSYNCED);
    const w = await openTestEngine({ f: "then", other: "1", d: { g: "then" } }, { fs: disk.fs, housekeeping: QUIET });
    const { id } = await w.checkpoint();
    let moments = 0;
    for (const [what, deed] of Object.entries(DEEDS))
      for (let k = 1; ; k++) {
        fs.rmSync(w.path("f"), { recursive: true, force: true });
        w.write("f", `now, ${what} ${k}`);
        w.write("d/g", `now, ${what} ${k}`);
        const at = `${what} before call ${k}`;
        let written: Record<string, string> = {};
        let safetyId: string | null = null;
        const note = (path: string): void => {
          deed(path);
          written = w.snapshot();
        };
        // Between the last look and the rename there is no protection: no system offers one.
        const isLook = ({ method }: Call): boolean => ["lstat", "open", "fstat", "read", "close"].includes(method);
        const isDone = await disturbed(
          w,
          disk,
          "f",
          k,
          note,
          async () => {
            safetyId = (await w.restore(id)).safetyId;
          },
          isLook,
        );
        const mine = Object.entries(written).filter(([path]) => path === "f" || path.startsWith("f/"));
        const now = w.snapshot();
        const safe = await checkpointContents(w.engine, safetyId ?? "none");
        for (const [path, entry] of mine) expect([now[path], safe[path]], `${at}: ${path}`).toContain(entry);
        expect({ at, g: now["d/g"] }).toEqual({ at, g: 'file 644 "then"' });
        if (!isDone) break;
        moments++;
      }
    expect(moments).toBeGreaterThan(30);
  }, 300_000);
});
