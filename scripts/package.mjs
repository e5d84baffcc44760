// npm run package [-- TARGET… | -- all]: makes dist/interpretability-workbench-TARGET-VERSION.vsix, by default for this platform. A package
// holds what is named here and nothing else.
import { createVSIX } from '@vscode/vsce';
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.dirname(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname));
const targets = ['win32-x64', 'win32-arm64', 'linux-x64', 'linux-arm64', 'darwin-arm64'];

/** Of ONNX Runtime's libraries those a CPU needs: DirectML and the shader compilers beside it are loaded only for a GPU. */
const binaries = {
  win32: ['onnxruntime.dll', 'onnxruntime_binding.node'],
  linux: ['libonnxruntime.so.1', 'onnxruntime_binding.node'],
  darwin: ['libonnxruntime.1.dylib', 'onnxruntime_binding.node'],
};

const content = [
  'LICENSE',
  'NOTICE',
  'README.md',
  'package.nls.json',
  'media',
  'examples',
  'dist/ThirdPartyNotices.txt',
  ...[
    'extension.js',
    'workbench.js',
    'engine.js',
    'kernel-worker.js',
    'kernels.wasm',
    'kernels-shared.wasm',
    'webview.js',
    'webview.css',
    'sae.schema.json',
  ].map((file) => `dist/${file}`),
  'node_modules/onnxruntime-common/dist/cjs',
];

const readJson = (file) => JSON.parse(readFileSync(path.join(root, file), 'utf8'));
const isCode = (file) => !/\.(map|d\.ts)$/.test(file);

/** A package's manifest with the dependencies that a CPU needs: its others serve its install script. */
function trimmed(file, keep) {
  const { devDependencies: _, scripts: __, bin: ___, ...manifest } = readJson(file);
  const dependencies = Object.entries(manifest.dependencies ?? {}).filter(([name]) => keep.includes(name));
  return JSON.stringify({ ...manifest, dependencies: Object.fromEntries(dependencies) }, null, 2);
}

function stage(target, folder) {
  const [platform, arch] = target.split('-');
  const native = `node_modules/onnxruntime-node/bin/napi-v6/${platform}/${arch}`;
  const files = [
    ...content,
    ...['backend.js', 'binding.js', 'index.js', 'version.js'].map(
      (file) => `node_modules/onnxruntime-node/dist/${file}`,
    ),
    ...binaries[platform].map((file) => `${native}/${file}`),
  ];
  rmSync(folder, { recursive: true, force: true });
  for (const file of files) cpSync(path.join(root, file), path.join(folder, file), { recursive: true, filter: isCode });
  const write = (file, text) => {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  };
  // What is staged is the allow-list; an empty file says so to vsce.
  write('.vscodeignore', '');
  write('package.json', trimmed('package.json', ['onnxruntime-node']));
  write(
    'node_modules/onnxruntime-node/package.json',
    trimmed('node_modules/onnxruntime-node/package.json', ['onnxruntime-common']),
  );
  write('node_modules/onnxruntime-common/package.json', trimmed('node_modules/onnxruntime-common/package.json', []));
}

const asked = process.argv.slice(2);
const chosen = asked.includes('all') ? targets : asked.length > 0 ? asked : [`${process.platform}-${process.arch}`];
const unknown = chosen.find((target) => !targets.includes(target));
if (unknown !== undefined) {
  console.error(`There is no package for ${unknown}: ONNX Runtime has libraries for ${targets.join(', ')}.`);
  process.exit(1);
}
const { name, version } = readJson('package.json');
for (const target of chosen) {
  const folder = path.join(root, 'dist', 'package', target);
  const file = path.join('dist', `${name}-${target}-${version}.vsix`);
  stage(target, folder);
  await createVSIX({
    cwd: folder,
    packagePath: path.join(root, file),
    target,
    allowMissingRepository: true,
    rewriteRelativeLinks: false,
  });
  rmSync(folder, { recursive: true });
  console.log(`${file}  ${(statSync(path.join(root, file)).size / 1e6).toFixed(1)} MB`);
}
