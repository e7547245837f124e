import { isObject } from './keras-json.ts';

/** Which layers a call in a Keras configuration reads. A layer that is called again has a number behind its name. */

/** A layer by one of its calls. */
export function callName(layer: string, call: number): string {
  return call === 0 ? layer : `${layer}:${call}`;
}

/** Calls that a call reads: `["conv2d",0,0,{}]` lists of Keras 2, `keras_history` of Keras 3. */
export function historyOf(node: unknown): readonly string[] {
  const found: string[] = [];
  const visit = (value: unknown, depth: number): void => {
    if (depth > 16) return;
    if (Array.isArray(value)) {
      if (isCall(value)) {
        found.push(callName(value[0], value[1]));
        // Operators of Keras 2 have their second operand here.
        if (isObject(value[3])) for (const item of Object.values(value[3])) visit(item, depth + 1);
      } else value.forEach((item) => visit(item, depth + 1));
    } else if (isObject(value)) {
      if ('keras_history' in value) visit(value['keras_history'], depth + 1);
      else for (const key of ['args', 'config']) if (key in value) visit(value[key], depth + 1);
    }
  };
  visit(node, 0);
  return found;
}

/** `["dense",0,0]`, or a list of such. */
export function endpoints(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  const list: readonly unknown[] = isCall(value) ? [value] : value;
  return list.flatMap((item) => (Array.isArray(item) && isCall(item) ? [callName(item[0], item[1])] : []));
}

function isCall(value: readonly unknown[]): value is readonly [string, number, ...unknown[]] {
  return typeof value[0] === 'string' && typeof value[1] === 'number';
}
