/**
 * Paths as bytes and as text.
 *
 * File names are bytes; not all of them are valid UTF-8. Inside the core a path is a *byte string*: a string whose
 * char codes are the bytes (0 to 255). Such strings sort in byte order, compare with ===, and take one byte a
 * character. At the border they become text: UTF-8 where it is valid, otherwise every byte of the name that is not
 * printable ASCII, and every backslash, is written as \xHH.
 */

/** A path or name whose char codes are its bytes. */
export type ByteString = string & { readonly __bytes: never };

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is "ASCII", control characters included.
const ASCII_ONLY = /^[\x00-\x7f]*$/;

const MAX_AMBIGUOUS_NAMES = 6;

export function isAscii(text: string): boolean {
  return ASCII_ONLY.test(text);
}

export function bytesOf(path: ByteString): Uint8Array {
  const bytes = new Uint8Array(path.length);
  for (let i = 0; i < path.length; i++) bytes[i] = path.charCodeAt(i);
  return bytes;
}

export function byteString(bytes: Uint8Array): ByteString {
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return text as ByteString;
}

/** For people and programs outside the core. `textToPaths` is its inverse. */
export function pathToText(path: ByteString): string {
  if (isAscii(path)) return path;
  return path.split("/").map(segmentToText).join("/");
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    strictUtf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function segmentToText(segment: string): string {
  const bytes = bytesOf(segment as ByteString);
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return Array.from(bytes, (byte) =>
      byte > 0x1f && byte < 0x7f && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, "0")}`,
    ).join("");
  }
}

/**
 * The byte strings a typed path may mean, likeliest first: its UTF-8 bytes, then readings in which \xHH escapes are
 * undone. (A name may really contain the four characters "\xff"; then the first reading finds it.) Each name of the path
 * is read for itself, because only names that are no valid UTF-8 are ever escaped.
 */
export function textToPaths(text: string): ByteString[] {
  const names = text.split("/").map(readingsOf);
  const ambiguous = names.filter((readings) => readings.length > 1).length;
  // Nobody types that: all names one way or all the other will do.
  if (ambiguous > MAX_AMBIGUOUS_NAMES)
    return [0, 1].map((i) => names.map((each) => each[i] ?? each[0]).join("/") as ByteString);
  return names
    .reduce<string[]>((paths, readings) => readings.flatMap((name) => paths.map((path) => `${path}/${name}`)), [""])
    .map((path) => path.slice(1) as ByteString);
}

function readingsOf(name: string): string[] {
  const plain = byteString(encoder.encode(name));
  if (!/\\x[0-9a-f]{2}/.test(name)) return [plain];
  const unescaped = plain.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return isUtf8(bytesOf(unescaped as ByteString)) ? [plain] : [plain, unescaped];
}
