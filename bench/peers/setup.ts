import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { findProgram } from '../../scripts/programs.js';

const requirements = path.join(__dirname, 'requirements.txt');
const cache = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'interpretability-workbench');
const folder = path.join(cache, 'peers');
const stamp = path.join(folder, 'installed');
const leastMinor = 11;

/** PyTorch's builds without a GPU's libraries; PyPI's for Linux are many times larger. */
const cpuBuilds = 'https://download.pytorch.org/whl/cpu';

const elsewhere =
  'Where PyPI cannot be reached, set PIP_INDEX_URL to a mirror or PIP_FIND_LINKS to a folder of wheels, or name a Python ' +
  `that has everything in ${path.relative(process.cwd(), requirements)}: IW_PEERS_PYTHON=/path/to/python npm run bench:peers`;

/** Something that whoever runs the benchmark has to see to. */
export class SetupProblem extends Error {}

/** Runs a program, its output on standard error; whether it succeeded. */
function run(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: ['ignore', 2, 2] }).status === 0;
}

/**
 * The Python that has the libraries: `$IW_PEERS_PYTHON`, else one in a virtual environment in the user's cache folder, which is
 * made where it is missing or the requirements have changed.
 * @throws SetupProblem
 */
export function peersPython(): string {
  const named = process.env.IW_PEERS_PYTHON;
  if (named !== undefined) {
    if (!imports(named)) throw new SetupProblem(`${named} lacks a library (see above). ${elsewhere}`);
    return named;
  }
  const python = path.join(folder, ...(process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']));
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return python;
  process.stderr.write(`Installing the Python libraries into ${folder}; about 2 GB and some minutes …\n`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  if (!run(basePython(), '-m', 'venv', folder)) {
    throw new SetupProblem(
      'Python could not make a virtual environment. On Debian and Ubuntu: apt install python3-venv.',
    );
  }
  const pip = (...args: string[]) => run(python, '-m', 'pip', '--disable-pip-version-check', ...args);
  const torch = /^torch==.*$/m.exec(readFileSync(requirements, 'utf8'))![0];
  const patience = ['--retries', '1', '--timeout', '20'];
  if (!pip('install', '--quiet', '--no-deps', ...patience, '--index-url', cpuBuilds, torch)) {
    process.stderr.write(`${cpuBuilds} cannot be reached: PyTorch comes from PyPI, which may be larger.\n`);
  }
  if (!pip('install', '--quiet', '--requirement', requirements)) {
    throw new SetupProblem(`pip failed (see above). ${elsewhere}`);
  }
  // One library asks for torchvision, which nothing here uses; a build of it for another torch breaks the import of transformers.
  if (!pip('uninstall', '--quiet', '--yes', 'torchvision') || !imports(python)) {
    throw new SetupProblem(`The libraries were installed but cannot be imported (see above). ${elsewhere}`);
  }
  writeFileSync(stamp, wanted);
  return python;
}

/** Whether all of the libraries can be imported. */
function imports(python: string): boolean {
  return run(python, '-c', 'import torch, sae_lens, dictionary_learning, sparsify, schedulefree');
}

/** A Python that is new enough. @throws SetupProblem */
function basePython(): string {
  const candidates = ['python3.13', 'python3.12', 'python3.11', 'python3', 'python', 'python.exe'];
  const check = `import sys; sys.exit(sys.version_info < (3, ${leastMinor}))`;
  for (const name of candidates) {
    const program = findProgram(name);
    if (program !== undefined && spawnSync(program, ['-c', check], { stdio: 'ignore' }).status === 0) return program;
  }
  throw new SetupProblem(`Python 3.${leastMinor} or newer is needed, and none is on the PATH. ${elsewhere}`);
}
