import * as v from 'valibot';
import { logComponents, logLevels, type LogComponent, type LogLevel } from './logs.js';

/**
 * The settings of the editor, `interpretabilityWorkbench.*`: package.json's `contributes.configuration` is made from this
 * table, and the extension reads through it.
 */

/** `machine`: never from a workspace. `restricted`: not from a workspace that is not trusted. */
export interface Setting<T> {
  schema: v.GenericSchema<unknown, T>;
  default: T;
  scope: 'machine' | 'machine-overridable' | 'window' | 'resource';
  restricted?: boolean;
  /** Markdown. */
  description: string;
}

function setting<T>(definition: Setting<T>): Setting<T> {
  return definition;
}

const words = v.pipe(v.string(), v.minLength(1));
const whole = (minimum: number, maximum: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(minimum), v.maxValue(maximum));

export const settings = {
  runsFolder: setting<string>({
    schema: words,
    default: '.interpretability/runs',
    scope: 'resource',
    restricted: true,
    description:
      'Where new runs go: a folder, relative to the workspace folder or absolute. In an empty window, and in a workspace that is not trusted, runs go to the extension’s own storage.',
  }),
  'engine.threads': setting<number>({
    schema: whole(0, 1024),
    default: 0,
    scope: 'machine-overridable',
    description:
      'Threads of a run that is started from now on; one that is resumed keeps its own. `0`: all cores, but one fewer from four cores up, so that the editor stays quick. A configuration’s own `threads` comes first.',
  }),
  'engine.memoryLimit': setting<number>({
    schema: v.pipe(v.number(), v.minValue(0)),
    default: 0,
    scope: 'machine-overridable',
    description:
      'A run that needs more memory than this, in GB, is refused before it starts. `0`: the memory of the machine.',
  }),
  'jobs.concurrency': setting<number>({
    schema: whole(1, 64),
    default: 1,
    scope: 'machine-overridable',
    description: 'Runs trained at the same time in this window; the others wait. Takes effect at once.',
  }),
  'panel.openOnTrain': setting<boolean>({
    schema: v.boolean(),
    default: true,
    scope: 'window',
    description:
      'Open the panel when a training is started in the editor; one started through the local API does not open it.',
  }),
  'notifications.onEnd': setting<'whenPanelHidden' | 'always' | 'never'>({
    schema: v.picklist(['whenPanelHidden', 'always', 'never']),
    default: 'whenPanelHidden',
    scope: 'window',
    description: 'When to show a notification at the end of a run.',
  }),
  'notifications.offerResume': setting<boolean>({
    schema: v.boolean(),
    default: true,
    scope: 'window',
    description: 'After a window was closed during training, offer to resume its runs when it is opened again.',
  }),
  'logging.directory': setting<string>({
    schema: v.string(),
    default: '',
    scope: 'machine',
    description:
      'Absolute path of the folder of `api.log` and `errors.log`. Empty: `logs` in the extension’s storage of this workspace (command “Open Log Folder”). Takes effect at once.',
  }),
  'logging.levels': setting<Partial<Record<LogComponent, LogLevel | undefined>>>({
    schema: v.object(v.entriesFromList(logComponents, v.optional(v.picklist(logLevels)))),
    default: {},
    scope: 'window',
    description:
      'The least level per component that is logged, for example `{ "training": "WARNING" }`; `DEBUG` where nothing is given. Takes effect at once. The Output channel has a level of its own.',
  }),
  'server.enabled': setting<boolean>({
    schema: v.boolean(),
    default: false,
    scope: 'machine',
    description:
      'Run the local API (HTTP and WebSocket, on 127.0.0.1 only) in every trusted window. Takes effect at once. The commands Start and Stop Local API do it for one window.',
  }),
  'server.port': setting<number>({
    schema: whole(0, 65_535),
    default: 8000,
    scope: 'machine',
    description:
      'Port of the local API; the next free one where it is in use, as by another window. `0`: any free one. Takes effect at once: the server is started again.',
  }),
  'server.allowedOrigins': setting<readonly string[]>({
    schema: v.array(v.pipe(v.string(), v.regex(/^https?:\/\/[^/]+\/?$/))),
    default: [],
    scope: 'machine',
    description:
      'Origins of web pages that may use the local API, for example `http://localhost:3000`; they need the token too. Takes effect at once: the server is started again.',
  }),
  'server.folders': setting<readonly string[]>({
    schema: v.array(v.pipe(v.string(), v.regex(/^([/\\]|[A-Za-z]:[/\\])/))),
    default: [],
    scope: 'machine',
    description:
      'Absolute paths of folders, besides those of the workspace, that requests to the local API may name models, texts and activations in.',
  }),
  'server.model': setting<string>({
    schema: words,
    default: 'bundled:demo-gpt2',
    scope: 'resource',
    restricted: true,
    description:
      'Model of requests to the local API that name none: a folder, an `.onnx` file or `bundled:demo-gpt2`. A relative path counts from the first workspace folder.',
  }),
  'server.text': setting<readonly string[]>({
    schema: v.pipe(v.array(words), v.minLength(1)),
    default: ['bundled:sample'],
    scope: 'resource',
    restricted: true,
    description:
      'Text of requests to the local API that name none: files, folders or `bundled:sample`. A relative path counts from the first workspace folder.',
  }),
} as const;

export type SettingName = keyof typeof settings;
export type SettingValue<N extends SettingName> = (typeof settings)[N]['default'];
export const settingsSection = 'interpretabilityWorkbench';
