import { toJsonSchemaDefs } from '@valibot/to-json-schema';
import * as api from '../../shared/api.js';
import * as events from '../../shared/events.js';

/** What the OpenAPI document calls the schemas of the API. */
const schemas = {
  TrainRequest: api.trainRequestSchema,
  TrainReply: api.trainReplySchema,
  Health: api.healthSchema,
  Job: api.jobViewSchema,
  JobList: api.jobListSchema,
  CancelReply: api.cancelReplySchema,
  Metrics: events.metricsSchema,
  Error: api.errorSchema,
  ErrorReply: api.errorReplySchema,
  TrainingProgress: events.trainingProgressSchema,
  TrainingCompleted: events.trainingCompletedSchema,
  TrainingFailed: events.trainingFailedSchema,
  TrainingCancelled: events.trainingCancelledSchema,
  Pong: api.pongSchema,
  SocketError: api.socketErrorSchema,
  ServerMessage: api.serverMessageSchema,
  ClientMessage: api.clientMessageSchema,
};
export type SchemaName = keyof typeof schemas | 'OpenApi';

export const referenceTo = (name: string) => `#/components/schemas/${name}`;

/** The schemas as JSON Schema, which name each other where one holds another. */
export function jsonSchemas(): Record<string, unknown> {
  const described = toJsonSchemaDefs(schemas, {
    target: 'draft-2020-12',
    // In JSON every number is finite.
    ignoreActions: ['finite'],
    overrideRef: ({ referenceId }) => referenceTo(referenceId),
  });
  return { ...described, OpenApi: { type: 'object', description: 'An OpenAPI document: this one.' } };
}
