import type { ErrorReply } from '../../shared/api.js';
import { toProblem, type Problem, type ProblemCode } from '../../shared/errors.js';
import type { Log } from '../../shared/logs.js';

/** The HTTP status by which each problem is answered. */
const statuses = {
  config_invalid: 422,
  model_not_found: 422,
  model_unreadable: 422,
  hook_not_found: 422,
  tokenizer_missing: 422,
  tokenizer_mismatch: 422,
  text_unreadable: 422,
  text_empty: 422,
  activations_unreadable: 422,
  output_unusable: 422,
  path_not_allowed: 422,
  bad_request: 400,
  not_json: 400,
  message_unknown: 400,
  unauthorized: 401,
  forbidden_host: 403,
  forbidden_origin: 403,
  not_trusted: 403,
  not_found: 404,
  job_not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  wrong_state: 409,
  run_in_use: 409,
  run_unreadable: 409,
  resume_mismatch: 409,
  too_large: 413,
  upgrade_required: 426,
  too_many_clients: 429,
  queue_full: 503,
  disk_full: 507,
  port_unavailable: 500,
  diverged: 500,
  engine_crashed: 500,
  out_of_memory: 500,
  internal: 500,
} as const satisfies Record<ProblemCode, number>;

export type ProblemStatus = (typeof statuses)[ProblemCode];

/** A problem repeats what it was given, which may be long. */
const mostCharacters = 1000;

export const statusOf = (code: ProblemCode): ProblemStatus => statuses[code];

/** The reply that tells of a problem. */
export function problemReply({ code, message, hint, field }: Problem): { status: ProblemStatus; body: ErrorReply } {
  const error = { code, message: shortened(message), hint: shortened(hint) };
  return {
    status: statuses[code],
    body: { error: field === undefined ? error : { ...error, field: shortened(field) } },
  };
}

/** Whatever was thrown as a problem for a client. What nobody expected is logged with its stack, and is no client's business. */
export function problemOf(error: unknown, log: Log): Problem {
  const problem = toProblem(error);
  if (problem.code !== 'internal') return problem;
  log('api', 'ERROR', problem.message, error instanceof Error ? error.stack : undefined);
  const hint = 'This is a fault of the workbench: please report it with logs/api.log, which says more.';
  return { ...problem, message: 'Something unexpected happened.', hint };
}

const shortened = (text: string) => (text.length <= mostCharacters ? text : `${text.slice(0, mostCharacters)}…`);
