import type { ByteSource } from '../byte-source.ts';
import { ByteReader } from './byte-reader.ts';
import { fileError } from './model-file.ts';

const format = 'PyTorch';

/** A class or function that a pickle names. */
export class PickleGlobal {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** What stands behind names in a pickle: nothing else is ever built or called. */
export interface PickleRules {
  /** The result of calling a global. @throws {FormatError} for those that are not allowed */
  call(name: string, args: readonly unknown[]): unknown;
  /** Whether a global may be mentioned at all. */
  knows(name: string): boolean;
  persistent(id: unknown): unknown;
}

const maxDepthOfStack = 1_000_000;
const maxLineBytes = 100_000;
const maxTextBytes = 2 ** 26;

/**
 * Reads pickles, one behind the other, as data: numbers, texts, lists, tuples (as arrays), and dictionaries (as maps). The
 * only calls are those of the rules; everything else that a pickle may ask for is refused, by its name.
 * @source https://github.com/python/cpython/blob/3.13/Lib/pickletools.py
 */
export class Unpickler {
  readonly #reader: ByteReader;
  readonly #rules: PickleRules;
  #at: number;
  #stack: unknown[] = [];
  #marks: number[] = [];
  #memo = new Map<number, unknown>();

  constructor(source: ByteSource, rules: PickleRules, at = 0) {
    this.#reader = new ByteReader(source, (problem) => fileError(format, `its pickle cannot be read: ${problem}`));
    this.#rules = rules;
    this.#at = at;
  }

  /** Where the next pickle begins. */
  get position(): number {
    return this.#at;
  }

