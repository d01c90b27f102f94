/**
 * The packs that the index relies on, by name: `packs.list`, a checksum and a pack a line.
 *
 * Against stores that lose packs (a backup put back, a file deleted by hand): as long as one of the list is not there,
 * the index is void, and so is what it says on disk. Whoever writes another list must have found the old one true, or
 * must have made the index anew: a list that merely named what is left would bless records of content that is gone.
 */
import { ignoreFailure } from "../../shared/errors";
import type { FileSystem } from "../fs/fileSystem";
import { publishFile, readWholeFile } from "../fs/publishFile";
import type { Codecs } from "../store/codecs";

const PACKS = "packs.list";

export type PresentPacks = (afresh: boolean) => readonly string[];

export class PackReliance {
  /** Sorted names; undefined: there is no list that can be read. */
  private list: string | undefined;

  constructor(
    private readonly fs: FileSystem,
    private readonly codecs: Codecs,
    private readonly folder: string,
    private readonly nonce: () => string,
    /** The packs that are in the store; `afresh`: looked at anew, at the cost of a stat for each. */
    private readonly present: PresentPacks,
  ) {}

  /** Reads the list; false: there is none. */
  read(): boolean {
    const text = readWholeFile(this.fs, `${this.folder}/${PACKS}`)?.toString("utf8") ?? "";
    const body = text.slice(text.indexOf("\n") + 1);
    this.list = text === this.textOf(body) ? body : undefined;
    return this.list !== undefined;
  }

  /** Whether everything on the list is in the store. */
  get isMet(): boolean {
    if (this.list === undefined) return false;
    const names = this.list.split("\n").filter((each) => each !== "");
    const isMetBy = (present: ReadonlySet<string>): boolean => names.every((each) => present.has(each));
    return isMetBy(new Set(this.present(false))) || isMetBy(new Set(this.present(true)));
  }

  /** Writes the list anew, if it is another one: all packs of the store, or these. Throws when it cannot. */
  write(packs: readonly string[] = this.present(false)): void {
    const body = [...packs].sort().join("\n");
    if (body === this.list) return;
    publishFile(this.fs, this.folder, PACKS, Buffer.from(this.textOf(body)), this.nonce(), "none");
    this.list = body;
  }

  forget(): void {
    this.list = undefined;
    ignoreFailure(() => this.fs.unlink(`${this.folder}/${PACKS}`), "there may be none");
  }

  private textOf(body: string): string {
    return `${this.codecs.xxh64(Buffer.from(body)).toString(16)}\n${body}`;
  }
}
