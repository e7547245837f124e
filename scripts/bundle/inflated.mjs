import { inflateRawSync } from 'node:zlib';

/** Binaries as they are: Node reads 20 kB more sooner than it has loaded zlib and inflated them. */
export function inflated() {
  return {
    name: 'inflated',
    transform(code, id) {
      if (!/kernels-wasm\/src\/generated\/[\w-]+\.ts$/.test(id)) return null;
      return code.replace(/(deflated =\s*)'([^']+)'/, (_, start, base64) => {
        const binary = inflateRawSync(Buffer.from(base64, 'base64'));
        return `${start}'${binary.toString('base64')}'`;
      });
    },
  };
}
