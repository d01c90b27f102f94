import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import type { FileSystem, OsPath } from "../../../src/core/fs/fileSystem";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import { damageContent } from "../../support/damagedContent";
import { openTestEngine } from "../../support/testEngine";

/** Windows and macOS find a file by any spelling of its name, and keep the one it was made with. */
describe("where names are compared without case or in one Unicode form", () => {
  for (const [what, from, to] of [
    ["case", "Readme.md", "README.md"],
    ["case, the other way", "README.md", "Readme.md"],
    ["Unicode form", "e\u0301", "\u00e9"],
  ] as const)
    it(`C2 a file renamed in nothing but ${what} is brought back under its name, and undo renames it back`, async () => {
      const w = await openTestEngine({ [from]: "hello", d: { [from]: "there" } }, { fs: looseNames() });
      const first = await w.checkpoint();
      for (const folder of ["", "d/"]) fs.renameSync(w.path(folder + from), w.path(folder + to));
      w.write(`d/${to}`, "edited");
      expect((await w.restore(first)).kept).toEqual([]);
      expect(contents(w.folder)).toEqual({ [from]: "hello", d: { [from]: "there" } });
      expect((await w.restore(first)).changes).toEqual([]);
      await w.undo();
      expect(contents(w.folder)).toEqual({ [to]: "hello", d: { [to]: "edited" } });
      await w.redo();
      expect(contents(w.folder)).toEqual({ [from]: "hello", d: { [from]: "there" } });
    });

  it("C2 a folder renamed in case alone is brought back with all in it", async () => {
    const w = await openTestEngine({ Src: { a: "1", Sub: { b: "1" } } }, { fs: looseNames() });
    const first = await w.checkpoint();
    fs.renameSync(w.path("Src"), w.path("src"));
    fs.renameSync(w.path("src/Sub"), w.path("src/SUB"));
    w.write("src/new", "1");
    expect((await w.restore(first)).kept).toEqual([]);
    expect(contents(w.folder)).toEqual({ Src: { a: "1", Sub: { b: "1" } } });
    await w.undo();
    expect(contents(w.folder)).toEqual({ src: { a: "1", SUB: { b: "1" }, new: "1" } });
  });

  it("C2 C6 such a folder keeps the ignored files in it", async () => {
    const w = await openTestEngine({ ".gitignore": "*.log\n", Src: { a: "1" } }, { fs: looseNames() });
    const first = await w.checkpoint();
    fs.renameSync(w.path("Src"), w.path("src"));
    w.write("src/x.log", "precious");
    await w.restore(first);
    expect(contents(w.folder)).toEqual({ ".gitignore": "*.log\n", Src: { a: "1", "x.log": "precious" } });
  });

  it("C2 a file whose new spelling is not part of the restore is kept", async () => {
    const w = await openTestEngine({ "Readme.md": "1", ".gitignore": "" }, { fs: looseNames() });
    const first = await w.checkpoint();
    fs.renameSync(w.path("Readme.md"), w.path("README.md"));
    for (const request of [{ paths: ["Readme.md"], exact: true }, { keepNew: true }]) {
      const { kept, changes } = await w.restore(first, request);
      expect({ kept, changes }).toMatchObject({ kept: [{ path: "Readme.md", code: "occupied" }], changes: [] });
    }
    expect(w.read("README.md")).toBe("1");
  });

  it("C2 C4 undo leaves alone what was given another spelling since", async () => {
    const w = await openTestEngine({ "Readme.md": "hello", a: "1" }, { fs: looseNames() });
    const first = await w.checkpoint();
    fs.rmSync(w.path("Readme.md"));
    await w.restore(first);
    fs.renameSync(w.path("Readme.md"), w.path("README.md"));
    await w.undo();
    expect(contents(w.folder)).toEqual({ "README.md": "hello", a: "1" });
  });

  it("C2 content that cannot be brought back leaves the other spelling in place", async () => {
    const w = await openTestEngine({ "Readme.md": "hello hello" }, { fs: looseNames() });
    w.checkAfterwards = false;
    const first = await w.checkpoint();
    fs.renameSync(w.path("Readme.md"), w.path("README.md"));
    w.write("README.md", "mine");
    await w.checkpoint();
    damageContent(w.store, "hello hello");
    await w.reopen();
    const { kept } = await w.restore(first);
    expect(kept).toMatchObject([{ path: "Readme.md", code: "damaged" }]);
    expect(contents(w.folder)).toEqual({ "README.md": "mine" });
  });
});

type Contents = { [name: string]: string | Contents };

function contents(folder: string): Contents {
  return Object.fromEntries(
    fs
      .readdirSync(folder, { withFileTypes: true })
      .map((each) => [
        each.name,
        each.isDirectory() ? contents(`${folder}/${each.name}`) : fs.readFileSync(`${folder}/${each.name}`, "utf8"),
      ]),
  );
}

/** The real file system, looking names up as those systems do. */
function looseNames(): FileSystem {
  const fold = (name: string): string => Buffer.from(name, "latin1").toString("utf8").normalize("NFC").toLowerCase();
  const found = (path: string): string => {
    if (path === "") return "";
    const folder = found(path.slice(0, path.lastIndexOf("/")));
    const name = path.slice(path.lastIndexOf("/") + 1);
    const full = `${folder}/${name}`;
    if (fs.lstatSync(Buffer.from(full, "latin1"), { throwIfNoEntry: false }) !== undefined) return full;
    const names = nodeFileSystem.lstat(bytes(folder || "/")) === undefined ? [] : list(folder || "/");
    return `${folder}/${names.find((each) => fold(each) === fold(name)) ?? name}`;
  };
  const bytes = (path: string): Buffer => Buffer.from(path, "latin1");
  const list = (folder: string): string[] => {
    try {
      return fs.readdirSync(bytes(folder), "latin1");
    } catch {
      return [];
    }
  };
  const text = (path: OsPath): string =>
    (typeof path === "string" ? Buffer.from(path) : path).toString("latin1").replace(/\/$/, "");
  const look = (path: OsPath): Buffer => bytes(found(text(path)) || "/");
  /** The folder as it is found, the name as given. */
  const make = (path: OsPath): Buffer => {
    const given = text(path);
    const at = given.lastIndexOf("/");
    return bytes(`${found(given.slice(0, at))}/${given.slice(at + 1)}`);
  };
  const real = nodeFileSystem;
  return {
    ...real,
    open: (path, flags, mode) => real.open(look(path), flags, mode),
    lstat: (path) => real.lstat(look(path)),
    readdir: (path) => real.readdir(look(path)),
    readlink: (path) => real.readlink(look(path)),
    mkdir: (path, mode) => real.mkdir(look(path), mode),
    rmdir: (path) => real.rmdir(look(path)),
    unlink: (path) => real.unlink(look(path)),
    chmod: (path, mode) => real.chmod(look(path), mode),
    rename: (from, to) => {
      const [source, target] = [look(from), look(to)];
      // Onto another file replaces it, which then has the name it had; onto itself, it takes the new spelling.
      real.rename(source, source.equals(target) || real.lstat(target) === undefined ? make(to) : target);
    },
  };
}
