// Builds every program into dist/: each one a CommonJS file that finds its neighbours by __dirname.
import { build } from 'esbuild';
import asc from 'assemblyscript/asc';
import { existsSync, mkdirSync } from 'node:fs';

const programs = { cli: 'src/cli/main.ts', engine: 'src/engine/main.ts' };

mkdirSync('dist', { recursive: true });

const kernels = await asc.main([
  'src/engine/kernels/assembly/index.ts',
  '--outFile',
  'dist/kernels.wasm',
  '--optimizeLevel',
  '3',
  '--shrinkLevel',
  '0',
  '--converge',
  '--noAssert',
  '--runtime',
  'stub',
  '--importMemory',
  '--enable',
  'simd',
]);
if (kernels.error) {
  process.stderr.write(kernels.stderr.toString());
  process.exit(1);
}

await build({
  entryPoints: Object.fromEntries(Object.entries(programs).filter(([, file]) => existsSync(file))),
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  sourcemap: true,
  minifySyntax: true,
  external: ['onnxruntime-node'],
  loader: { '.proto': 'text' },
  logLevel: 'warning',
});
