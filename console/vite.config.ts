import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { helpIndex } from './help_index.ts';

// In development the API is a running Claviger: CLAVIGER=http://127.0.0.1:8080 npm run dev
const claviger = process.env.CLAVIGER ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react(), helpIndex()],
  // The server puts a fresh nonce in place of this for every page it hands out.
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: false,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 750,
    // Every file costs a request and a turn of the browser: what all pages load is one, what many share another.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'console', tags: ['$initial'], priority: 2 },
            { name: 'shared', minShareCount: 6, priority: 1 },
          ],
        },
      },
    },
  },
  server: {
    host: '127.0.0.1',
    // The help is made from docs/, beside this folder.
    fs: { allow: ['.', '../docs'] },
    // The host stays what the browser said: the server compares it with the page's origin.
    proxy: Object.fromEntries(
      ['/v1', '/openapi.json', '/healthz'].map((path) => [path, { target: claviger, changeOrigin: false }]),
    ),
  },
  test: { include: ['src/**/*.test.ts', 'src/**/*.test.tsx'] },
});
