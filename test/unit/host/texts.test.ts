import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");
const json = (file: string) => JSON.parse(read(file)) as Record<string, unknown>;

const SOURCES = [
  "src/extension.ts",
  ...readdirSync(join(ROOT, "src/host"))
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `src/host/${name}`),
];

interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly menus: Readonly<Record<string, readonly { readonly command?: string }[]>>;
    readonly configuration: readonly { readonly properties: Readonly<Record<string, unknown>> }[];
  };
}

/** Texts given to l10n.t, as keys of the bundle: with a comment they are "text/comment". */
function textsOf(source: string): string[] {
  const call = /l10n\.t\(\s*(?:\{\s*message:\s*)?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/g;
  return [...source.matchAll(call)].map((match) => {
    const [whole, literal = ""] = match;
    const text = literal.startsWith("'") ? literal.slice(1, -1) : (JSON.parse(literal) as string);
    if (!/\{\s*message:/.test(whole)) return text;
    const comment = /comment:\s*\[\s*"([^"]*)"/.exec(source.slice(match.index))?.[1];
    return `${text}/${comment}`;
  });
}

describe("texts", () => {
  it("V19 the bundle holds exactly the texts of the code", () => {
    const used = new Set(SOURCES.flatMap((file) => textsOf(read(file))));
    expect(used.size).toBeGreaterThan(100);
    expect(Object.keys(json("l10n/bundle.l10n.json")).sort()).toEqual([...used].sort());
  });

  it("V19 every call of l10n.t has a literal text", () => {
    for (const file of SOURCES) {
      const source = read(file);
      expect([file, textsOf(source).length]).toEqual([file, source.split("l10n.t(").length - 1]);
    }
  });

  it("V19 the manifest's keys and its texts match one to one", () => {
    const used = new Set(Array.from(read("package.json").matchAll(/"%([^%"]+)%"/g), ([, key]) => key));
    expect(Object.keys(json("package.nls.json")).sort()).toEqual([...used].sort());
  });
});

describe("manifest", () => {
  const { contributes } = json("package.json") as unknown as Manifest;
  const declared = contributes.commands.map(({ command }) => command);
  const code = SOURCES.map(read).join("\n");

  it("menus name declared commands only", () => {
    const inMenus = Object.values(contributes.menus).flatMap((items) => items.map(({ command }) => command));
    const unknown = inMenus.filter((command) => command !== undefined && !declared.includes(command));
    expect(unknown).toEqual([]);
  });

  it("every declared command is registered", () => {
    const missing = declared.filter((command) => {
      const name = command.replace(/^checkpoint\./, "");
      return !code.includes(`      ${name}: (`) && !code.includes(`      "${name}": (`);
    });
    expect(missing).toEqual([]);
  });

  it("every setting is read", () => {
    const settings = contributes.configuration.flatMap(({ properties }) => Object.keys(properties));
    const unread = settings.filter((name) => !code.includes(`"${name.replace(/^checkpoint\./, "")}"`));
    expect(unread).toEqual([]);
  });

  it("V9 declares no proposed API", () => {
    expect(json("package.json")).not.toHaveProperty("enabledApiProposals");
  });
});
