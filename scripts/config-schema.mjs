// The JSON Schema of *.sae.json, for VS Code: run from its source, which is TypeScript.
import { build } from 'esbuild';
import { writeFileSync } from 'node:fs';

/** Writes the schema to a file. */
export async function writeConfigSchema(file) {
  const entryPoints = ['src/shared/config-json-schema.ts'];
  const { outputFiles } = await build({ entryPoints, bundle: true, write: false, platform: 'node', format: 'esm' });
  const program = Buffer.from(outputFiles[0].contents).toString('base64');
  const { configJsonSchema } = await import(`data:text/javascript;base64,${program}`);
  writeFileSync(file, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
}
