/** What a problem is called on the wire; the sentence and the hint beside it are for people. */
export type ProblemCode =
  | 'config_invalid'
  | 'model_not_found'
  | 'model_unreadable'
  | 'hook_not_found'
  | 'tokenizer_missing'
  | 'tokenizer_mismatch'
  | 'text_unreadable'
  | 'text_empty'
  | 'activations_unreadable'
  | 'run_unreadable'
  | 'too_large'
  | 'disk_full'
  | 'output_unusable'
  | 'run_in_use'
  | 'queue_full'
  | 'job_not_found'
  | 'wrong_state'
  | 'resume_mismatch'
  | 'not_trusted'
  | 'bad_request'
  | 'not_json'
  | 'message_unknown'
  | 'unauthorized'
  | 'forbidden_host'
  | 'forbidden_origin'
  | 'not_found'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'path_not_allowed'
  | 'too_many_clients'
  | 'upgrade_required'
  | 'port_unavailable'
  | 'diverged'
  | 'engine_crashed'
  | 'out_of_memory'
  | 'internal';

/** A problem as data: it crosses process boundaries, is stored in `job.json` and is printed by every front end. */
export interface Problem {
  code: ProblemCode;
  /** One sentence: what is wrong. */
  message: string;
  /** One sentence: what to do about it. */
  hint: string;
  /** The configuration key it is about, where there is one. */
  field?: string;
  /** True when what the person gave cannot be used (exit code 2); false when a usable job failed (exit code 1). */
  input: boolean;
}

/** An error a person can act on. Everything thrown on purpose is one of these. */
export class WorkbenchError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.message, options);
    this.name = 'WorkbenchError';
    this.problem = problem;
  }
}

/** Known by its name: the extension and the workbench that it loads are programs of their own, each with its own class. */
function isWorkbenchError(error: unknown): error is WorkbenchError {
  return error instanceof Error && error.name === 'WorkbenchError' && 'problem' in error;
}

/** The person's input cannot be used. */
export function inputError(code: ProblemCode, message: string, hint: string, field?: string): WorkbenchError {
  return new WorkbenchError({ code, message, hint, input: true, ...(field === undefined ? {} : { field }) });
}

/** A usable job failed. */
export function failure(code: ProblemCode, message: string, hint: string, options?: ErrorOptions): WorkbenchError {
  return new WorkbenchError({ code, message, hint, input: false }, options);
}

const systemProblems: Record<string, [ProblemCode, string, string]> = {
  ENOSPC: ['disk_full', 'The disk is full.', 'Free some space, then resume the run.'],
  EDQUOT: ['disk_full', 'The disk quota is used up.', 'Free some space, then resume the run.'],
  EACCES: ['output_unusable', 'Access was refused.', 'Check the permissions of the file or folder.'],
  EPERM: ['output_unusable', 'The operation is not permitted.', 'Check the permissions of the file or folder.'],
  EFBIG: [
    'disk_full',
    'The file has become larger than allowed.',
    'Raise the limit on file sizes, then resume the run.',
  ],
  ENOTDIR: ['output_unusable', 'A file is where a folder is needed.', 'Choose another folder.'],
  EISDIR: ['output_unusable', 'A folder is where a file is needed.', 'Choose another file name.'],
  EROFS: ['output_unusable', 'The file system is read-only.', 'Choose an output folder that can be written.'],
};

/** Any thrown value as a problem; what nobody expected becomes `internal` with its first line kept. */
export function toProblem(error: unknown): Problem {
  if (isWorkbenchError(error)) return error.problem;
  const { code, path, message } = error as NodeJS.ErrnoException;
  const known = code === undefined ? undefined : systemProblems[code];
  if (known) {
    const [name, sentence, hint] = known;
    return {
      code: name,
      message: path === undefined ? sentence : `${sentence.slice(0, -1)}: ${path}.`,
      hint,
      input: false,
    };
  }
  const text = (error instanceof Error ? message : String(error)).split('\n', 1)[0] ?? '';
  if (/bad_alloc|allocat|out of memory|ENOMEM/i.test(text)) {
    const hint = 'Close other programs, or choose a smaller latent_dim, batch_size or shuffle_buffer_tokens.';
    return { code: 'out_of_memory', message: `There is not enough memory: ${text}`, hint, input: false };
  }
  const hint = 'This is a fault of the workbench: please report it with logs/api.log.';
  return { code: 'internal', message: `Something unexpected happened: ${text}`, hint, input: false };
}
