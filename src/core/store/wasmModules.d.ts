// The single-algorithm build (20 KB instead of 216 KB); hash-wasm ships types for its complete build only.
declare module "hash-wasm/dist/xxhash128.umd.min.js" {
  import type { createXXHash128 } from "hash-wasm";

  const build: { readonly createXXHash128: typeof createXXHash128 };
  export default build;
}

// Imported as bytes, not as the linked module that the package's own types describe.
declare module "lz4-wasm/lz4_wasm_bg.wasm" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
