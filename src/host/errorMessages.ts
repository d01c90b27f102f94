/** The one place where a failure becomes a message: what happened, and a button for what to do about it. */
import * as vscode from "vscode";
import { CheckpointError, type ErrorCode } from "../shared/errors";

interface Remedy {
  readonly label: string;
  readonly command: string;
}

/** One cause can fail several calls at once; while they can be read, the same words within this time are said once. */
const SAID_ONCE_MS = 3_000;
const NOTHING = { message: "", at: 0 };

export class ErrorMessages {
  private lastSaid = NOTHING;

  constructor(private readonly log: vscode.LogOutputChannel) {}

  /** Logs the details and shows the message with its remedies. Cancellation shows nothing. */
  async show(error: unknown): Promise<void> {
    const known = this.record(error);
    const now = Date.now();
    if (known === undefined) return;
    if (known.message === this.lastSaid.message && now - this.lastSaid.at < SAID_ONCE_MS) return;
    this.lastSaid = { message: known.message, at: now };
    const remedies = [...remediesFor(known.code), showOutput()];
    const picked = await vscode.window.showErrorMessage(known.message, ...remedies.map((remedy) => remedy.label));
    if (this.lastSaid.message === known.message) this.lastSaid = NOTHING;
    const remedy = remedies.find((candidate) => candidate.label === picked);
    if (remedy) await vscode.commands.executeCommand(remedy.command);
  }

  /** Logs only; returns the error as ours, or undefined for a cancellation. */
  record(error: unknown): CheckpointError | undefined {
    const known = CheckpointError.from(error);
    if (known.code === "cancelled") return undefined;
    this.log.error(`[${known.code}] ${known.message}`);
    if (Object.keys(known.details).length > 0) this.log.info(JSON.stringify(known.details));
    const origin = known.cause instanceof Error ? known.cause : known;
    if (origin.stack !== undefined) this.log.debug(origin.stack);
    return known;
  }
}

function remediesFor(code: ErrorCode): Remedy[] {
  switch (code) {
    case "damaged":
      return [
        { label: vscode.l10n.t("Repair Store"), command: "checkpoint.repair" },
        { label: vscode.l10n.t("Verify Store"), command: "checkpoint.verify" },
      ];
    case "io":
      return [{ label: vscode.l10n.t("Verify Store"), command: "checkpoint.verify" }];
    case "disk-full":
      return [{ label: vscode.l10n.t("Open Storage…"), command: "checkpoint.openStorage" }];
    case "worker-gone":
      return [{ label: vscode.l10n.t("Reload Window"), command: "workbench.action.reloadWindow" }];
    default:
      return [];
  }
}

function showOutput(): Remedy {
  return { label: vscode.l10n.t("Show Output"), command: "checkpoint.showOutput" };
}
