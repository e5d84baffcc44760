/**
 * Threads of an engine by the setting `engine.threads`, of a machine with so many cores: 0 stands for all of them, and from
 * four on for one fewer, which stays free for the editor.
 */
export function engineThreads(setting: number, cores: number): number {
  if (setting > 0) return setting;
  return cores >= 4 ? cores - 1 : cores;
}
