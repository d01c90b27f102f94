/**
 * The three WebAssembly codecs behind one synchronous interface: XXH3-128 (content hashes), LZ4 blocks, XXH32 and XXH64
 * (frame headers, record checksums). Loading is the only asynchronous step.
 */
import type { IHasher } from "hash-wasm";
import xxh128 from "hash-wasm/dist/xxhash128.umd.min.js";
import xxhash from "xxhash-wasm";
import { type Hash, hashFromCanonical } from "./hash";
import { type Lz4Blocks, loadLz4Blocks } from "./lz4Blocks";

/** A hash taken in pieces. Any number may be open at once; after `digest` it is used up. */
export interface StreamHasher {
  update(data: Uint8Array): void;
  digest(): Hash;
}

/** Codecs of one thread. Views that it returns lie in WebAssembly memory: use or copy them before the next call. */
export interface Codecs extends Lz4Blocks {
  hash(data: Uint8Array): Hash;
  createHasher(): StreamHasher;
  xxh32(data: Uint8Array): number;
  xxh64(data: Uint8Array): bigint;
}

/** `busy`: for a lane, which has nothing else to do (see `loadLz4Blocks`). */
export async function loadCodecs({ busy = false } = {}): Promise<Codecs> {
  const [whole, streams, blocks, small] = await Promise.all([
    xxh128.createXXHash128(),
    xxh128.createXXHash128(),
    loadLz4Blocks(busy),
    xxhash(),
  ]);
  const shared = new SharedHasher(streams);
  return {
    hash: (data) => hashFromCanonical(whole.init().update(data).digest("binary")),
    createHasher: () => shared.open(),
    compressBlock: blocks.compressBlock,
    decompressBlock: blocks.decompressBlock,
    xxh32: (data) => small.h32Raw(data),
    xxh64: (data) => small.h64Raw(data),
  };
}

/**
 * Many streams over one WebAssembly instance (making an instance is asynchronous, opening a stream must not be). The
 * instance holds the state of the stream used last; switching saves and loads a few hundred bytes.
 */
class SharedHasher {
  private current: { state: Uint8Array | undefined } | undefined;

  constructor(private readonly instance: IHasher) {}

  open(): StreamHasher {
    const stream: { state: Uint8Array | undefined } = { state: undefined };
    let closed = false;
    return {
      update: (data) => {
        if (closed) throw new Error("This hasher has already given its digest.");
        this.select(stream);
        this.instance.update(data);
      },
      digest: () => {
        if (closed) throw new Error("This hasher has already given its digest.");
        closed = true;
        this.select(stream);
        this.current = undefined;
        return hashFromCanonical(this.instance.digest("binary"));
      },
    };
  }

  private select(stream: { state: Uint8Array | undefined }): void {
    if (this.current === stream) return;
    if (this.current !== undefined) this.current.state = this.instance.save();
    if (stream.state === undefined) this.instance.init();
    else this.instance.load(stream.state);
    this.current = stream;
  }
}
