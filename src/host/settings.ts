/** The settings as the rest of the host wants them: typed, in bytes and milliseconds, with their limits applied. */
import { isAbsolute } from "node:path";
import * as vscode from "vscode";
import { DEFAULT_RETENTION, type RetentionPolicy } from "../shared/retention";
import { DEFAULT_SCAN_OPTIONS, type ScanOptions, type SecretFiles } from "../shared/saves";

const SECTION = "checkpoint";
const MEGABYTE = 1024 ** 2;
/** Decimal, as the sizes that are shown, and as disks are sold. */
const GIGABYTE = 1e9;
const DEFAULT_MAX_FILE_MB = DEFAULT_SCAN_OPTIONS.maxFileBytes / MEGABYTE;
/** Below this an interval would keep the machine busy with nothing but checkpoints. */
const MIN_INTERVAL_MS = 2_000;

type RemoveNewFiles = "manualOnly" | "always" | "never";
type RestorePreviewStyle = "view" | "dialog";

interface RetentionSettings {
  /** Whether to clean up without being asked. */
  readonly enabled: boolean;
  readonly policy: RetentionPolicy;
}

interface AutoSaveSettings {
  readonly enabled: boolean;
  readonly intervalMs: number;
}

export class Settings {
  constructor(private readonly globalStoragePath: string) {}

  /** Fires with a test for whether a setting below "checkpoint." is affected. */
  onDidChange(listener: (affects: (name: string) => boolean) => void): vscode.Disposable {
    return vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(SECTION)) listener((name) => event.affectsConfiguration(`${SECTION}.${name}`));
    });
  }

  /** The folder that holds `stores/`. */
  storeRoot(): string {
    const path = read<string>("storage.path", "").trim();
    // A relative path would mean another folder in every program that opens the store; the settings editor says so.
    return isAbsolute(path) ? path : this.globalStoragePath;
  }

  packChunkBytes(): number {
    return Math.max(0, Math.round(read("storage.packChunkMB", 0) * MEGABYTE));
  }

  scanOptions(folder: vscode.Uri): ScanOptions {
    return {
      useGitignore: read("files.useGitignore", DEFAULT_SCAN_OPTIONS.useGitignore, folder),
      includeDependencies: read("files.includeDependencies", DEFAULT_SCAN_OPTIONS.includeDependencies, folder),
      exclude: read<readonly string[]>("files.exclude", [], folder).filter((pattern) => typeof pattern === "string"),
      maxFileBytes: Math.max(0, Math.round(read("files.maxFileSizeMB", DEFAULT_MAX_FILE_MB, folder) * MEGABYTE)),
      secrets: read<SecretFiles>("files.secrets", "include", folder) === "exclude" ? "exclude" : "include",
    };
  }

  autoSave(): AutoSaveSettings {
    return {
      enabled: read("autoSave.enabled", true),
      intervalMs: Math.max(MIN_INTERVAL_MS, read("autoSave.intervalMinutes", 10) * 60_000),
    };
  }

  retention(): RetentionSettings {
    const { allHours, hourlyDays, dailyDays, weeklyWeeks, maxStoreBytes, minFreeDiskBytes } = DEFAULT_RETENTION;
    const amount = (name: string, fallback: number) => Math.max(0, read(name, fallback));
    return {
      enabled: read("retention.enabled", true),
      policy: {
        allHours: amount("retention.keepAllHours", allHours),
        hourlyDays: amount("retention.keepHourlyDays", hourlyDays),
        dailyDays: amount("retention.keepDailyDays", dailyDays),
        weeklyWeeks: amount("retention.keepWeeklyWeeks", weeklyWeeks),
        maxStoreBytes: Math.round(amount("retention.maxStoreGB", maxStoreBytes / GIGABYTE) * GIGABYTE),
        minFreeDiskBytes: Math.round(amount("retention.minFreeDiskGB", minFreeDiskBytes / GIGABYTE) * GIGABYTE),
      },
    };
  }

  removeNewFiles(): RemoveNewFiles {
    return read<RemoveNewFiles>("restore.removeNewFiles", "manualOnly");
  }

  restorePreview(): RestorePreviewStyle {
    return read<RestorePreviewStyle>("restore.preview", "view");
  }
}

function read<T>(name: string, fallback: T, scope?: vscode.Uri): T {
  const value = vscode.workspace.getConfiguration(SECTION, scope).get<T>(name, fallback);
  // A hand-edited settings file can hold a value of any type; the wrong one counts as not set.
  return typeof value === typeof fallback && value !== null ? value : fallback;
}
