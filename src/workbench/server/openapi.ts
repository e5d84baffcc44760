import { mostBytes } from '../../shared/api.js';
import type { ProblemCode } from '../../shared/errors.js';
import type { Endpoint } from './endpoints.js';
import { statusOf } from './problem-reply.js';
import { jsonSchemas, referenceTo } from './schemas.js';

/** Problems that any request may meet. */
const always: readonly ProblemCode[] = [
  'bad_request',
  'forbidden_host',
  'forbidden_origin',
  'too_many_clients',
  'internal',
];

const inJson = (name: string, more: object = {}) => ({
  'application/json': { schema: { $ref: referenceTo(name) }, ...more },
});

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'The token that the server shows when it starts.' },
  token: { type: 'apiKey', in: 'query', name: 'token', description: 'The same, where headers cannot be sent.' },
};

const about = `Trains sparse autoencoders on the activations of transformers and shows how they get on.

Bodies and messages have at most ${mostBytes / 1024} KiB. Times are seconds. What is unknown is null.`;

/** What OpenAPI has no words for. */
const socket = {
  operationId: 'events',
  summary: 'A WebSocket that tells what all jobs do.',
  description: `Connect to it with a WebSocket client, with the token as for any call or as the subprotocol \`bearer.<token>\`.

Every message is a JSON text. A client first gets the newest \`training_progress\` of every job, then every event (\`ServerMessage\`) as it happens. One that reads slowly loses some \`training_progress\`, never the event that ends a job. What a client sends is a \`ClientMessage\`; what cannot be understood is answered by an \`error\`.`,
};

/** Replies that tell of problems, by their status. */
function problemReplies(codes: readonly ProblemCode[]): Record<string, unknown> {
  const all = [...new Set(codes.map(statusOf))].sort((a, b) => a - b);
  const replies = all.map((status) => {
    const names = codes.filter((code) => statusOf(code) === status).map((code) => `\`${code}\``);
    return [status, { description: `Problem: ${names.join(', ')}.`, content: inJson('ErrorReply') }];
  });
  return Object.fromEntries(replies) as Record<string, unknown>;
}

function operation(endpoint: Endpoint): object {
  const { id, summary, description, open, body, reply, problems, path } = endpoint;
  const content = 'schema' in reply ? inJson(reply.schema) : { [reply.contentType]: { schema: { type: 'string' } } };
  const access: readonly ProblemCode[] = open ? always : [...always, 'unauthorized'];
  return {
    operationId: id,
    summary,
    ...(description === undefined ? {} : { description }),
    ...(path.includes('{job_id}') ? { parameters: [{ $ref: '#/components/parameters/JobId' }] } : {}),
    ...(body ? { requestBody: { required: true, content: inJson(body.schema, { examples: body.examples }) } } : {}),
    ...(open ? { security: [] } : {}),
    responses: {
      [reply.status]: { description: reply.description, content },
      ...problemReplies([...problems, ...access]),
    },
  };
}

/** The OpenAPI 3.1 document of the API, made from what answers and checks its requests. */
export function openApiDocument(endpoints: readonly Endpoint[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const endpoint of endpoints) {
    paths[endpoint.path] = { ...paths[endpoint.path], [endpoint.method.toLowerCase()]: operation(endpoint) };
  }
  const refusals = problemReplies([...always, 'unauthorized', 'upgrade_required']);
  paths['/ws'] = { get: { ...socket, responses: { 101: { description: 'The WebSocket is open.' }, ...refusals } } };
  const JobId = {
    name: 'job_id',
    in: 'path',
    required: true,
    schema: { type: 'string' },
    description: 'The job’s id.',
  };
  return {
    openapi: '3.1.0',
    info: { title: 'Interpretability Workbench', version, description: about },
    servers: [{ url: '/', description: 'Where this document was read.' }],
    security: [{ bearer: [] }, { token: [] }],
    paths,
    components: { schemas: jsonSchemas(), parameters: { JobId }, securitySchemes },
  };
}
