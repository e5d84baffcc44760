// Builds every program into dist/: each one is an entry of its own, and finds its neighbours by __dirname.
import { build } from 'esbuild';
import asc from 'assemblyscript/asc';
import { mkdirSync, writeFileSync } from 'node:fs';
import { writeConfigSchema } from './scripts/config-schema.mjs';
import { thirdPartyNotices } from './scripts/notices.mjs';

mkdirSync('dist', { recursive: true });

const kernels = (source, outFile, ...more) =>
  asc.main([
    `src/engine/kernels/assembly/${source}`,
    '--outFile',
    outFile,
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
    ...more,
  ]);
for (const { error, stderr } of [
  await kernels('index.ts', 'dist/kernels.wasm'),
  await kernels(
    'shared.ts',
    'dist/kernels-shared.wasm',
    '--enable',
    'threads',
    '--sharedMemory',
    '--maximumMemory',
    '65536',
  ),
]) {
  if (!error) continue;
  process.stderr.write(stderr.toString());
  process.exit(1);
}

const common = {
  outdir: 'dist',
  bundle: true,
  sourcemap: true,
  metafile: true,
  minifySyntax: true,
  logLevel: 'warning',
};
/** Names are kept, for the stack traces in the logs. */
const node = {
  ...common,
  minifyWhitespace: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  supported: { 'dynamic-import': false },
  external: ['onnxruntime-node', 'vscode'],
  loader: { '.proto': 'text' },
};

/** The extension loads the workbench when it is first needed: from the program beside it, not from its own bundle. */
const workbenchBeside = {
  name: 'workbench-beside',
  setup({ onResolve }) {
    onResolve({ filter: /\/workbench\/index\.js$/ }, () => ({ path: './workbench.js', external: true }));
  },
};

const builds = await Promise.all([
  build({
    ...node,
    entryPoints: {
      cli: 'src/cli/main.ts',
      engine: 'src/engine/main.ts',
      'kernel-worker': 'src/engine/kernels/kernel-worker.ts',
      workbench: 'src/workbench/index.ts',
    },
  }),
  // Every window evaluates this one: it is made as small as can be.
  build({ ...node, minify: true, entryPoints: { extension: 'src/extension/main.ts' }, plugins: [workbenchBeside] }),
  build({
    ...common,
    minify: true,
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    loader: { '.css': 'text' },
    entryPoints: { webview: 'src/webview/main.ts' },
  }),
  build({ ...common, minify: true, entryPoints: { webview: 'src/webview/page.css' } }),
]);

const bundled = builds.flatMap(({ metafile }) => Object.keys(metafile.inputs));
const asFiles = ['onnxruntime-node', 'onnxruntime-common'].map((name) => `node_modules/${name}/package.json`);
writeFileSync('dist/ThirdPartyNotices.txt', thirdPartyNotices('.', [...bundled, ...asFiles]));
await writeConfigSchema('dist/sae.schema.json');
