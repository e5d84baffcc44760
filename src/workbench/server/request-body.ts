import { mostBytes } from '../../shared/api.js';
import { inputError, WorkbenchError } from '../../shared/errors.js';

/** How deep a body may nest lists and objects. */
const mostDeep = 32;

/**
 * The JSON value in a request's body.
 * @throws WorkbenchError `too_large`, `not_json`; `bad_request` if the body breaks off.
 */
export async function readJson(request: Request): Promise<unknown> {
  const bytes = await readBytes(request);
  const hint = 'Send the body as JSON in UTF-8.';
  try {
    const value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
    if (isDeep(value)) throw inputError('not_json', `The body nests more than ${mostDeep} levels deep.`, hint);
    return value;
  } catch (error) {
    if (error instanceof WorkbenchError) throw error;
    const why = bytes.length === 0 ? 'is empty' : error instanceof TypeError ? 'is not UTF-8' : 'is not JSON';
    throw inputError('not_json', `The body ${why}.`, hint);
  }
}

/** What is too large is kept no longer and refused at once, whatever length it claimed. */
async function readBytes({ body }: Request): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body?.getReader();
  try {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (done) return Buffer.concat(chunks);
      length += value.length;
      if (length > mostBytes) break;
      chunks.push(value);
    }
  } catch {
    throw inputError('bad_request', 'The body broke off.', 'Send it again.');
  }
  if (reader !== undefined) void discard(reader);
  const hint = 'Put a long configuration into files that the request names.';
  throw inputError('too_large', `The body is larger than ${mostBytes / 1024} KiB.`, hint);
}

/** Reads the rest away, while the refusal goes out: the connection is then free for another request, or is ended. */
async function discard(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  try {
    while (!(await reader.read()).done);
  } catch {
    // The client has seen enough.
  }
}

/** What nests deeper than the stack reaches could be neither checked nor told of. */
function isDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > mostDeep) return true;
    level = level.flatMap((item): unknown[] => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return false;
}
