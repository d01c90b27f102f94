/** File types whose content is compressed already: trying again costs time and saves nothing. The one list of them. */
const COMPRESSED_EXTENSIONS: ReadonlySet<string> = new Set([
  // Archives and packages. (Not tar, iso, dmg: those may hold anything.)
  ...["zip", "gz", "tgz", "bz2", "tbz2", "xz", "txz", "lzma", "zst", "tzst", "lz4", "lz", "lzo", "br", "7z", "rar"],
  ...["jar", "war", "ear", "aar", "apk", "aab", "ipa", "vsix", "whl", "nupkg", "crate", "deb", "rpm", "cab", "egg"],
  // Pictures. (Not bmp, tiff, svg, psd, ico: mostly uncompressed.)
  ...["png", "apng", "jpg", "jpeg", "jpe", "jp2", "jxl", "gif", "webp", "avif", "heic", "heif"],
  // Sound and film.
  ...["mp3", "m4a", "aac", "ogg", "oga", "opus", "flac", "wma"],
  ...["mp4", "m4v", "mov", "mkv", "webm", "ogv", "avi", "mpg", "mpeg", "wmv", "flv", "3gp"],
  // Fonts and documents. A PDF's streams are deflated; what is not is small.
  ...["woff", "woff2", "pdf", "docx", "xlsx", "pptx", "odt", "ods", "odp", "epub"],
  // Data. (Not sqlite, npy, arrow: those shrink.)
  ...["parquet", "orc", "npz", "rds"],
]);

/** Whether a file of this name (or path; text or byte string) is taken as compressed already. */
export function isCompressedType(name: string): boolean {
  const dot = name.lastIndexOf(".");
  // A leading dot makes a hidden file, not an extension.
  if (dot < 1 || name.charCodeAt(dot - 1) === 0x2f) return false;
  return COMPRESSED_EXTENSIONS.has(name.slice(dot + 1).toLowerCase());
}
