import * as v from 'valibot';

/** What a run's time is spent on. Each moment counts for one of them: the innermost. */
export const activities = [
  'model_load',
  'tokenizing',
  'forward',
  'encoder',
  'kernels',
  'optimizer',
  'disk',
  'idle',
  'other',
] as const;
export type Activity = (typeof activities)[number];

/** In the words of front ends. */
export const activityNames: Record<Activity, string> = {
  model_load: 'Loading the model',
  tokenizing: 'Tokenizing',
  forward: 'Language model',
  encoder: 'SAE encoder',
  kernels: 'Sparse kernels',
  optimizer: 'Optimizer',
  disk: 'Disk',
  idle: 'Paused',
  other: 'Other',
};

const seconds = v.pipe(v.number(), v.finite(), v.minValue(0));

/** `profile.json`: seconds of the engine's main thread over all attempts at a run. */
export const profileSchema = v.object({
  seconds: v.object(v.entriesFromList(activities, v.optional(seconds, 0))),
  /** Part of the winners that int8 candidates held when they were last compared with the exact product; null: not used. */
  preselection_recall: v.optional(v.nullable(v.number()), null),
});
export type Profile = v.InferOutput<typeof profileSchema>;

/** The activities that took any time, the longest first, with their part of all of it. */
export function shares({ seconds: spent }: Profile): { activity: Activity; seconds: number; part: number }[] {
  const total = activities.reduce((sum, activity) => sum + spent[activity], 0);
  return activities
    .map((activity) => ({ activity, seconds: spent[activity], part: total > 0 ? spent[activity] / total : 0 }))
    .filter((share) => share.seconds > 0)
    .sort((a, b) => b.seconds - a.seconds);
}
