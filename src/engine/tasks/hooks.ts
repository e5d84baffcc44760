import { inputError } from '../../shared/errors.js';
import type { HookDescription, HooksResult, HooksTask } from '../../shared/messages.js';
import type { TaskContext } from '../context.js';
import { locateModel } from '../model/files.js';
import { readGraph } from '../model/graph.js';
import { findHooks } from '../model/hooks.js';
import { TappedModel } from '../model/session.js';

/**
 * Lists the hook points of a model with their widths.
 * @throws WorkbenchError `model_not_found`, `model_unreadable`, or `hook_not_found` where no residual stream is recognised.
 */
export async function runHooks(task: HooksTask, { log, control, threads }: TaskContext): Promise<HooksResult> {
  const files = locateModel(task.model);
  log('model', 'INFO', `Reading the hook points of ${files.onnx}`);
  const graph = readGraph(files.onnx);
  const hooks: HookDescription[] = [];
  for (const hook of findHooks(graph)) {
    let { width } = hook;
    if (width === null) {
      const model = await TappedModel.open(files, hook, { threads, graph });
      width = model.width;
      await model.dispose();
      await control.breathe();
    }
    hooks.push({ ...hook, width });
  }
  if (hooks.length === 0) {
    const hint = 'Name a tensor of the graph as hook_name; an ONNX viewer such as netron.app shows their names.';
    throw inputError('hook_not_found', `No residual stream was recognised in ${files.onnx}.`, hint, 'model');
  }
  return { model: files.name, hooks };
}
