import { describe, expect, it } from "vitest";
import {
  ChangedPathSet,
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
    expect(save()).toMatchObject({ paths: [], doubt: undefined });
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

  it("C7 silence about what was written through a link does not make the watcher a silent one", () => {
    const { clock, set, save } = settledSet();
    expect(set.written("link/a", true)).toBe(true);
    // Only one is waited for at a time.
    expect(set.written("link/b", true)).toBe(false);
    set.writtenThroughLink("link/a");
    clock.now += ECHO_MS;
    expect(save().paths).toEqual(["link/a", "link/b"]);
    expect(set.written("a", true)).toBe(true);
    set.writtenThroughLink("link/b");
    clock.now += ECHO_MS;
    expect(save().doubt).toBe("file watcher is silent");
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
    expect(save().paths).toEqual(["in"]);

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

  it("P3 C7 while nothing is noticed nothing is looked at, but everything now and then", () => {
    const { clock, save } = settledSet();
    const looks: unknown[] = [];
    for (let passed = 0; passed < 3 * MAX_FULL_AGE_MS; passed += TICK_MS) {
      clock.now += TICK_MS;
      looks.push(save().doubt);
    }
    expect(looks.filter((doubt) => doubt !== undefined)).toEqual(Array(3).fill("time for it"));
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
});

/** What a set keeps of a flood, which nobody else has to know. */
function pathsHeld(set: ChangedPathSet): number {
  return (set as unknown as { readonly batch: { readonly paths: ReadonlySet<string> } }).batch.paths.size;
}
