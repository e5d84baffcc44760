import { Hono, type Context } from 'hono';
import { inputError, type Problem } from '../../shared/errors.js';
import { endpoints, type Endpoint } from './endpoints.js';
import type { RoutesOptions } from './handlers.js';
import { openApiDocument } from './openapi.js';
import type { Text } from './page.js';
import { problemOf, problemReply } from './problem-reply.js';
import { readJson } from './request-body.js';

export type { RoutesOptions } from './handlers.js';

/**
 * The endpoints as a Hono app. Whether a request may be answered at all has been decided before; every reply that is not a
 * success has the error form of the contract.
 */
export function apiRoutes(options: RoutesOptions): Hono {
  const app = new Hono();
  const served = [...endpoints, description(options)];
  for (const endpoint of served) {
    app.on(endpoint.method, honoPath(endpoint.path), async (context) => answer(context, endpoint, options));
  }
  for (const path of new Set(served.map((endpoint) => endpoint.path))) {
    app.all(honoPath(path), (context) => refuseMethod(context, served, path));
  }
  app.all('/ws', (context) => {
    const sentence = 'This is a WebSocket.';
    context.header('upgrade', 'websocket');
    return refuse(context, inputError('upgrade_required', sentence, 'Connect to it by a WebSocket client.').problem);
  });
  app.notFound((context) => {
    const sentence = `There is nothing at ${context.req.path}.`;
    return refuse(context, inputError('not_found', sentence, 'GET /openapi.json tells what there is.').problem);
  });
  app.onError((error, context) => refuse(context, problemOf(error, options.log)));
  return app;
}

/** The endpoint that describes them all. */
function description({ version }: RoutesOptions): Endpoint {
  const itself: Endpoint = {
    method: 'GET',
    path: '/openapi.json',
    id: 'describe',
    summary: 'Describes this API.',
    reply: { status: 200, description: 'An OpenAPI 3.1 document.', schema: 'OpenApi' },
    problems: [],
    handle: () => (document ??= openApiDocument([...endpoints, itself], version)),
  };
  let document: object | undefined;
  return itself;
}

const honoPath = (path: string) => path.replace('{job_id}', ':job_id');

async function answer(context: Context, endpoint: Endpoint, options: RoutesOptions): Promise<Response> {
  const body = endpoint.body && (await readJson(context.req.raw));
  const result = await endpoint.handle(options, { jobId: context.req.param('job_id') ?? '', body });
  const { reply } = endpoint;
  context.header('cache-control', 'no-store');
  if ('schema' in reply) return context.body(JSON.stringify(result), reply.status, json);
  const { text, headers } = result as Text;
  return context.body(text, reply.status, { ...headers, 'content-type': reply.contentType });
}

const json = { 'content-type': 'application/json; charset=utf-8' };

function refuse(context: Context, problem: Problem): Response {
  const { status, body } = problemReply(problem);
  context.header('cache-control', 'no-store');
  return context.body(JSON.stringify(body), status, json);
}

function refuseMethod(context: Context, served: readonly Endpoint[], path: string): Response {
  const methods = served.filter((endpoint) => endpoint.path === path).map(({ method }) => method);
  const allowed = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
  context.header('allow', allowed);
  const sentence = `${context.req.method} is not what ${path} answers to.`;
  return refuse(context, inputError('method_not_allowed', sentence, `It answers to ${allowed}.`).problem);
}
