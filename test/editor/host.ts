import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { editorHost } from '../../scripts/editor-host.js';
import { installedExtensions } from './installed.js';
import { kill, processesOf } from './processes.js';

/** Nothing that asks, greets, fetches or moves by itself. */
const quiet = {
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'workbench.startupEditor': 'none',
  'workbench.editor.useModal': 'off',
  'workbench.enableExperiments': false,
  'workbench.tips.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.reduceMotion': 'on',
  'chat.disableAIFeatures': true,
  'chat.commandCenter.enabled': false,
  'git.enabled': false,
  'npm.autoDetect': 'off',
  'typescript.disableAutomaticTypeAcquisition': true,
  'window.restoreWindows': 'none',
};

export interface HostOptions {
  /** The person's settings, for this machine. */
  settings?: Record<string, unknown>;
  /** Whether folders have to be trusted first, as in a VS Code that nobody has changed. */
  trust?: boolean;
  /** Installed extensions; by default the package of this project. */
  extensions?: string;
}

/** VS Code's server, with user data of its own. */
export class EditorHost {
  readonly url: string;
  readonly userData: string;
  readonly #dir: string;
  readonly #server: ChildProcess;

  private constructor(server: ChildProcess, dir: string, url: string) {
    this.#server = server;
    this.#dir = dir;
    this.url = url;
    this.userData = path.join(dir, 'user-data');
  }

  static async start({ settings = {}, trust = false, extensions }: HostOptions = {}): Promise<EditorHost> {
    const dir = mkdtempSync(path.join(tmpdir(), 'iw-editor-'));
    const userData = path.join(dir, 'user-data');
    for (const [folder, its] of Object.entries({ User: quiet, Machine: settings })) {
      mkdirSync(path.join(userData, folder), { recursive: true });
      writeFileSync(path.join(userData, folder, 'settings.json'), JSON.stringify(its));
    }
    writeFileSync(path.join(dir, 'config.yaml'), 'auth: none\n');
    const options = [
      ['--config', path.join(dir, 'config.yaml'), '--auth', 'none', '--bind-addr', '127.0.0.1:0'],
      ['--user-data-dir', userData, '--extensions-dir', extensions ?? (await installedExtensions())],
      ['--disable-telemetry', '--disable-update-check', '--disable-getting-started-override', '--disable-proxy'],
      ['--ignore-last-opened', ...(trust ? [] : ['--disable-workspace-trust'])],
    ];
    const server = spawn(editorHost.node, [editorHost.codeServer, ...options.flat()], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment(dir),
    });
    const log = createWriteStream(path.join(dir, 'server.log'));
    server.stdout.pipe(log);
    server.stderr.pipe(log);
    const url = await address(server);
    return new EditorHost(server, dir, url);
  }

  /** Ids of its processes whose command line holds `part`, the newest last. */
  processes(part: string): number[] {
    return processesOf(this.#server.pid!, part);
  }

  /** The engines that train or look at a model now. */
  engines(): number[] {
    return this.processes('engine.js');
  }

  /** The address files of the local APIs that its windows serve now. */
  addressFiles(): string[] {
    const folder = path.join(this.#dir, '.interpretability-workbench', 'servers');
    return existsSync(folder) ? readdirSync(folder) : [];
  }

  /** Ends it with all its processes, and removes its user data. */
  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    kill(this.processes(''));
    await closed;
    rmSync(this.#dir, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** Without what a VS Code around the tests tells its terminals. */
function environment(dir: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([key]) => !key.startsWith('VSCODE_') && key !== 'NODE_OPTIONS');
  return {
    ...Object.fromEntries(inherited),
    HOME: dir,
    XDG_DATA_HOME: path.join(dir, 'data'),
    XDG_CONFIG_HOME: path.join(dir, 'config'),
    XDG_CACHE_HOME: path.join(dir, 'cache'),
    EXTENSIONS_GALLERY: '{}',
  };
}

/** Where the server listens, once it says so. */
async function address(server: ChildProcess): Promise<string> {
  const lines = [];
  for await (const line of createInterface(server.stdout!)) {
    lines.push(line);
    const url = /HTTP server listening on (http:\S+?)\/?$/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(`code-server did not start:\n${lines.join('\n')}`);
}
