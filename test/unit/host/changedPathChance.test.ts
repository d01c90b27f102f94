import { describe, expect, it } from "vitest";
import { ChangedPathSet, coarsened, MAX_TICK_GAP_MS } from "../../../src/host/changedPathSet";
import { FolderProbe } from "../../../src/host/folderProbe";
import { covers } from "../../../src/host/pathCover";
import { withSeeds } from "../../support/seeded";
import { WatchedFolder } from "./watchedFolder";

const CONDITIONS = { rules: "rules", watcherHides: false };

describe("changed paths, whatever happens", () => {
  it("C7 late, doubled, reordered, merged, misplaced and missing events: in the end every change is in a save", async () => {
    let hinted = 0;
    await withSeeds(200, async (random) => {
      const folder = new WatchedFolder(random);
      const set = new ChangedPathSet({ now: () => folder.now, followsNewFolders: false });
      const saved = new Map<string, number>();
      const questions: { readonly dueAt: number; readonly answer: () => void }[] = [];
      const probe = new FolderProbe({
        isFolder: (path) => {
          // The file system looks at once, or just before it answers.
          const early = random.chance(0.5) ? folder.isFolder(path) : undefined;
          const dueAt = folder.now + random.below(1_000);
          return new Promise((resolve) =>
            questions.push({ dueAt, answer: () => resolve(early ?? folder.isFolder(path)) }),
          );
        },
        onFolder: (path) => set.sawFolder(path),
        onOverflow: () => set.flooded(),
      });
      /** Delivered since the last look that succeeded began. */
      let delivered: string[] = [];

      const deliver = async (): Promise<void> => {
        for (const { path, kind } of folder.arrived()) {
          set.heard(path);
          delivered.push(path);
          if (kind !== "delete") probe.ask(path);
        }
        for (const question of questions.splice(0)) {
          if (question.dueAt > folder.now) questions.push(question);
          else question.answer();
        }
        await new Promise((resolve) => setImmediate(resolve));
      };
      const apply = (paths: readonly string[] | undefined): void => {
        const isSeen = (path: string) => paths === undefined || paths.some((each) => covers(each, path));
        for (const path of [...saved.keys()]) if (isSeen(path)) saved.delete(path);
        for (const [path, content] of folder.look()) if (isSeen(path)) saved.set(path, content);
      };
      const save = async (wanted: "all" | "changed", fails: boolean): Promise<void> => {
        const look = set.take(wanted, CONDITIONS);
        const { paths } = look;
        if (paths) for (const path of delivered) expect(paths.some((each) => covers(each, path))).toBe(true);
        const mayBeMissed = delivered;
        delivered = [];
        // The worst case for what happens during the save: it looks first.
        const before = new Map(saved);
        apply(paths);
        for (let i = random.below(3); i > 0; i--) folder.changeSomething();
        await pass(random.below(3_000));
        if (fails) {
          saved.clear();
          for (const [path, content] of before) saved.set(path, content);
          delivered.push(...mayBeMissed);
          look.failed();
        } else {
          if (paths) hinted++;
          look.succeeded(paths ? "changed" : "all");
        }
      };
      const pass = async (ms: number): Promise<void> => {
        folder.now += ms;
        set.tick();
        await deliver();
      };

      for (let step = 0; step < 150; step++) {
        const written = folder.changeSomething();
        if (written !== undefined && random.chance(0.3)) {
          set.written(written, true);
          delivered.push(written);
        }
        await pass(random.below(15_000));
        if (random.chance(0.3)) await save(random.chance(0.1) ? "all" : "changed", random.chance(0.2));
        if (random.chance(0.005)) {
          folder.startWatching();
          set.watcherRestarted();
        }
        if (random.chance(0.005)) {
          folder.writeSilently();
          await pass(MAX_TICK_GAP_MS + 1 + random.below(1_000_000));
        }
      }
      await pass(20_000);
      // A sign that the watcher hears, after which a look at everything is believed.
      folder.write("last");
      await pass(20_000);
      await save("changed", false);
      await pass(20_000);
      const look = set.take("changed", CONDITIONS);
      apply(look.paths);
      expect(Object.fromEntries(saved)).toEqual(Object.fromEntries(folder.files));
    });
    // Otherwise the doubts have hidden what this test is about.
    expect(hinted).toBeGreaterThan(1_000);
  });

  it("C7 putting paths together never loses one", async () => {
    await withSeeds(200, (random) => {
      const paths = new Set<string>();
      for (let i = random.below(300); i >= 0; i--)
        paths.add(Array.from({ length: 1 + random.below(6) }, () => "abcdef"[random.below(6)]).join("/"));
      const limit = 1 + random.below(50);
      const fewer = [...coarsened(paths, limit)];
      expect(fewer.length).toBeLessThanOrEqual(Math.max(limit, 1));
      for (const path of paths) expect(fewer.some((each) => covers(each, path))).toBe(true);
    });
  });
});
