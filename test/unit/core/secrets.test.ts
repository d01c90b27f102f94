import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isSecretName } from "../../../src/core/scan/secretNames";
import type { Coverage, LeftOutReason } from "../../../src/shared/coverage";
import { DEFAULT_SCAN_OPTIONS, type ScanOptions } from "../../../src/shared/saves";
import { damageContent } from "../../support/damagedContent";
import { randomTree } from "../../support/randomTree";
import { withSeeds } from "../../support/seeded";
import { tempFolder } from "../../support/tempFolders";
import { CLI_SCRIPT, openTestEngine, type TestWorkspace } from "../../support/testEngine";
import { link } from "../../support/treeLiteral";

const WITHOUT: ScanOptions = { ...DEFAULT_SCAN_OPTIONS, secrets: "exclude" };

async function savedPaths(w: TestWorkspace, ref = "latest", folder = ""): Promise<string[]> {
  const paths: string[] = [];
  for (const { name, type } of await w.engine.readDirectory(ref, folder)) {
    const path = folder === "" ? name : `${folder}/${name}`;
    if (type === "directory") paths.push(...(await savedPaths(w, ref, path)));
    else paths.push(path);
  }
  return paths;
}

describe("secret-looking files", () => {
  it("V21 are told by their names alone", () => {
    const secret = [
      ".env",
      ".env.local",
      ".ENV.production",
      "server.pem",
      "server.KEY",
      "id_rsa",
      "id_rsa.bak",
      "id_ed25519",
      "store.p12",
      "store.pfx",
      ".npmrc",
      ".netrc",
      "credentials",
      "vault.kdbx",
      ".git-credentials",
      "terraform.tfstate",
    ];
    const plain = [
      ".env.example",
      ".env.sample",
      "id_rsa.pub",
      "environment.ts",
      "env",
      "key",
      "pem",
      "keyboard.ts",
      "monkey.ts",
      "credentials.ts",
      "server.crt",
    ];
    expect(secret.filter((name) => !isSecretName(name))).toEqual([]);
    expect(plain.filter(isSecretName)).toEqual([]);
  });

  it("V21 are saved unless left out; switching looks at everything; a restore leaves alone what was left out then or is now", async () => {
    const w = await openTestEngine({ a: "1", ".env": "secret 1", deep: { er: { id_rsa: "key 1", b: "1" } } });
    const all = await w.checkpoint();
    expect(await savedPaths(w)).toEqual([".env", "a", "deep/er/b", "deep/er/id_rsa"]);
    const without = await w.checkpoint({ scan: WITHOUT });
    expect(without).toMatchObject({ files: 2, removed: 2 });
    expect(await savedPaths(w)).toEqual(["a", "deep/er/b"]);
    expect(await w.engine.scanOptions()).toEqual(WITHOUT);

    // Left out then: what is there now is not "new since".
    w.write("a", "2");
    w.write(".env", "secret 2");
    const back = await w.restore(without);
    expect(back).toMatchObject({ changed: 1, removed: 0 });
    expect(back.kept.map(({ path, code }) => `${code} ${path}`)).toEqual([
      "protected .env",
      "protected deep/er/id_rsa",
    ]);
    expect(w.read(".env")).toBe("secret 2");
    // Left out now: what the checkpoint holds does not take the place of what no checkpoint holds.
    w.write("a", "3");
    w.write(".env", "secret 3");
    const forth = await w.restore(all, { scan: WITHOUT });
    expect(forth.kept.map(({ path, code }) => `${code} ${path}`)).toEqual([
      "protected .env",
      "protected deep/er/id_rsa",
    ]);
    expect(w.snapshot()).toMatchObject({ a: 'file 644 "1"', ".env": 'file 644 "secret 3"' });
    const again = await w.checkpoint({ scan: DEFAULT_SCAN_OPTIONS });
    expect(again.files).toBe(4);
  });

  it("V21 .checkpointignore takes one back in, .gitignore does not, and folders are entered whatever their name", async () => {
    const w = await openTestEngine({
      ".gitignore": "!.env\n",
      ".checkpointignore": "!kept.key\n",
      ".env": "secret",
      "kept.key": "a presentation",
      "other.key": "a key",
      credentials: { ".env": "secret", readme: "text" },
      "link.pem": link("other.key"),
    });
    await w.checkpoint({ scan: WITHOUT });
    expect(await savedPaths(w)).toEqual([".checkpointignore", ".gitignore", "credentials/readme", "kept.key"]);
  });

  it("V21 no byte of one that is left out is in the store", async () => {
    const canary = "canary-7d1f";
    const w = await openTestEngine({ a: "1", ".npmrc": canary, deep: { "x.pem": canary } });
    await w.checkpoint({ scan: WITHOUT });
    w.write("a", "2");
    w.write("deep/x.pem", `${canary} edited`);
    await w.checkpoint({ scan: WITHOUT, changedPaths: ["a", "deep/x.pem"] });
    await w.restore("latest~1", { scan: WITHOUT });
    expect(spawnSync("grep", ["-raF", canary, w.storeRoot]).stdout.toString()).toBe("");
    expect(spawnSync("grep", ["-raF", "x.pem", w.storeRoot]).stdout.toString()).toBe("");
  });
});

const group = (found: Coverage, reason: LeftOutReason, rule = "") =>
  found.leftOut.find((each) => each.reason === reason && each.rule === rule);

