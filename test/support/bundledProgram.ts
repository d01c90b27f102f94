import { resolve } from "node:path";
import esbuild from "esbuild";
import { RELEASE_OPTIONS } from "../../esbuild.config.mjs";

/** Bundles a program of the tests as the released ones are, so that it can be run, and killed, as a process. */
export async function bundleProgram(source: string, outfile: string): Promise<string> {
  await esbuild.build({ ...RELEASE_OPTIONS, entryPoints: [resolve(source)], outfile, logLevel: "warning" });
  return outfile;
}
