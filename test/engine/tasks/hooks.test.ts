import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import type { WorkbenchError } from '../../../src/shared/errors.js';
import { Control } from '../../../src/engine/control.js';
import { encodeModel } from '../../../src/engine/model/onnx.js';
import { runHooks } from '../../../src/engine/tasks/hooks.js';
import { build } from '../model/architectures.js';
import { temporaryFolder } from '../model/temporary.js';

const folder = temporaryFolder();
const context = { log: () => undefined, control: new Control(), report: () => undefined, threads: 1 };

test('the hook points of the bundled model are listed with their widths', async () => {
  const { model, hooks } = await runHooks({ kind: 'hooks', model: 'bundled:demo-gpt2' }, context);
  assert.equal(model, 'demo-gpt2');
  assert.equal(hooks.length, 1 + 4 * 6);
  const width = (name: string) => hooks.find((hook) => hook.name === name)?.width;
  assert.deepEqual(
    [width('hook_embed'), width('blocks.3.mlp.hook_post'), width('blocks.2.hook_resid_post')],
    [256, 1024, 256],
  );
});

test('widths that the graph does not say are found by running it', async () => {
  const { model, hooks: expected } = build('neox');
  // A weight computed at run time: no shape inference of ours follows it.
  const weight = model.graph!.initializer![0]!.name!;
  const doubled = { opType: 'Add', input: [weight, weight], output: ['doubled'] };
  const node = model.graph!.node!.map((each) => ({
    ...each,
    input: each.input!.map((name) => (name === weight ? 'doubled' : name)),
  }));
  const file = path.join(folder, 'model.onnx');
  writeFileSync(file, encodeModel({ ...model, graph: { ...model.graph, node: [doubled, ...node] } }));
  const { hooks } = await runHooks({ kind: 'hooks', model: file }, context);
  assert.equal(hooks.length, Object.keys(expected).length);
  assert.ok(hooks.every(({ width }) => width === 8 || width === 32));
});

test('a model without a residual stream is refused with what to do instead', async () => {
  const { model } = build('llama');
  const node = model.graph!.node!.map((each) => (each.opType === 'Add' ? { ...each, opType: 'Sub' } : each));
  const file = path.join(folder, 'other.onnx');
  writeFileSync(file, encodeModel({ ...model, graph: { ...model.graph, node } }));
  await assert.rejects(runHooks({ kind: 'hooks', model: file }, context), (error: WorkbenchError) => {
    assert.equal(error.problem.code, 'hook_not_found');
    assert.match(error.problem.hint, /hook_name/);
    return true;
  });
});
