import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { editorHost } from '../../scripts/editor-host.js';

const root = path.resolve(__dirname, '..', '..');

interface Manifest {
  publisher: string;
  name: string;
  version: string;
}
const { publisher, name, version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest;

export const extensionId = `${publisher}.${name}`;

/**
 * A folder of extensions with the package that `npm run package` made, installed as a person would; one folder for each
 * package, shared by all servers that are started.
 */
export async function installedExtensions(): Promise<string> {
  const vsix = path.join(root, 'dist', `${name}-linux-x64-${version}.vsix`);
  const hash = createHash('sha256').update(readFileSync(vsix)).digest('hex').slice(0, 16);
  const folder = path.join(tmpdir(), `iw-extensions-${hash}`);
  if (existsSync(folder)) return folder;
  const made = mkdtempSync(`${folder}.`);
  const userData = mkdtempSync(path.join(tmpdir(), 'iw-install-'));
  try {
    const place = ['--extensions-dir', made, '--user-data-dir', userData];
    await promisify(execFile)(editorHost.node, [editorHost.codeServer, ...place, '--install-extension', vsix], {
      env: { ...process.env, XDG_CONFIG_HOME: userData, EXTENSIONS_GALLERY: '{}' },
    });
    renameSync(made, folder);
  } catch (error) {
    // The file beside this one was first.
    if (!existsSync(folder)) throw error;
  } finally {
    for (const each of [made, userData]) rmSync(each, { recursive: true, force: true });
  }
  return folder;
}
