// Node's types leave WebAssembly to the "dom" library, which the core must not see. What we use of it:
declare namespace WebAssembly {
  interface Module {
    readonly compiled?: never;
  }
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  function compile(bytes: Uint8Array): Promise<Module>;
  const Instance: new (
    module: Module,
    imports: Readonly<Record<string, Readonly<Record<string, (...args: number[]) => number>>>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}
