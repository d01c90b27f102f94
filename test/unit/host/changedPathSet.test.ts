import { describe, expect, it } from "vitest";
import {
  ChangedPathSet,
  coarsened,
  ECHO_MS,
  type Look,
  MAX_FULL_AGE_MS,
  MAX_NEW_FOLDERS,
  MAX_PATHS,
  MAX_TICK_GAP_MS,
  SETTLE_MS,
  TICK_MS,
} from "../../../src/host/changedPathSet";
import { covers } from "../../../src/host/pathCover";
import { withSeeds } from "../../support/seeded";
import { WatchedFolder } from "./watchedFolder";

const CONDITIONS = { rules: "rules", watcherHides: false };

/** A set with a clock of its own. */
function newSet({ followsNewFolders = false } = {}) {
  const clock = { now: 1_000_000 };
  const set = new ChangedPathSet({ now: () => clock.now, followsNewFolders });
  const save = (wanted: "all" | "changed" = "changed", conditions = CONDITIONS): Look => {
    const look = set.take(wanted, conditions);
    look.succeeded(look.paths === undefined ? "all" : "changed");
    return look;
  };
  return { clock, set, save };
}

/** A set that trusts its watcher: it was heard, and everything was looked at since. */
function settledSet(options = {}) {
  const made = newSet(options);
  made.clock.now += SETTLE_MS;
  made.set.heard("first");
  made.save();
  return made;
}

