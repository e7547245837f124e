import { rank2 } from '../../ops/infer.ts';
import type { ReferenceKernel } from '../kernel.ts';

export const matMul: ReferenceKernel<'matMul'> = (inputs, outputs, { transposeA, transposeB }) => {
  const a = inputs.get('a');
  const as = a.values;
  const bs = inputs.values('b');
  const ys = outputs.values('y');
  const [rows, columns] = rank2(outputs.get('y'), 'y', 'rows,columns');
  const aShape = rank2(a, 'a', 'rows,inner');
  const inner = transposeA ? aShape[0] : aShape[1];
  const [aRow, aInner] = transposeA ? [1, rows] : [inner, 1];
  const [bInner, bColumn] = transposeB ? [1, inner] : [columns, 1];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) {
        sum += (as[i * aRow + k * aInner] as number) * (bs[k * bInner + j * bColumn] as number);
      }
      ys[i * columns + j] = sum;
    }
  }
};
