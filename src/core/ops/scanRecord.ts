/** What the catalog keeps of a checkpoint's scan, read with distrust: a store may have been made by anybody. */
import type { Checkpoint } from "../../shared/checkpoints";
import { CheckpointError } from "../../shared/errors";
import type { ScanRecord } from "./capture";
import type { Store } from "./context";

/** Imported checkpoints say nothing: then it is empty. Throws `damaged`, naming the checkpoint. */
export function scanRecordOf(
  { catalog }: Pick<Store, "catalog">,
  { id, number }: Pick<Checkpoint, "id" | "number">,
): Partial<ScanRecord> {
  try {
    const record: unknown = JSON.parse(catalog.rulesOf(id));
    if (isScanRecord(record)) return record;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new CheckpointError(
    "damaged",
    `What checkpoint #${number} was scanned with cannot be read, so nothing tells what it left out. Run "Verify Store", or delete that checkpoint.`,
    { details: { checkpoint: id } },
  );
}

function isScanRecord(value: unknown): value is Partial<ScanRecord> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const record = value as Record<string, unknown>;
  const isAbsentOr = (key: string, test: (field: unknown) => boolean): boolean =>
    record[key] === undefined || test(record[key]);
  const isText = (field: unknown): boolean => typeof field === "string";
  const isTexts = (field: unknown): boolean => Array.isArray(field) && field.every(isText);
  return (
    isAbsentOr("useGitignore", (field) => typeof field === "boolean") &&
    isAbsentOr("includeDependencies", (field) => typeof field === "boolean") &&
    isAbsentOr("maxFileBytes", (field) => typeof field === "number") &&
    isAbsentOr("secrets", (field) => field === "include" || field === "exclude") &&
    isAbsentOr("exclude", isTexts) &&
    isAbsentOr("caches", isTexts) &&
    isAbsentOr("purged", isTexts)
  );
}
