/**
 * The core's messages name commands as VS Code has them; on the command line the same advice has another name. Applied
 * to every message of the core that is printed.
 */
export function forCommandLine(message: string): string {
  return message
    .replaceAll('"Verify Store"', '"checkpoint verify"')
    .replaceAll('"Repair Store"', '"checkpoint verify --repair"');
}
