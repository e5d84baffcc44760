import { build } from 'esbuild';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { installedExtensions } from '../../test/editor/installed.js';
import type { Replay } from './replay.js';

/** A copy of the installed extension whose engine replays a recording. */
export class StandIn {
  /** The folder of extensions that it is in. */
  readonly extensions: string;
  readonly #dist: string;

  private constructor(extensions: string, dist: string) {
    this.extensions = extensions;
    this.#dist = dist;
  }

  static async make(): Promise<StandIn> {
    const extensions = mkdtempSync(path.join(tmpdir(), 'iw-stand-in-'));
    cpSync(await installedExtensions(), extensions, { recursive: true });
    const [folder] = readdirSync(extensions).filter((name) => name.startsWith('interpretability-workbench'));
    const dist = path.join(extensions, folder!, 'dist');
    await build({
      entryPoints: [path.join(__dirname, 'replay.ts')],
      outfile: path.join(dist, 'engine.js'),
      bundle: true,
      platform: 'node',
    });
    return new StandIn(extensions, dist);
  }

  /** What engines that are started from now on send. */
  replay(replay: Replay): void {
    writeFileSync(path.join(this.#dist, 'replay.json'), JSON.stringify(replay));
  }

  remove(): void {
    rmSync(this.extensions, { recursive: true });
  }
}
