import { opKinds, type Backend, type OpKind, type Program } from '@skiplane/core';
import { createReferenceBackend } from '@skiplane/core/reference';
import { describe, expect, test } from 'vitest';
import { CaseBuilder } from '../src/doctor/case-builder.ts';
import { opCases } from '../src/doctor/op-cases.ts';
import { checkEveryOp } from '../src/doctor/self-check.ts';

/** The oracle with one wrong kernel: it scales what an op computes, or fails. */
function faulty(kind: OpKind, fault: 'scale' | 'throw'): Backend {
  const reference = createReferenceBackend();
  return {
    name: 'faulty',
    info: reference.info,
    tensor: (spec, data) => reference.tensor(spec, data),
    async compile(graph, bindings, options): Promise<Program> {
      const program = await reference.compile(graph, bindings, options);
      if (graph.name !== kind) return program;
      if (fault === 'throw') throw new Error('no kernel');
      const run = async (): Promise<void> => {
        await program.run();
        const output = bindings.get('output0');
        const values = (await output?.read()) as Float32Array;
        output?.write(values.map((value) => value * 1.001));
      };
      return {
        report: program.report,
        run,
        profile: () => program.profile(),
        dispose: () => program.dispose(),
        [Symbol.dispose]: () => program.dispose(),
      };
    },
    dispose: () => reference.dispose(),
    [Symbol.dispose]: () => reference.dispose(),
  };
}

describe('the self-check', () => {
  test.each(opKinds)('has a case of %s that uses it', (kind) => {
    const builder = new CaseBuilder(kind);
    opCases[kind](builder);
    expect(builder.graph().ops.map((op) => op.kind)).toContain(kind);
    const again = new CaseBuilder(kind);
    opCases[kind](again);
    expect(again.inputs).toEqual(builder.inputs);
  });

  test('finds nothing wrong with the oracle', async () => {
    const results = await checkEveryOp(createReferenceBackend());
    expect(results.filter(({ ok }) => !ok)).toEqual([]);
    expect(results).toHaveLength(opKinds.length);
  });

  test('names the op whose kernel is wrong, or missing', async () => {
    const wrong = (await checkEveryOp(faulty('conv2d', 'scale'))).filter(({ ok }) => !ok);
    expect(wrong.map(({ op }) => op)).toEqual(['conv2d']);
    expect(wrong[0]?.problem).toMatch(/^output0\[\d+,\d+,\d+,\d+\]: error\/bound [1-9]/);
    const missing = (await checkEveryOp(faulty('softmax', 'throw'))).filter(({ ok }) => !ok);
    expect(missing).toMatchObject([{ op: 'softmax', ratio: null, problem: 'no kernel' }]);
  });
});