describe("coverage", () => {
  it("V21 counts and names what is left out, by what, and which secrets are in", async () => {
    const w = await openTestEngine({
      ".gitignore": "*.log\nbuild/\n",
      "a.txt": "1",
      "x.log": "12345",
      build: { out: "123", deep: { out: "4567" } },
      sub: { ".gitignore": "/local\n", local: "1", "y.log": "1", ".checkpointignore": "big.*\n", "big.txt": "12" },
      node_modules: { pkg: { "index.js": "123" } },
      cache: { "CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55", blob: "1" },
      ".git": { HEAD: "ref" },
      ".env": "secret",
      "skip.me": "1",
      "large.bin": "x".repeat(2_000),
    });
    spawnSync("mkfifo", [w.path("pipe")]);
    const scan: ScanOptions = { ...DEFAULT_SCAN_OPTIONS, exclude: ["*.me"], maxFileBytes: 1_000 };
    const found = await w.engine.coverage(scan);
    const { checkpoint } = await w.save({ scan });
    expect(found.saved).toEqual({ files: checkpoint?.files, bytes: checkpoint?.bytes });
    expect(found.secrets).toEqual({ total: 1, listed: [".env"] });
    expect(found.isComplete).toBe(true);
    expect(group(found, "gitignore", ".gitignore")).toEqual({
      reason: "gitignore",
      rule: ".gitignore",
      entries: 3,
      files: 4,
      bytes: 13,
      listed: [
        { path: "build/", files: 2, bytes: 7 },
        { path: "sub/y.log", files: 1, bytes: 1 },
        { path: "x.log", files: 1, bytes: 5 },
      ],
    });
    expect(group(found, "gitignore", "sub/.gitignore")?.listed.map(({ path }) => path)).toEqual(["sub/local"]);
    expect(group(found, "checkpointignore", "sub/.checkpointignore")?.listed.map(({ path }) => path)).toEqual([
      "sub/big.txt",
    ]);
    const named = found.leftOut.map(({ reason, listed }) => `${reason}: ${listed.map(({ path }) => path).join(" ")}`);
    expect(named.slice(3)).toEqual([
      "setting: skip.me",
      "dependencies: node_modules/",
      "cache: cache/",
      "too-large: large.bin",
      "special-file: pipe",
      "always: .git/",
    ]);
    const without = await w.engine.coverage({ ...scan, secrets: "exclude" }, { limit: 0 });
    expect(without.secrets.total).toBe(0);
    expect(group(without, "secrets")).toMatchObject({ entries: 1, files: 1, listed: [] });
  });

  it("V21 says of random workspaces exactly what a save takes in", async () => {
    await withSeeds(12, async (random) => {
      const workspace = tempFolder("workspace");
      randomTree(random, workspace, 60);
      const w = await openTestEngine({}, { workspace });
      const rules = ["a*", "*.ts", "!b*", "/lib", "src/", "**/x.ts", "*", "!*.js", "A"];
      const pick = (): string => rules.filter(() => random.chance(0.25)).join("\n");
      w.write(".gitignore", pick());
      w.write(".checkpointignore", pick());
      w.write(".env", "secret");
      for (const secrets of ["include", "exclude"] as const) {
        const scan: ScanOptions = { ...DEFAULT_SCAN_OPTIONS, secrets };
        const found = await w.engine.coverage(scan);
        const { checkpoint } = await w.save({ scan });
        expect({ secrets, ...found.saved }).toEqual({ secrets, files: checkpoint?.files, bytes: checkpoint?.bytes });
      }
    });
  });

  it("V21 says the store in the workspace is left out, and writes nothing", async () => {
    const workspace = tempFolder("workspace");
    const w = await openTestEngine({ a: "1" }, { workspace, storeRoot: join(workspace, ".store") });
    expect((await w.engine.coverage(w.scan)).leftOut).toEqual([]);
    expect(w.exists(".store")).toBe(false);
    await w.checkpoint();
    const found = await w.engine.coverage(w.scan);
    expect(found.saved.files).toBe(1);
    expect(group(found, "always")?.listed.map(({ path }) => path)).toEqual([".store/stores/"]);
  });
});

describe("what is logged", () => {
  it("V21 names paths, never content: not on stdout, not on stderr, not with debugging on, not where damage is told", async () => {
    const canary = "canary-5e0c-content";
    const w = await openTestEngine({ a: `${canary} 1`, ".env": `${canary} 2`, d: { b: `${canary} 3` } });
    w.checkAfterwards = false;
    await w.engine.close();
    const said: string[] = [];
    const cli = (...args: string[]): number | null => {
      const line = [CLI_SCRIPT, "--workspace", w.folder, "--store", w.storeRoot, ...args];
      const env = { ...process.env, CHECKPOINT_DEBUG: "1" };
      const { status, stdout, stderr } = spawnSync(process.execPath, line, { encoding: "utf8", env });
      said.push(stdout, stderr);
      return status;
    };
    expect(cli("save")).toBe(0);
    w.write("a", `${canary} edited`);
    expect(cli("save", "--json")).toBe(0);
    expect(cli("restore", "1")).toBe(0);
    expect(cli("coverage")).toBe(0);
    damageContent(w.store, `${canary} 3`);
    w.write("d/b", `${canary} other`);
    expect(cli("verify", "--full")).toBe(5);
    expect(cli("cat", "1", "d/b")).not.toBe(0);
    cli("restore", "1", "--json");
    // The damaged pack cannot be written anew, and may still hold what was purged.
    expect(cli("purge", ".env", "--yes")).toBe(5);
    for (const part of ["catalog.sqlite", "store.json"]) {
      writeFileSync(join(w.store, part), "{");
      expect(cli("list")).not.toBe(0);
    }
    expect(said.join("\n")).toMatch(/damaged/);
    expect(said.join("\n")).not.toContain(canary);
  });
});
