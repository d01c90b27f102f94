import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

interface Setting {
  readonly scope?: string;
}

interface Manifest {
  readonly capabilities: {
    readonly untrustedWorkspaces: {
      readonly supported: string | boolean;
      readonly restrictedConfigurations: readonly string[];
    };
  };
  readonly contributes: {
    readonly configuration: readonly { readonly properties: Readonly<Record<string, Setting>> }[];
  };
}

const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "../../../package.json"), "utf8")) as Manifest;
const settings = manifest.contributes.configuration.flatMap(({ properties }) => Object.entries(properties));
const { supported, restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;

/** A folder may decide these before anybody trusts it: they change only what is shown. */
const HARMLESS = ["checkpoint.restore.preview"];
/** Only the user's own settings may hold these. */
const OWN_SCOPES = ["machine", "application"];

describe("an untrusted workspace", () => {
  it("V21 decides nothing of what is saved, when, where, and what is removed: every other setting is restricted", () => {
    expect(supported).toBe("limited");
    const open = settings
      .filter(
        ([name, { scope }]) => !OWN_SCOPES.includes(scope ?? "window") && !restrictedConfigurations.includes(name),
      )
      .map(([name]) => name);
    expect(open.filter((name) => !HARMLESS.includes(name))).toEqual([]);
  });

  it("V21 is told of settings that exist", () => {
    const known = settings.map(([name]) => name);
    expect(restrictedConfigurations.filter((name) => !known.includes(name))).toEqual([]);
    expect(HARMLESS.filter((name) => !known.includes(name))).toEqual([]);
  });

  it("V21 and a trusted one as well: where checkpoints lie and when they are deleted is the user's alone to say", () => {
    const own = settings.filter(([name]) => /^checkpoint\.(storage|retention|replica)\./.test(name));
    expect(own.length).toBeGreaterThan(1);
    expect(own.filter(([, { scope }]) => !OWN_SCOPES.includes(scope ?? "window")).map(([name]) => name)).toEqual([]);
  });
});
