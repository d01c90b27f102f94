/** Branch and commit, when the built-in Git extension happens to be running. Never needed, never waited for. */
import * as vscode from "vscode";

/** The part of the Git extension's API (version 1) that is used here. */
interface GitApi {
  getRepository(uri: vscode.Uri): { readonly state: { readonly HEAD?: GitHead | undefined } } | null;
}

interface GitHead {
  readonly name?: string;
  readonly commit?: string;
}

export function gitState(folder: vscode.Uri): { branch?: string; head?: string } {
  const extension = vscode.extensions.getExtension<{ getAPI(version: 1): GitApi }>("vscode.git");
  if (!extension?.isActive) return {};
  try {
    const head = extension.exports.getAPI(1).getRepository(folder)?.state.HEAD;
    return {
      ...(head?.name === undefined ? {} : { branch: head.name }),
      ...(head?.commit === undefined ? {} : { head: head.commit }),
    };
  } catch {
    // getAPI throws while Git is switched off by the setting "git.enabled".
    return {};
  }
}
