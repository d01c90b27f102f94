import { expect, it } from "vitest";
import { isCompressedType } from "../../../src/core/store/compressedTypes";

it("Z9 already-compressed types are known by their extension alone", () => {
  for (const name of ["a.zip", "A.PNG", "x.tar.gz", "dir.d/b.woff2", "caf\xe9.jpg"])
    expect(isCompressedType(name), name).toBe(true);
  for (const name of ["zip", ".png", "src/.gz", "a.txt", "a.png.txt", "a.zip/b", "a.", ""])
    expect(isCompressedType(name), name).toBe(false);
});
