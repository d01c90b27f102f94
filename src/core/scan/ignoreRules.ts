/**
 * What a scan leaves out.
 *
 * Always: version-control folders and our own temp files, at any level. Then, weakest first, each able to overrule the
 * ones before it: downloaded dependencies, patterns from settings, `.gitignore` files, secret-looking files (if they are
 * not to be saved), `.checkpointignore` files (`.chkptignore` is read too). Of ignore files an inner folder's overrules an
 * outer one's.
 *
 * The `ignore` package decides; it costs some 40 ns per pattern and path, which for a big `.gitignore` and 80,000 files
 * would be most of a scan. So each file's patterns also yield a cheap test of the bare name (`nameFilter`) that may say
 * "cannot match"; only names that pass it are put to the package. A file with a pattern that could keep the package busy
 * for ever is judged by `wildcards` instead, all of it. Folders are tested before they are entered, so a
 * pattern can only be about the last segment of a path whose folders are in.
 */
import ignore from "ignore";
import { DEPENDENCIES } from "../../shared/leftOutNames";
import { type ByteString, pathToText } from "../../shared/pathText";
import { type NameFilter, nameFilter } from "./nameFilter";
import { isSecretName } from "./secretNames";
import { isComplicated, type Judge, judgeOf } from "./wildcards";

export const GIT_RULES = ".gitignore";
export const OWN_RULES: readonly string[] = [".chkptignore", ".checkpointignore"];

/** A folder that marks itself as a cache (https://bford.info/cachedir/) starts this file with CACHEDIR_SIGNATURE. */
export const CACHEDIR_TAG = "CACHEDIR.TAG";
export const CACHEDIR_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55";

interface RuleOptions {
  readonly useGitignore: boolean;
  readonly includeDependencies: boolean;
  readonly exclude: readonly string[];
  /** Secret-looking files are left out. */
  readonly withoutSecrets: boolean;
  /** As the file system compares names. */
  readonly ignoreCase: boolean;
}

/** Which of the rules leaves something out: for whoever wonders why. */
export interface RuleSource {
  readonly kind: "dependencies" | "setting" | "gitignore" | "checkpointignore" | "secrets";
  /** Path of the ignore file; "" where it is none. */
  readonly file: string;
}

const SECRETS: RuleSource = { kind: "secrets", file: "" };

/** The patterns of one ignore file, relative to the folder it lies in. */
class RuleSet {
  private readonly judge: Judge;
  private readonly filter: NameFilter;

  constructor(
    readonly source: RuleSource,
    private readonly base: string,
    private readonly patterns: readonly string[],
    private readonly ignoreCase: boolean,
  ) {
    this.judge = judgeFor(patterns, ignoreCase);
    this.filter = nameFilter(patterns, ignoreCase);
  }

  /** True: out, false: explicitly in, undefined: not mentioned. */
  verdict(path: string, name: string, isFolder: boolean): boolean | undefined {
    if (!this.filter(name)) return undefined;
    const relative = this.base === "" ? path : path.slice(this.base.length + 1);
    return this.judge(relative, isFolder);
  }

  /** The same, but for a folder that stronger rules took back in: what lies in it is judged on its own. */
  readmitting(folder: string): RuleSet {
    const relative = folder.slice(this.base === "" ? 0 : this.base.length + 1);
    const literal = relative.replace(/[\\*?[\]!# ]/g, "\\$&");
    return new RuleSet(this.source, this.base, [...this.patterns, `!/${literal}/`], this.ignoreCase);
  }
}

/**
 * One matcher for all lines of a file: the package takes what lies in a folder that is out for out as well, so it must
 * know of every line that takes a folder back in.
 */
function judgeFor(patterns: readonly string[], ignoreCase: boolean): Judge {
  if (patterns.some(isComplicated)) return judgeOf(patterns, ignoreCase);
  const matcher = ignore({ ignorecase: ignoreCase, allowRelativePaths: true }).add(patterns);
  return (path, isFolder) => {
    const { ignored, unignored } = matcher.test(isFolder ? `${path}/` : path);
    return ignored ? true : unignored ? false : undefined;
  };
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
    const facts = [options.useGitignore, options.ignoreCase, defaults, options.exclude];
    // What is saved like any other file is no rule: the records of earlier versions stay good.
    const id = hashText(JSON.stringify(options.withoutSecrets ? [...facts, "without secrets"] : facts));
    const sets = [
      { kind: "dependencies", patterns: defaults },
      { kind: "setting", patterns: options.exclude },
    ] as const;
    const common = sets
      .filter(({ patterns }) => patterns.length > 0)
      .map(({ kind, patterns }) => new RuleSet({ kind, file: "" }, "", patterns, options.ignoreCase));
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
      const source = {
        kind: file.name === GIT_RULES ? "gitignore" : "checkpointignore",
        file: base === "" ? file.name : `${base}/${file.name}`,
      } as const;
      const set = new RuleSet(source, base, file.text.replace(/^\uFEFF/, "").split(/\r?\n/), this.options.ignoreCase);
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
    if (own !== undefined) return own;
    return this.isSecret(name, isFolder) || (lastVerdict(this.common, path, name, isFolder) ?? false);
  }

  /** Which rule it is that leaves out an entry which `excludes` says is out. */
  sourceOf(path: ByteString, name: string, isFolder: boolean): RuleSource | undefined {
    const own = lastMention(this.own, path, name, isFolder);
    if (own !== undefined) return own.source;
    return this.isSecret(name, isFolder) ? SECRETS : lastMention(this.common, path, name, isFolder)?.source;
  }

  /** A folder is entered whatever its name is: some call a virtual environment ".env". */
  private isSecret(name: string, isFolder: boolean): boolean {
    return !isFolder && this.options.withoutSecrets && isSecretName(name);
  }

  /** True when `.checkpointignore` explicitly takes this folder in. */
  readmits(path: ByteString, name: string): boolean {
    return lastVerdict(this.own, path, name, true) === false;
  }

  /**
   * The rules to use inside a folder that is in although some rules say it is out: stronger ones overruled them. Without
   * this, they would go on to judge what lies in it as "inside an ignored folder".
   */
  afterReadmission(path: ByteString, name: string): FolderRules {
    const text = pathToText(path);
    const isOverruled = (set: RuleSet): boolean => set.verdict(text, name, true) === true;
    if (this.excludes(path, name, true) || ![...this.common, ...this.own].some(isOverruled)) return this;
    const readmit = (set: RuleSet): RuleSet => (isOverruled(set) ? set.readmitting(text) : set);
    const id = this.hashText(`${this.id}\n!${text}/`);
    return new FolderRules(id, this.common.map(readmit), this.own.map(readmit), this.options, this.hashText);
  }
}

function lastVerdict(sets: readonly RuleSet[], path: ByteString, name: string, isFolder: boolean): boolean | undefined {
  return lastMention(sets, path, name, isFolder)?.verdict;
}

/** The strongest set that says something about a path, and what it says. */
function lastMention(
  sets: readonly RuleSet[],
  path: ByteString,
  name: string,
  isFolder: boolean,
): { readonly verdict: boolean; readonly source: RuleSource } | undefined {
  let text: string | undefined;
  for (let i = sets.length - 1; i >= 0; i--) {
    text ??= pathToText(path);
    const set = sets[i]!;
    const verdict = set.verdict(text, name, isFolder);
    if (verdict !== undefined) return { verdict, source: set.source };
  }
  return undefined;
}
