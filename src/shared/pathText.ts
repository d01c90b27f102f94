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

/** For people and programs outside the core. `textToPath` is its inverse. */
export function pathToText(path: ByteString): string {
  if (isAscii(path)) return path;
  return path.split("/").map(segmentToText).join("/");
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
 * The byte strings a typed path may mean, likeliest first: its UTF-8 bytes, then, if it holds \xHH escapes, those
 * undone. (A name may really contain the four characters "\xff"; then the first reading finds it.)
 */
export function textToPaths(text: string): ByteString[] {
  const plain = byteString(encoder.encode(text));
  if (!/\\x[0-9a-f]{2}/.test(text)) return [plain];
  const unescaped = plain.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return [plain, unescaped as ByteString];
}
