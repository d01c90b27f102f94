import * as path from "node:path";
import { CheckpointError } from "../shared/errors";
import type { CliEnvironment } from "./environment";

/**
 * The folder that holds `stores/`: `--store`, then $CHECKPOINT_STORE, then the user's data folder as the platform has
 * it. It lives outside the workspace, so that no checkpoint ever holds another. Throws `usage` for an empty `--store`.
 */
export function storeRootOf(
  option: string | undefined,
  environment: Pick<CliEnvironment, "env" | "cwd" | "platform" | "homeFolder">,
): string {
  // Most likely a shell variable that is not set; the current folder, which "" would mean, must not become the store.
  if (option === "")
    throw new CheckpointError("usage", "--store was given no folder. Name one, or leave --store away.");
  const chosen = option ?? nonEmpty(environment.env.CHECKPOINT_STORE);
  return chosen === undefined ? defaultStoreRoot(environment) : path.resolve(environment.cwd, chosen);
}

/** Where stores are when nothing else was said. */
export function defaultStoreRoot({
  env,
  platform,
  homeFolder,
}: Pick<CliEnvironment, "env" | "platform" | "homeFolder">): string {
  return path.join(userDataFolder(env, platform, homeFolder), "checkpoint");
}

function userDataFolder(env: CliEnvironment["env"], platform: NodeJS.Platform, homeFolder: string): string {
  if (platform === "win32") return nonEmpty(env.LOCALAPPDATA) ?? path.join(homeFolder, "AppData", "Local");
  if (platform === "darwin") return path.join(homeFolder, "Library", "Application Support");
  const xdg = nonEmpty(env.XDG_DATA_HOME);
  // The XDG specification: a relative path there is invalid and must be ignored.
  return xdg !== undefined && path.isAbsolute(xdg) ? xdg : path.join(homeFolder, ".local", "share");
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : value;
}
