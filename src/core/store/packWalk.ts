/** Finds out what a pack holds without its `.idx`: by its entry headers, from one to the next. */
import { damaged } from "./damage";
import { hashFromBytes } from "./hash";
import { MIN_FRAME_BYTES } from "./lz4Frame";
import type { PackData } from "./packData";
import { ENTRY_HEADER_BYTES, entriesIn, frameBytesIn, PACK_HEADER_BYTES, packHeaderFault } from "./packHeaders";
import { encodePackIndex, INDEX_RECORD_BYTES, PackIndex, writeRecord } from "./packIndex";

/** Bytes read at once while walking: with small files, dozens of entry headers. */
const WALK_BYTES = 256 << 10;

/** The index of a pack. Throws "damaged" when the chain of entries is broken. */
export function walkPack(data: PackData): PackIndex {
  const part = `Pack ${data.id}`;
  const details = { pack: data.id };
  let window: Buffer = Buffer.alloc(0);
  let windowStart = 0;
  const at = (offset: number, length: number): Buffer => {
    if (offset < windowStart || offset + length > windowStart + window.length) {
      window = data.read(offset, Math.max(length, Math.min(WALK_BYTES, data.bytes - offset)));
      windowStart = offset;
    }
    return window.subarray(offset - windowStart, offset - windowStart + length);
  };
  if (data.bytes < PACK_HEADER_BYTES) throw damaged(part, "it is shorter than a pack's header", { details });
  const header = Buffer.from(at(0, PACK_HEADER_BYTES));
  const stated = entriesIn(header);
  const beginFault = packHeaderFault(header, stated);
  if (beginFault !== undefined) throw damaged(part, beginFault, { details });
  const records: Buffer[] = [];
  let offset = PACK_HEADER_BYTES;
  while (offset < data.bytes) {
    // Not counted to the end: what follows may be gigabytes of nothing.
    if (records.length === stated) throw damaged(part, "bytes follow its last entry", { details });
    if (offset + ENTRY_HEADER_BYTES > data.bytes) throw damaged(part, "it ends inside an entry", { details });
    const entryHeader = at(offset, ENTRY_HEADER_BYTES);
    const length = frameBytesIn(entryHeader);
    const record = Buffer.allocUnsafe(INDEX_RECORD_BYTES);
    if (length < MIN_FRAME_BYTES) throw damaged(part, "an entry is too short to hold anything", { details });
    if (offset + ENTRY_HEADER_BYTES + length > data.bytes) throw damaged(part, "it ends inside an entry", { details });
    writeRecord(record, 0, { hash: hashFromBytes(entryHeader, 0), offset, length });
    records.push(record);
    offset += ENTRY_HEADER_BYTES + length;
  }
  const fault = packHeaderFault(header, records.length);
  if (fault !== undefined) throw damaged(part, fault, { details });
  return PackIndex.decode(encodePackIndex(Buffer.concat(records), data.bytes), data.bytes, part);
}
