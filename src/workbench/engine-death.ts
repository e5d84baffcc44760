import { readFileSync } from 'node:fs';
import { failure, type WorkbenchError } from '../shared/errors.js';

/** How an engine ended that had not said how its task ended. */
export interface Death {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Its last lines on standard error, oldest first. */
  lastWords: readonly string[];
  /** Whether the system killed processes for memory meanwhile; null where it cannot be known. */
  memoryKills: boolean | null;
}

const heapMessage = /heap out of memory|Reached heap limit|Zone Allocation failed/i;
const memoryMessage = /std::bad_alloc|Array buffer allocation failed|Cannot allocate memory|out of memory|ENOMEM/i;
/** STATUS_NO_MEMORY and STATUS_COMMITMENT_LIMIT, as Windows reports them in an exit code. */
const windowsNoMemory = [0xc0000017, 0xc000012d];

/** Its only native module is ONNX Runtime's: damaged, for another system, or not there at all. */
const libraryMessage = /ERR_DLOPEN_FAILED|Cannot find module '[^']*\.node'/;
const libraryHint =
  'Install again for this system: `npm ci` in a checkout, the package of this platform in VS Code. Linux needs glibc 2.28 or ' +
  'newer, Windows the Visual C++ Redistributable; for Intel Macs there is no such library.';

const memoryHint = 'Close other programs, or choose a smaller latent_dim, batch_size or shuffle_buffer_tokens.';

/**
 * What to tell a person about an engine that died: `out_of_memory` where that can be recognised, else `engine_crashed`
 * with its last words.
 */
export function explainDeath({ code, signal, lastWords, memoryKills }: Death): WorkbenchError {
  const words = lastWords.join('\n');
  if (heapMessage.test(words)) {
    const hint = 'Use shorter documents or fewer of them, and please report it: the engine’s heap should not grow.';
    return failure('out_of_memory', 'The engine’s JavaScript heap is full.', hint);
  }
  if (memoryMessage.test(words) || windowsNoMemory.includes((code ?? 0) >>> 0)) {
    return failure('out_of_memory', 'The engine ran out of memory.', memoryHint);
  }
  const killed = signal === 'SIGKILL' || code === 137;
  if (killed && memoryKills !== false) {
    const how = memoryKills === true ? 'because memory ran out' : 'which usually means that memory ran out';
    return failure('out_of_memory', `The engine was killed by the system, ${how}.`, memoryHint);
  }
  const how = signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
  const reason = findReason(lastWords);
  if (libraryMessage.test(words)) {
    const sentence = `The native library of ONNX Runtime cannot be loaded: ${reason ?? how}`;
    return failure('engine_crashed', sentence, libraryHint);
  }
  const said = reason === undefined ? '' : ` Its last words: ${reason}`;
  const hint = 'Resume the run from its checkpoint; if it happens again, please report it with logs/api.log.';
  return failure('engine_crashed', `The engine stopped unexpectedly (${how}).${said}`, hint);
}

/** The line that says most: of what Node and C++ print when they die, the last that names an error. */
function findReason(lastWords: readonly string[]): string | undefined {
  const telling = lastWords.map((line) => line.trim()).filter((line) => !/^(at .*|Node\.js v.*|[{}\[\]]*)$/.test(line));
  return telling.findLast((line) => /error|exception|fatal|abort|assert|fault/i.test(line)) ?? telling.at(-1);
}

/** How many processes Linux has killed for memory since it started; null on other systems. */
export function countMemoryKills(): number | null {
  try {
    const count = /^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1];
    return count === undefined ? null : Number(count);
  } catch {
    return null;
  }
}
