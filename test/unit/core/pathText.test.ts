import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ByteString, byteString, bytesOf, pathToText, textToPaths } from "../../../src/shared/pathText";

/** Names as file systems allow them, with a liking for what is hard. */
const name = fc
  .oneof(
    fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }).map((text) => Buffer.from(text)),
    fc
      .constantFrom("\\xff", "\\x5c", "a\\", "\\xFF", "\u00e9", "e\u0301", "\ufeffx", "\u0000".slice(1), "x")
      .map((text) => Buffer.from(text)),
    fc
      .constantFrom([0xff], [0xc3], [0x5c, 0xff], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0x0a, 0x80])
      .map((bytes) => Buffer.from(bytes)),
  )
  .filter((bytes) => bytes.length > 0 && !bytes.includes(0) && !bytes.includes(0x2f))
  .map((bytes) => byteString(bytes));

const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/") as ByteString);

describe("paths as text", () => {
  it("C2 every name is found again by its text", () => {
    fc.assert(
      fc.property(name, (bytes) => {
        expect(textToPaths(pathToText(bytes))).toContain(bytes);
      }),
      { numRuns: 3_000 },
    );
  });

  it("C2 every path is found again by its text, whatever stands beside what", () => {
    fc.assert(
      fc.property(path, (bytes) => {
        expect(textToPaths(pathToText(bytes))).toContain(bytes);
      }),
      { numRuns: 3_000 },
    );
  });

  it("C2 text is text: UTF-8 stays as it is, the rest is escaped and printable", () => {
    fc.assert(
      fc.property(name, (bytes) => {
        const text = pathToText(bytes);
        const raw = Buffer.from(bytesOf(bytes));
        if (Buffer.from(raw.toString("utf8")).equals(raw)) expect(Buffer.from(text).equals(raw)).toBe(true);
        else expect(text).toMatch(/^[\x20-\x7e]+$/);
      }),
      { numRuns: 3_000 },
    );
  });

  it("bytes go there and back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 10_000 }), (bytes) => {
        expect(Buffer.from(bytesOf(byteString(bytes))).equals(Buffer.from(bytes))).toBe(true);
      }),
    );
  });
});