describe("changed paths", () => {
  it("P3 gives what was reported, once", () => {
    const { set, save } = settledSet();
    set.heard("src/a.ts");
    set.heard("src/a.ts");
    set.written("src/b.ts", true);
    set.heard("src/b.ts");
    expect(save().paths).toEqual(["src/a.ts", "src/b.ts"]);
    expect(save()).toMatchObject({ paths: undefined, doubt: "no change was noticed" });
  });

  it("P3 a folder stands for what is in it", () => {
    const { set, save } = settledSet();
    set.heard("src");
    set.heard("src/a.ts");
    set.heard("srcs");
    expect(save().paths).toEqual(["src", "srcs"]);
  });

  it("C7 the first look is at everything, and so is every other until the watcher was heard before it", () => {
    const { clock, set, save } = newSet();
    expect(save().doubt).toBe("first look");
    set.written("a", false);
    expect(save().doubt).toBe("file watcher not heard yet");
    clock.now += SETTLE_MS;
    set.heard("a");
    expect(save().doubt).toBe("file watcher not heard yet");
    set.heard("a");
    expect(save().paths).toEqual(["a"]);
  });

  it("C7 a watcher heard while it may still be starting proves nothing", () => {
    const { clock, set, save } = newSet();
    clock.now += SETTLE_MS - 1;
    set.heard("a");
    save();
    set.heard("a");
    expect(save().doubt).toBe("file watcher not heard yet");
  });

  it("C7 a failed look gives its paths back, and its doubt", () => {
    const { set, save } = settledSet();
    set.heard("a");
    const failing = set.take("changed", CONDITIONS);
    set.heard("b");
    failing.failed();
    expect([...(save().paths ?? [])].sort()).toEqual(["a", "b"]);

    set.flooded();
    const manual = set.take("all", CONDITIONS);
    expect(manual.doubt).toBe("asked for");
    set.heard("c");
    manual.failed();
    expect(save().doubt).toBe("too many changes");
  });

  it("C7 what is reported while a save runs belongs to the next", () => {
    const { set, save } = settledSet();
    set.heard("a");
    const running = set.take("changed", CONDITIONS);
    set.heard("a");
    running.succeeded("changed");
    expect(save().paths).toEqual(["a"]);
  });

  it("C7 a write the watcher does not tell of makes it a silent one", () => {
    const { clock, set, save } = settledSet();
    set.written("a", true);
    clock.now += ECHO_MS;
    expect(save().doubt).toBe("file watcher is silent");
    set.written("a", true);
    expect(save().doubt).toBe("file watcher not heard yet");
    set.heard("a");
    expect(save().doubt).toBe("file watcher not heard yet");
    set.heard("b");
    expect(save().paths).toEqual(["b"]);
  });

  it("C7 a write the watcher told of, or could not, is no reason for doubt", () => {
    const { clock, set, save } = settledSet();
    set.written("a/b", true);
    set.heard("a");
    set.written("node_modules/x", false);
    clock.now += ECHO_MS;
    expect(save().paths).toEqual(["a/b", "a", "node_modules/x"]);
  });

  it("C7 a folder that appeared is part of every later look where its inside may be deaf", () => {
    const { set, save } = settledSet();
    set.sawFolder("in");
    set.sawFolder("in/deeper");
    set.heard("a");
    expect(save().paths).toEqual(["a", "in"]);
    set.heard("b");
    expect(save().paths).toEqual(["b", "in"]);
    expect(save().doubt).toBe("no change was noticed");

    const recursive = settledSet({ followsNewFolders: true });
    recursive.set.sawFolder("in");
    recursive.set.heard("a");
    expect(recursive.save().paths).toEqual(["a"]);
  });

  it("C7 many such folders are put together under their parents", () => {
    const { set, save } = settledSet();
    for (let i = 0; i < 20 * MAX_NEW_FOLDERS; i++) set.sawFolder(`packages/p${i % 7}/f${i}`);
    set.heard("a");
    const paths = save().paths ?? [];
    expect(paths.length).toBeLessThanOrEqual(MAX_NEW_FOLDERS + 1);
    for (let i = 0; i < 20 * MAX_NEW_FOLDERS; i++)
      expect(paths.some((path) => covers(path, `packages/p${i % 7}/f${i}`))).toBe(true);
  });

  it("C7 memory stays bounded under a flood of a million events, and the next look is at everything", () => {
    const { set, save } = settledSet();
    let most = 0;
    for (let i = 0; i < 1_000_000; i++) {
      set.heard(`folder${i % 1_000}/file${i}`);
      most = Math.max(most, pathsHeld(set));
    }
    expect(most).toBeLessThanOrEqual(MAX_PATHS);
    expect(pathsHeld(set)).toBe(0);
    expect(save().doubt).toBe("too many changes");
    set.heard("a");
    expect(save().paths).toEqual(["a"]);
  });

  it("C7 a folder reported after its many files replaces them", () => {
    const { set, save } = settledSet();
    for (let i = 0; i < MAX_PATHS; i++) set.heard(`out/${i}`);
    set.heard("out");
    expect(save().paths).toEqual(["out"]);
  });

  it("C7 after events were lost, only a watcher that reads the tree again is believed where it has no recursion", () => {
    for (const followsNewFolders of [false, true]) {
      const { clock, set, save } = settledSet({ followsNewFolders });
      set.flooded();
      expect(save().doubt).toBe("too many changes");
      set.heard("a");
      expect(save().paths).toEqual(followsNewFolders ? ["a"] : undefined);
      set.watcherRestarted();
      expect(save().doubt).toBe("file watcher not heard yet");
      clock.now += SETTLE_MS;
      set.heard("a");
      save();
      set.heard("a");
      expect(save().paths).toEqual(["a"]);
    }
  });

  it("C7 a machine that slept, or a clock that was set, is a reason for doubt", () => {
    for (const jump of [MAX_TICK_GAP_MS + 1, -1]) {
      const { clock, set, save } = settledSet();
      set.heard("a");
      clock.now += jump;
      expect(save().doubt).toBe("the computer slept");
    }
    const { clock, set, save } = settledSet();
    set.heard("a");
    for (let passed = 0; passed < 3 * MAX_TICK_GAP_MS; passed += TICK_MS) {
      clock.now += TICK_MS;
      set.tick();
    }
    expect(save().paths).toEqual(["a"]);
  });

  it("C7 everything is looked at now and then; any such look renews the time, also one asked for", () => {
    const { clock, set, save } = settledSet();
    const pass = (ms: number) => {
      for (let passed = 0; passed < ms; passed += TICK_MS) {
        clock.now += TICK_MS;
        set.tick();
      }
      set.heard("a");
    };
    pass(MAX_FULL_AGE_MS / 2);
    expect(save().paths).toEqual(["a"]);
    pass(MAX_FULL_AGE_MS / 2);
    expect(save().doubt).toBe("time for it");
    pass(MAX_FULL_AGE_MS / 2);
    save("all");
    pass(MAX_FULL_AGE_MS / 2);
    expect(save().paths).toEqual(["a"]);
  });

  it("C7 an engine that looked at everything by itself renews the time, too", () => {
    const { clock, set } = settledSet();
    set.heard("a");
    clock.now += TICK_MS;
    set.take("changed", CONDITIONS).succeeded("all");
    for (let passed = 0; passed < MAX_FULL_AGE_MS - TICK_MS; passed += TICK_MS) {
      clock.now += TICK_MS;
      set.tick();
    }
    set.heard("a");
    expect(set.take("changed", CONDITIONS).paths).toEqual(["a"]);
  });

  it("C6 other rules, or a watcher that leaves out saved files, ask for a look at everything", () => {
    const { set, save } = settledSet();
    const others = { rules: "others", watcherHides: false };
    set.heard("a");
    expect(save("changed", others).doubt).toBe("rules changed");
    set.heard("a");
    expect(save("changed", others).paths).toEqual(["a"]);
    set.heard("a");
    expect(save("changed", { ...others, watcherHides: true }).doubt).toBe("file watcher leaves out saved files");
  });

  it("C7 a change that cannot be placed concerns everything", () => {
    const { set, save } = settledSet();
    set.heard("");
    expect(save().doubt).toBe("a change that cannot be placed");
  });

  it("C7 late, doubled, reordered, merged, misplaced and missing events: in the end every change is in a save", async () => {
    let hinted = 0;
    await withSeeds(200, (random) => {
      const folder = new WatchedFolder(random);
      const set = new ChangedPathSet({ now: () => folder.now, followsNewFolders: false });
      const saved = new Map<string, number>();
      const probes: { readonly path: string; readonly dueAt: number }[] = [];
      /** Delivered since the last look that succeeded began. */
      let delivered: string[] = [];

      const deliver = (): void => {
        for (const { path, kind } of folder.arrived()) {
          set.heard(path);
          delivered.push(path);
          if (kind !== "delete") probes.push({ path, dueAt: folder.now + random.below(1_000) });
        }
        for (const probe of probes.splice(0)) {
          if (probe.dueAt > folder.now) probes.push(probe);
          else if (folder.isFolder(probe.path)) set.sawFolder(probe.path);
        }
      };
      const apply = (paths: readonly string[] | undefined): void => {
        const isSeen = (path: string) => paths === undefined || paths.some((each) => covers(each, path));
        for (const path of [...saved.keys()]) if (isSeen(path)) saved.delete(path);
        for (const [path, content] of folder.look()) if (isSeen(path)) saved.set(path, content);
      };
      const save = (wanted: "all" | "changed", fails: boolean): void => {
        const look = set.take(wanted, CONDITIONS);
        const { paths } = look;
        if (paths) for (const path of delivered) expect(paths.some((each) => covers(each, path))).toBe(true);
        const mayBeMissed = delivered;
        delivered = [];
        // The worst case for what happens during the save: it looks first.
        const before = new Map(saved);
        apply(paths);
        for (let i = random.below(3); i > 0; i--) folder.changeSomething();
        pass(random.below(3_000));
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
      const pass = (ms: number): void => {
        folder.now += ms;
        set.tick();
        deliver();
      };

      for (let step = 0; step < 150; step++) {
        const written = folder.changeSomething();
        if (written !== undefined && random.chance(0.3)) {
          set.written(written, true);
          delivered.push(written);
        }
        pass(random.below(15_000));
        if (random.chance(0.3)) save(random.chance(0.1) ? "all" : "changed", random.chance(0.2));
        if (random.chance(0.005)) {
          folder.startWatching();
          set.watcherRestarted();
        }
        if (random.chance(0.005)) {
          folder.writeSilently();
          pass(MAX_TICK_GAP_MS + 1 + random.below(1_000_000));
        }
      }
      pass(20_000);
      // One more sign of activity, as any save needs that is to trust the watcher.
      folder.write("last");
      pass(20_000);
      save("changed", false);
      pass(20_000);
      folder.write("last");
      pass(20_000);
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

/** What a set keeps of a flood, which nobody else has to know. */
function pathsHeld(set: ChangedPathSet): number {
  return (set as unknown as { readonly batch: { readonly paths: ReadonlySet<string> } }).batch.paths.size;
}
