/**
 * What a scan leaves out.
 *
 * Always: version-control folders and our own temp files, at any level. Then, weakest first, each able to overrule the
 * ones before it: downloaded dependencies, patterns from settings, `.gitignore` files, `.checkpointignore` files
 * (`.chkptignore` is read too). Within the last two, an inner folder's file overrules an outer one's.
 *
 * The `ignore` package decides; it costs some 40 ns per pattern and path, which for a big `.gitignore` and 80,000 files
 * would be most of a scan. So each file's patterns also yield a cheap test of the bare name (`nameFilter`) that may say
 * "cannot match"; only names that pass it are put to the package. Folders are tested before they are entered, so a
 * pattern can only be about the last segment of a path whose folders are in.
 */
import ignore, { type Ignore } from "ignore";
import { DEPENDENCIES } from "../../shared/leftOutNames";
import { type ByteString, pathToText } from "../../shared/pathText";
import { type NameFilter, nameFilter } from "./nameFilter";

export const GIT_RULES = ".gitignore";
export const OWN_RULES: readonly string[] = [".chkptignore", ".checkpointignore"];

/** A folder that marks itself as a cache (https://bford.info/cachedir/) starts this file with CACHEDIR_SIGNATURE. */
export const CACHEDIR_TAG = "CACHEDIR.TAG";
export const CACHEDIR_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55";

interface RuleOptions {
  readonly useGitignore: boolean;
  readonly includeDependencies: boolean;
  readonly exclude: readonly string[];
  /** As the file system compares names. */
  readonly ignoreCase: boolean;
}

/** The patterns of one ignore file, relative to the folder it lies in. */
class RuleSet {
  private readonly matcher: Ignore;
  private readonly filter: NameFilter;

  constructor(
    private readonly base: string,
    private readonly patterns: readonly string[],
    private readonly ignoreCase: boolean,
  ) {
    this.matcher = ignore({ ignorecase: ignoreCase, allowRelativePaths: true }).add(patterns as string[]);
    this.filter = nameFilter(patterns, ignoreCase);
  }

  /** True: out, false: explicitly in, undefined: not mentioned. */
  verdict(path: string, name: string, isFolder: boolean): boolean | undefined {
    if (!this.filter(name)) return undefined;
    const relative = this.base === "" ? path : path.slice(this.base.length + 1);
    const { ignored, unignored } = this.matcher.test(isFolder ? `${relative}/` : relative);
    return ignored ? true : unignored ? false : undefined;
  }

  /** The same, but for a folder that stronger rules took back in: what lies in it is judged on its own. */
  readmitting(folder: string): RuleSet {
    const relative = folder.slice(this.base === "" ? 0 : this.base.length + 1);
    const literal = relative.replace(/[\\*?[\]!# ]/g, "\\$&");
    return new RuleSet(this.base, [...this.patterns, `!/${literal}/`], this.ignoreCase);
  }
}

/** One ignore file: its name and its text. */
export interface IgnoreFile {
  readonly name: string;
  readonly text: string;
}

/** The rules that hold in one folder. Immutable; folders without ignore files share their parent's. */
export class FolderRules {
  private constructor(
    /** Differs between two sets of rules that may judge differently; equal ids judge equally. */
    readonly id: string,
    /** Weakest first: defaults, settings, then .gitignore from the outermost folder in. */
    private readonly common: readonly RuleSet[],
    private readonly own: readonly RuleSet[],
    private readonly options: RuleOptions,
    private readonly hashText: (text: string) => string,
  ) {}

  /** The rules above the root's own ignore files. `hashText` makes ids from rule texts. */
  static root(options: RuleOptions, hashText: (text: string) => string): FolderRules {
    const defaults = options.includeDependencies ? [] : [...DEPENDENCIES].map((name) => `${name}/`);
    const sets = [defaults, options.exclude].filter((patterns) => patterns.length > 0);
    const id = hashText(JSON.stringify([options.useGitignore, options.ignoreCase, defaults, options.exclude]));
    const common = sets.map((patterns) => new RuleSet("", patterns, options.ignoreCase));
    return new FolderRules(id, common, [], options, hashText);
  }

  /** Whether a folder entry named `name` is an ignore file that counts. */
  isRuleFile(name: string): boolean {
    return (this.options.useGitignore && name === GIT_RULES) || OWN_RULES.includes(name);
  }

  /** The rules inside `folder`, which holds these ignore files. */
  within(folder: ByteString, files: readonly IgnoreFile[]): FolderRules {
    if (files.length === 0) return this;
    const base = pathToText(folder);
    let { common, own, id } = this.parts();
    for (const file of [...files].sort((a, b) => OWN_RULES.indexOf(a.name) - OWN_RULES.indexOf(b.name))) {
      const set = new RuleSet(base, file.text.replace(/^\uFEFF/, "").split(/\r?\n/), this.options.ignoreCase);
      if (file.name === GIT_RULES) common = [...common, set];
      else own = [...own, set];
      id = this.hashText(`${id}\n${base}\n${file.name}\n${file.text}`);
    }
    return new FolderRules(id, common, own, this.options, this.hashText);
  }

  private parts(): { common: readonly RuleSet[]; own: readonly RuleSet[]; id: string } {
    return { common: this.common, own: this.own, id: this.id };
  }

  /** Whether an entry of this folder is left out. Ignore files never are: a checkpoint must know its own rules. */
  excludes(path: ByteString, name: string, isFolder: boolean): boolean {
    if (!isFolder && this.isRuleFile(name)) return false;
    const own = lastVerdict(this.own, path, name, isFolder);
    return own ?? lastVerdict(this.common, path, name, isFolder) ?? false;
  }

  /** True when `.checkpointignore` explicitly takes this folder in. */
  readmits(path: ByteString, name: string): boolean {
    return lastVerdict(this.own, path, name, true) === false;
  }

  /**
   * The rules to use inside a folder that is in only because `.checkpointignore` overruled the others. Without this,
   * the others would go on to judge everything in it as "inside an ignored folder".
   */
  afterReadmission(path: ByteString, name: string): FolderRules {
    if (lastVerdict(this.common, path, name, true) !== true) return this;
    const text = pathToText(path);
    const readmit = (set: RuleSet): RuleSet => (set.verdict(text, name, true) === true ? set.readmitting(text) : set);
    const id = this.hashText(`${this.id}\n!${text}/`);
    return new FolderRules(id, this.common.map(readmit), this.own.map(readmit), this.options, this.hashText);
  }
}

function lastVerdict(sets: readonly RuleSet[], path: ByteString, name: string, isFolder: boolean): boolean | undefined {
  let text: string | undefined;
  for (let i = sets.length - 1; i >= 0; i--) {
    text ??= pathToText(path);
    const verdict = sets[i]!.verdict(text, name, isFolder);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}
