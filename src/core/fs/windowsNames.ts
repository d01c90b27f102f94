/** Devices, whatever follows the first dot. */
const DEVICES = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(\.|$)/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: Windows allows none in a name.
const NO_NAME = /[<>:"/\\|?*\x00-\x1f]/;

/**
 * Why Windows makes no file of this name in a folder; undefined when it does. A backslash leads into or out of another
 * folder there, a colon to another drive or a hidden stream, a device's name to the device; a dot or space at the end is
 * dropped, so that the name is another file's.
 */
export function refusedByWindows(name: string): string | undefined {
  if (NO_NAME.test(name)) return "Windows has no files with such a name, so it was not restored";
  if (DEVICES.test(name.trimEnd())) return "its name stands for a device on Windows, so it was not restored";
  return /[. ]$/.test(name) ? "Windows drops the end of such a name, so it was not restored" : undefined;
}
