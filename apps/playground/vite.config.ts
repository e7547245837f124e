import { defineConfig } from 'vite';

/** The headers of a cross-origin isolated page, without which there are no threads. */
const isolated = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

export default defineConfig({
  // It may be served from any folder of a site.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  // The engine's kernels and the worker's program are strings within the page's own script.
  build: { target: 'es2022', chunkSizeWarningLimit: 2000 },
  server: { headers: isolated },
  preview: { headers: isolated },
});
