import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// In development the API is a running Claviger: CLAVIGER=http://127.0.0.1:8080 npm run dev
const claviger = process.env.CLAVIGER ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react()],
  // The server puts a fresh nonce in place of this for every page it hands out.
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: false,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
  },
  server: { host: '127.0.0.1', proxy: { '/v1': claviger, '/openapi.json': claviger } },
  test: { include: ['src/**/*.test.ts', 'src/**/*.test.tsx'] },
});
