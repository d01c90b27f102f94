import fc from "fast-check";
import pc from "picocolors";
import { describe, expect, it } from "vitest";
import { type Column, displayWidth, formatBytes, formatCount, formatTable, printable } from "../../../src/cli/output";

const plain = pc.createColors(false);

describe("output", () => {
  it("sizes and counts", () => {
    const sizes: [number, string][] = [
      [0, "0 B"],
      [999, "999 B"],
      [1000, "1.0 kB"],
      [55_937_474, "55.9 MB"],
      [999_949, "1000 kB"],
      [999_950, "1.0 MB"],
      [1_298_681_875, "1.3 GB"],
    ];
    for (const [bytes, text] of sizes) expect(formatBytes(bytes)).toBe(text);
    expect([0, 999, 1000, 78579, 1298681875].map(formatCount)).toEqual([
      "0",
      "999",
      "1,000",
      "78,579",
      "1,298,681,875",
    ]);
  });

  it("no line of a table is wider than the terminal, whatever the names", () => {
    const columns: Column[] = [
      { head: "#", align: "right", dropOrder: 0 },
      { head: "CREATED", dropOrder: 1 },
      { head: "SIZE", align: "right", dropOrder: 2 },
      { head: "NAME", dropOrder: 0 },
    ];
    const row = fc.tuple(
      fc.nat(999).map(String),
      fc.constant("2026-11-20 08:30"),
      fc.nat().map(String),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(fc.array(row, { maxLength: 5 }), fc.integer({ min: 24, max: 120 }), (rows, width) => {
        const cells = rows.map((cellsOfRow) => cellsOfRow.map(printable));
        const lines = formatTable(columns, cells, width, plain);
        expect(lines).toHaveLength(rows.length + 1);
        for (const line of lines) {
          expect(displayWidth(line)).toBeLessThanOrEqual(width);
          expect(line).not.toContain("\n");
        }
      }),
    );
  });

  it("columns go by their order until the rest fits", () => {
    const columns: Column[] = [
      { head: "#", dropOrder: 0 },
      { head: "KIND", dropOrder: 2 },
      { head: "CREATED", dropOrder: 1 },
      { head: "NAME", dropOrder: 0 },
    ];
    const rows = [["#1", "manual", "2026-11-20", "before the merge"]];
    const at = (width: number | undefined) => formatTable(columns, rows, width, plain)[1];
    expect(at(undefined)).toBe("#1  manual  2026-11-20  before the merge");
    expect(at(32)).toBe("#1  2026-11-20  before the merge");
    expect(at(24)).toBe("#1  before the merge");
    expect(at(12)).toBe("#1  before …");
  });

  it("wide and combining characters are measured as terminals draw them", () => {
    expect(displayWidth("abc")).toBe(3);
    expect(displayWidth("日本")).toBe(4);
    expect(displayWidth("e\u0301")).toBe(1);
    expect(displayWidth("😀")).toBe(2);
  });
});
