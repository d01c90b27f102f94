/** Tables for a terminal and for Markdown, and numbers as people read them. */

/** Lines with aligned columns; `numbersFrom`: the columns from here on hold numbers and stand on the right. */
export function columns(rows, numbersFrom = Number.POSITIVE_INFINITY) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column < numbersFrom ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join("  ")
      .trimEnd(),
  );
}

/** Lines of a Markdown table; the first row is its head. */
export function markdownTable([head, ...rows]) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)];
}

export function seconds(value) {
  return value.toFixed(value < 9.995 ? 3 : 1);
}

/** Takes seconds. */
export function duration(value) {
  return value < 0.2 ? `${(value * 1000).toFixed(value < 0.01 ? 2 : 1)} ms` : `${seconds(value)} s`;
}

export function bytes(value) {
  const size = Math.abs(value);
  if (size < 1000) return `${Math.round(value)} B`;
  if (size < 1e6) return `${(value / 1000).toFixed(1)} kB`;
  return size < 1e9 ? `${(value / 1e6).toFixed(1)} MB` : `${(value / 1e9).toFixed(2)} GB`;
}
