import type { Engine, EngineOptions } from "../../src/core/engine";
import { DyingFileSystem, isChange } from "./dyingFileSystem";
import type { TestWorkspace } from "./testEngine";
import type { Call } from "./watchedFileSystem";

/** What an engine does until it is killed. */
export interface KilledWork {
  readonly options?: Partial<EngineOptions>;
  /** Before any step counts. */
  readonly prepare?: (engine: Engine) => Promise<unknown>;
  readonly act: (engine: Engine) => Promise<unknown>;
  /** Which of the changes may be the last; those to the lock do not count in any case. */
  readonly isStep?: (call: Call) => boolean;
}

/**
 * An engine of its own works on the workspace and is killed in place of its step `lifetime`; `Infinity`: it gets
 * through. What it threw although it was not killed is thrown here. The lock of the dead stays: whoever comes next takes
 * it over.
 */
export async function killedEngine(w: TestWorkspace, lifetime: number, work: KilledWork): Promise<DyingFileSystem> {
  const { isStep = () => true } = work;
  const disk = new DyingFileSystem(lifetime, (call) => !call.path.includes("/locks") && isChange(call) && isStep(call));
  disk.isArmed = false;
  const engine = await w.another({ ...work.options, fs: disk.fs });
  let failure: unknown;
  try {
    await work.prepare?.(engine);
    disk.isArmed = true;
    await work.act(engine);
  } catch (error) {
    failure = error;
  }
  await engine.close();
  if (!disk.isDead && failure !== undefined) throw failure;
  return disk;
}