  /** @throws {FormatError} when the pickle is damaged, or asks for more than data */
  load(): unknown {
    this.#stack = [];
    this.#marks = [];
    this.#memo = new Map();
    for (;;) {
      const code = this.#byte();
      if (code === stop) return this.#pop();
      const run = Object.hasOwn(opcodes, code) ? opcodes[code] : undefined;
      if (run === undefined)
        throw fileError(
          format,
          `its pickle has the opcode 0x${code.toString(16)} at byte ${this.#at - 1}, which is not for data`,
        );
      run(this.#machine);
      if (this.#stack.length > maxDepthOfStack || this.#memo.size > maxDepthOfStack)
        throw fileError(format, 'its pickle is absurdly deep');
    }
  }

  readonly #machine: Machine = {
    push: (value) => void this.#stack.push(value),
    pop: () => this.#pop(),
    top: () => this.#stack.at(-1),
    mark: () => void this.#marks.push(this.#stack.length),
    sinceMark: () => {
      const mark = this.#marks.pop();
      if (mark === undefined || mark > this.#stack.length)
        throw fileError(format, 'its pickle closes what it has not opened');
      return this.#stack.splice(mark);
    },
    byte: () => this.#byte(),
    u16: () => this.#reader.u16(this.#take(2)),
    i32: () => this.#reader.i32(this.#take(4)),
    f64: () => this.#reader.f64(this.#take(8), false),
    bytes: (count) => this.#bytes(count),
    line: () => this.#line(),
    memoize: (index) => void this.#memo.set(index ?? this.#memo.size, this.#stack.at(-1)),
    recall: (index) => {
      if (!this.#memo.has(index)) throw fileError(format, `its pickle recalls value ${index}, which it has not kept`);
      this.#stack.push(this.#memo.get(index));
    },
    rules: () => this.#rules,
  };

  #take(count: number): number {
    const at = this.#at;
    if (count < 0 || at + count > this.#reader.length)
      throw fileError(format, `its pickle ends at byte ${this.#reader.length} in the middle of a value`);
    this.#at += count;
    return at;
  }

  #byte(): number {
    return this.#reader.u8(this.#take(1));
  }

  #bytes(count: number): Uint8Array {
    if (count > maxTextBytes) throw fileError(format, `its pickle has a value of ${count} bytes`);
    return this.#reader.slice(this.#take(count), count);
  }

  #line(): string {
    const end = this.#reader.indexOf(0x0a, this.#at, maxLineBytes);
    if (end < 0) throw fileError(format, 'its pickle has a line without an end');
    const line = text(this.#reader.slice(this.#at, end - this.#at));
    this.#at = end + 1;
    return line;
  }

  #pop(): unknown {
    if (this.#stack.length === 0) throw fileError(format, 'its pickle takes a value that is not there');
    return this.#stack.pop();
  }
}

interface Machine {
  push(value: unknown): void;
  pop(): unknown;
  top(): unknown;
  mark(): void;
  sinceMark(): unknown[];
  byte(): number;
  u16(): number;
  i32(): number;
  f64(): number;
  bytes(count: number): Uint8Array;
  line(): string;
  memoize(index?: number): void;
  recall(index: number): void;
  rules(): PickleRules;
}

const stop = 0x2e;
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const last =
  (count: number) =>
  (m: Machine): void => {
    const items = Array.from({ length: count }, () => m.pop());
    m.push(items.toReversed());
  };
const global = (m: Machine, name: string): void => {
  if (!m.rules().knows(name)) {
    throw fileError(
      format,
      `its pickle asks for '${name}', and only tensors, numbers, texts, lists and dictionaries are built`,
      'Save the state_dict of the model alone, neither the model itself nor objects beside it.',
    );
  }
  m.push(new PickleGlobal(name));
};
const reduce = (m: Machine): void => {
  const args = m.pop();
  const callee = m.pop();
  if (!(callee instanceof PickleGlobal) || !Array.isArray(args))
    throw fileError(format, 'its pickle calls something that is no function');
  m.push(m.rules().call(callee.name, args as readonly unknown[]));
};
const setItems = (m: Machine, items: readonly unknown[]): void => {
  const target = m.top();
  if (!(target instanceof Map) || items.length % 2 !== 0)
    throw fileError(format, 'its pickle sets items of something that is no dictionary');
  for (let i = 0; i < items.length; i += 2) {
    const key = items[i];
    if (typeof key === 'string' && target.has(key)) throw fileError(format, `it has two entries named '${key}'`);
    target.set(key, items[i + 1]);
  }
};
const append = (m: Machine, items: readonly unknown[]): void => {
  const target = m.top();
  if (!Array.isArray(target)) throw fileError(format, 'its pickle appends to something that is no list');
  for (const item of items) target.push(item);
};
const long = (m: Machine, bytes: Uint8Array): void => {
  if (bytes.length > 64) throw fileError(format, `its pickle has an integer of ${bytes.length} bytes`);
  let value = 0n;
  bytes.forEach((byte, index) => (value |= BigInt(byte) << BigInt(8 * index)));
  const signed = bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, value);
  const small = signed >= -(2n ** 53n) && signed <= 2n ** 53n;
  m.push(small ? Number(signed) : signed);
};

/** By code; names as in Python's `pickletools`. */
const opcodes: Readonly<Record<number, (m: Machine) => void>> = {
  0x80: (m) => void m.byte(), // PROTO
  0x95: (m) => void m.bytes(8), // FRAME
  0x28: (m) => m.mark(), // MARK
  0x30: (m) => void m.pop(), // POP
  0x31: (m) => void m.sinceMark(), // POP_MARK
  0x4e: (m) => m.push(null), // NONE
  0x88: (m) => m.push(true), // NEWTRUE
  0x89: (m) => m.push(false), // NEWFALSE
  0x4b: (m) => m.push(m.byte()), // BININT1
  0x4d: (m) => m.push(m.u16()), // BININT2
  0x4a: (m) => m.push(m.i32()), // BININT
  0x8a: (m) => long(m, m.bytes(m.byte())), // LONG1
  0x8b: (m) => long(m, m.bytes(m.i32())), // LONG4
  0x47: (m) => m.push(m.f64()), // BINFLOAT
  0x49: (m) => {
    const line = m.line();
    m.push(line === '00' ? false : line === '01' ? true : Number(line));
  }, // INT
  0x46: (m) => m.push(Number(m.line())), // FLOAT
  0x58: (m) => m.push(text(m.bytes(m.i32()))), // BINUNICODE
  0x8c: (m) => m.push(text(m.bytes(m.byte()))), // SHORT_BINUNICODE
  0x55: (m) => m.push(text(m.bytes(m.byte()))), // SHORT_BINSTRING
  0x54: (m) => m.push(text(m.bytes(m.i32()))), // BINSTRING
  0x43: (m) => m.push(m.bytes(m.byte())), // SHORT_BINBYTES
  0x42: (m) => m.push(m.bytes(m.i32())), // BINBYTES
  0x29: (m) => m.push([]), // EMPTY_TUPLE
  0x74: (m) => m.push(m.sinceMark()), // TUPLE
  0x85: last(1), // TUPLE1
  0x86: last(2), // TUPLE2
  0x87: last(3), // TUPLE3
  0x5d: (m) => m.push([]), // EMPTY_LIST
  0x6c: (m) => m.push(m.sinceMark()), // LIST
  0x61: (m) => {
    const item = m.pop();
    append(m, [item]);
  }, // APPEND
  0x65: (m) => append(m, m.sinceMark()), // APPENDS
  0x7d: (m) => m.push(new Map()), // EMPTY_DICT
  0x64: (m) => {
    const items = m.sinceMark();
    m.push(new Map());
    setItems(m, items);
  }, // DICT
  0x73: (m) => {
    const value = m.pop();
    const key = m.pop();
    setItems(m, [key, value]);
  }, // SETITEM
  0x75: (m) => setItems(m, m.sinceMark()), // SETITEMS
  0x71: (m) => m.memoize(m.byte()), // BINPUT
  0x72: (m) => m.memoize(m.i32()), // LONG_BINPUT
  0x94: (m) => m.memoize(), // MEMOIZE
  0x68: (m) => m.recall(m.byte()), // BINGET
  0x6a: (m) => m.recall(m.i32()), // LONG_BINGET
  0x63: (m) => global(m, `${m.line()}.${m.line()}`), // GLOBAL
  0x93: (m) => {
    const name = m.pop();
    global(m, `${String(m.pop())}.${String(name)}`);
  }, // STACK_GLOBAL
  0x52: reduce, // REDUCE
  0x51: (m) => m.push(m.rules().persistent(m.pop())), // BINPERSID
  0x62: (m) => {
    const state = m.pop();
    // An OrderedDict carries attributes such as _metadata, which say nothing of its content.
    if (!(m.top() instanceof Map)) throw fileError(format, 'its pickle sets the state of an object');
    if (!(state instanceof Map)) throw fileError(format, 'its pickle sets a state that is no dictionary');
  }, // BUILD
};
