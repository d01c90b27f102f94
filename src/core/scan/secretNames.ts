/**
 * Files that by their names hold passwords, keys or tokens: the one list that the setting `files.secrets`, the coverage
 * report and the command line go by. Only names count, never content: a scan opens no file to judge it.
 *
 * The list errs on the side of naming a file that holds none; what it must not do is to name what people edit all day
 * and would miss after a restore, so templates (`.env.example`) are none, and neither are public keys and certificates.
 */

/** Whole names, in lower case. */
const NAMES: ReadonlySet<string> = new Set([
  ".env",
  ".envrc",
  ".npmrc",
  ".yarnrc.yml",
  ".pypirc",
  ".netrc",
  "_netrc",
  ".pgpass",
  ".my.cnf",
  ".git-credentials",
  ".dockercfg",
  ".htpasswd",
  ".vault-token",
  "credentials",
  "credentials.json",
  "credentials.toml",
  "secrets.json",
  "secrets.yml",
  "secrets.yaml",
  "secrets.toml",
  "master.key",
]);

/** Last extensions, in lower case. */
const EXTENSIONS: ReadonlySet<string> = new Set([
  "pem",
  "key",
  "p12",
  "pfx",
  "p8",
  "pk8",
  "jks",
  "keystore",
  "kdbx",
  "kdb",
  "ppk",
  "ovpn",
  "tfstate",
]);

/** What is made to be copied and filled in. */
const TEMPLATES: ReadonlySet<string> = new Set(["example", "sample", "template", "dist", "defaults"]);

/** Whether a file (or symlink) of this name looks like one that holds a secret. Upper and lower case are alike. */
export function isSecretName(name: string): boolean {
  const folded = name.toLowerCase();
  if (NAMES.has(folded)) return true;
  const extension = folded.slice(folded.lastIndexOf(".") + 1);
  if (folded.startsWith(".env.") || /^id_(rsa|dsa|ecdsa|ed25519)/.test(folded))
    return !TEMPLATES.has(extension) && extension !== "pub";
  return folded.includes(".") && EXTENSIONS.has(extension);
}
