import tseslint from 'typescript-eslint';

/** The direction of imports: a folder may import from itself and from the folders named here, and from nowhere else in src. */
const mayImport = {
  shared: [],
  run: ['shared'],
  engine: ['shared', 'run'],
  workbench: ['shared', 'run'],
  cli: ['shared', 'workbench'],
  extension: ['shared', 'workbench'],
  webview: ['shared'],
};

const direction = Object.entries(mayImport).map(([folder, allowed]) => {
  const forbidden = Object.keys(mayImport).filter((other) => other !== folder && !allowed.includes(other));
  const patterns = [
    { group: forbidden.map((other) => `**/${other}/**`), message: `src/${folder} may not import this folder.` },
  ];
  if (folder !== 'extension') patterns.push({ group: ['vscode'], message: 'Only src/extension knows VS Code.' });
  if (folder === 'shared' || folder === 'webview')
    patterns.push({ group: ['node:*'], message: 'This runs in a browser too.' });
  return { files: [`src/${folder}/**/*.ts`], rules: { 'no-restricted-imports': ['error', { patterns }] } };
});

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'src/engine/kernels/assembly/', 'test/fixtures/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  { files: ['test/**/*.ts', 'bench/**/*.ts'], rules: { '@typescript-eslint/no-floating-promises': 'off' } },
  ...direction,
);
