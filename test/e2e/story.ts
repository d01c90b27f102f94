import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, expect, inject } from "vitest";
import { writeSampleWorkspace } from "../../scripts/sampleWorkspace.mjs";
import { HostProbe } from "./hostProbe";
import { FAILED, picturesFolder } from "./pictures";
import { launchWorkbench, type Workbench } from "./workbench/workbench";

export interface StoryOptions {
  /** Number of the story's first picture; pictures of all stories lie in one folder, in order. */
  readonly firstPicture: number;
  readonly package?: "marketplace" | "timeline";
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Installs the probe beside the extension. */
  readonly hasProbe?: boolean;
  /** The folder is the user's home folder. */
  readonly isHome?: boolean;
  /** Error entries of the log that the story is about. */
  readonly expectedErrors?: RegExp;
}

/** One VS Code on one fresh sample workspace, shared by the tests of a file. */
export interface Story {
  readonly workbench: Workbench;
  /** The workspace folder. */
  readonly folder: string;
  readonly extensionId: string;
  /** With `hasProbe`. */
  readonly probe: HostProbe;
  /** Saves a picture of the window as out/e2e/<VS Code version>/<NN>-<name>.png. */
  picture(name: string): Promise<void>;
  /** Writes a file of the workspace from outside VS Code, as another program would. */
  write(file: string, content: string | Uint8Array): void;
  /** Replaces a passage of a file, likewise; fails when it is not there. */
  edit(file: string, change: readonly [before: string, after: string]): void;
  remove(file: string): void;
}

/**
 * Call it at the top of a test file. Closes VS Code at the end; after a failed test keeps a picture and the logs in
 * out/e2e; fails a test in whose time the extension logged an error.
 */
export function tellStory(options: StoryOptions): Story {
  const { version, server, node } = inject("install");
  const packages = inject("packages");
  const pictures = picturesFolder(version);
  let workbench: Workbench | undefined;
  let probe: HostProbe | undefined;
  let folder = "";
  let taken = 0;
  let knownErrors = 0;

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true });
    const parent = mkdtempSync(path.join(realpathSync(tmpdir()), "checkpoint-story-"));
    folder = path.join(parent, "harbor-lights");
    writeSampleWorkspace(folder);
    if (options.hasProbe) probe = await HostProbe.pack(path.resolve(import.meta.dirname, "../.."));
    workbench = await launchWorkbench({
      version,
      server,
      node,
      chromium: inject("chromium"),
      folder,
      vsix: packages[options.package ?? "marketplace"],
      extensionId: packages.id,
      proposals: options.package === "timeline",
      settings: { ...options.settings, ...probe?.settings },
      companions: probe ? [probe.vsix] : [],
      userHome: options.isHome ? folder : undefined,
    });
  });

  afterEach(async ({ task }) => {
    if (!workbench) return;
    if (task.result?.state === "fail") {
      const name = path.join(pictures, `${FAILED}${task.name.replace(/\W+/g, "-").slice(0, 60)}`);
      await workbench.page.screenshot({ path: `${name}.png` });
      writeFileSync(`${name}.log`, workbench.logs());
    }
    const errors = workbench.errors();
    const fresh = errors.slice(knownErrors).filter((entry) => !options.expectedErrors?.test(entry));
    knownErrors = errors.length;
    expect(fresh, "errors the extension logged").toEqual([]);
  });

  afterAll(async () => {
    await workbench?.close();
    probe?.dispose();
    if (folder) rmSync(path.dirname(folder), { recursive: true, force: true });
  });

  return {
    get workbench() {
      if (!workbench) throw new Error("VS Code is not running yet.");
      return workbench;
    },
    get folder() {
      return folder;
    },
    extensionId: packages.id,
    get probe() {
      if (!probe) throw new Error("The story has no probe.");
      return probe;
    },
    async picture(name) {
      const number = String(options.firstPicture + taken++).padStart(2, "0");
      await workbench?.picture(path.join(pictures, `${number}-${name}.png`));
    },
    write(file, content) {
      const target = path.join(folder, file);
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(target, content);
    },
    edit(file, [before, after]) {
      const target = path.join(folder, file);
      const text = readFileSync(target, "utf8");
      if (!text.includes(before)) throw new Error(`${file} does not hold ${before}`);
      writeFileSync(
        target,
        text.replace(before, () => after),
      );
    },
    remove(file) {
      rmSync(path.join(folder, file), { recursive: true });
    },
  };
}
