/**
 * LZ4 blocks by lz4-wasm, driven directly at its WebAssembly exports. The package's own glue copies every result out,
 * is written for bundlers that link wasm modules, and leaks its stack slot when the code traps.
 *
 * The exports' protocol: the input is malloc'ed by us and owned by the callee; a result is {pointer, length, error,
 * isError} at a stack slot; blocks carry their content length as a u32 before them. A result must not be freed before
 * it has been used: the allocator writes its links into freed memory. So it is freed at the next call.
 */
import wasmBytes from "lz4-wasm/lz4_wasm_bg.wasm";
import { damaged } from "./damage";

export interface Lz4Blocks {
  /** The raw LZ4 block of `input`: a view, valid until the next call. May be longer than `input`. */
  compressBlock(input: Uint8Array): Uint8Array;
  /**
   * The content of a raw LZ4 block that holds exactly `contentLength` bytes: a view, valid until the next call. The caller bounds
   * `contentLength`, which is allocated before anything is decoded. Throws "damaged"; works on afterwards.
   */
  decompressBlock(block: Uint8Array, contentLength: number): Uint8Array;
}

interface Lz4Exports {
  readonly memory: WebAssembly.Memory;
  compress(result: number, input: number, length: number): void;
  decompress(result: number, input: number, length: number): void;
  __wbindgen_malloc(length: number): number;
  __wbindgen_free(pointer: number, length: number): void;
  __wbindgen_add_to_stack_pointer(delta: number): number;
}

/** Bytes of the stack slot for a result. */
const RESULT_BYTES = 16;
/** Bytes of the content length before each block. */
const LENGTH_BYTES = 4;

/**
 * An empty custom section, which means nothing. All threads of a program share the code of equal modules, and with it
 * how patiently V8 waits before it optimises a function, which is fixed when the first of them compiles the module: see
 * the command line, which starts patiently. With this a lane's module is another one. (A cold save of 78,000 files spent
 * 0.2 of 2.3 CPU seconds per lane in code that was not optimised, mostly in clearing hash tables. 2026-11-20, Node 20.20.)
 */
const BUSY_SECTION = Uint8Array.of(0, 5, 4, ...Buffer.from("busy"));

/** `busy`: for a thread that is here to compress and to decompress a lot. */
export async function loadLz4Blocks(busy: boolean): Promise<Lz4Blocks> {
  const bytes = busy ? Buffer.concat([wasmBytes, BUSY_SECTION]) : wasmBytes;
  const blocks = new WasmBlocks(await WebAssembly.compile(bytes));
  return {
    compressBlock: (input) => blocks.compress(input),
    decompressBlock: (block, contentLength) => blocks.decompress(block, contentLength),
  };
}

class WasmBlocks {
  private wasm: Lz4Exports;
  private bytes: Uint8Array;
  private view: DataView;
  /** The last result, not yet freed; length 0 = none. */
  private lentPointer = 0;
  private lentLength = 0;

  constructor(private readonly module: WebAssembly.Module) {
    this.wasm = instantiate(module);
    this.bytes = new Uint8Array(this.wasm.memory.buffer);
    this.view = new DataView(this.wasm.memory.buffer);
  }

  compress(input: Uint8Array): Uint8Array {
    this.takeBack();
    const pointer = this.wasm.__wbindgen_malloc(input.length);
    this.renewViews();
    this.bytes.set(input, pointer);
    const slot = this.wasm.__wbindgen_add_to_stack_pointer(-RESULT_BYTES);
    this.wasm.compress(slot, pointer, input.length);
    const result = this.lend(slot);
    this.wasm.__wbindgen_add_to_stack_pointer(RESULT_BYTES);
    return result.subarray(LENGTH_BYTES);
  }

  decompress(block: Uint8Array, contentLength: number): Uint8Array {
    this.takeBack();
    const length = LENGTH_BYTES + block.length;
    const pointer = this.wasm.__wbindgen_malloc(length);
    this.renewViews();
    this.view.setUint32(pointer, contentLength, true);
    this.bytes.set(block, pointer + LENGTH_BYTES);
    try {
      const slot = this.wasm.__wbindgen_add_to_stack_pointer(-RESULT_BYTES);
      this.wasm.decompress(slot, pointer, length);
      this.renewViews();
      const failed = this.view.getUint32(slot + 12, true) !== 0;
      const result = failed ? undefined : this.lend(slot);
      this.wasm.__wbindgen_add_to_stack_pointer(RESULT_BYTES);
      if (result?.length === contentLength) return result;
    } catch (error) {
      // A trap leaves the instance's stack and heap as they were in mid-flight: start over with a fresh one.
      this.restart();
      throw damaged("A compressed block", "it cannot be decoded", { cause: error });
    }
    throw damaged("A compressed block", "it cannot be decoded");
  }

  /** The result in `slot`; it stays allocated until `takeBack`. */
  private lend(slot: number): Uint8Array {
    this.renewViews();
    this.lentPointer = this.view.getUint32(slot, true);
    this.lentLength = this.view.getUint32(slot + 4, true);
    return this.bytes.subarray(this.lentPointer, this.lentPointer + this.lentLength);
  }

  private takeBack(): void {
    if (this.lentLength === 0) return;
    this.wasm.__wbindgen_free(this.lentPointer, this.lentLength);
    this.lentLength = 0;
  }

  /** Growing memory detaches every view on it. */
  private renewViews(): void {
    if (this.bytes.buffer === this.wasm.memory.buffer) return;
    this.bytes = new Uint8Array(this.wasm.memory.buffer);
    this.view = new DataView(this.wasm.memory.buffer);
  }

  private restart(): void {
    this.lentLength = 0;
    this.wasm = instantiate(this.module);
    this.renewViews();
  }
}

function instantiate(module: WebAssembly.Module): Lz4Exports {
  const instance = new WebAssembly.Instance(module, {
    // Makes the JavaScript string of an error message, which we replace by our own: the handle is never looked at.
    "./lz4_wasm_bg.js": { __wbindgen_string_new: () => 0 },
  });
  return instance.exports as unknown as Lz4Exports;
}
