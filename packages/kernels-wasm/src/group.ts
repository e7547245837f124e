import { alone, type ScheduledRecord, type Turn, type Work } from './schedule.ts';

/** A record of an op, by their indices. */
export interface Member extends Work {
  readonly op: number;
  readonly index: number;
  /** Bytes that its op keeps for all images. */
  readonly kept: number;
}

/** Units of a group for each of several threads at the least: at the end, threads wait for the one that took the last. */
const unitsPerThread = 8;
/** What the ops of a group may keep whole, beside the one that keeps most: in turns, they must not drive one another out of the L2. */
const keptBytes = 256 * 1024;

/** Records that run together: step by step of the images of a batch, or, where that is 0, one by itself, or in order those of one task. */
export class Group {
  readonly #batch: number;
  readonly #members: Member[] = [];
  /** Images of a step and of a unit. */
  #step = 1;
  #unit = 1;

  constructor(batch: number) {
    this.#batch = batch;
  }

  get byImages(): boolean {
    return this.#batch > 0;
  }

  get units(): number {
    const [first] = this.#members;
    return first === undefined ? 0 : this.#turn(first).units;
  }

  /** Whether there would be units enough with these members, too, and, of several ops, room for what they keep. */
  takes(members: readonly Member[], threads: number): boolean {
    const { unit } = this.#with(members);
    const ofOps = new Map([...this.#members, ...members].map(({ op, kept }) => [op, kept]));
    const kept = [...ofOps.values()];
    const fits = kept.reduce((sum, bytes) => sum + bytes, 0) - Math.max(...kept) <= keptBytes;
    return fits && this.#batch % unit === 0 && this.#batch / unit >= unitsPerThread * threads;
  }

  add(members: readonly Member[]): void {
    if (this.#batch > 0) ({ step: this.#step, unit: this.#unit } = this.#with(members));
    this.#members.push(...members);
  }

  /** @param meet  whether threads meet behind it */
  scheduled(meet: boolean): readonly ScheduledRecord[] {
    return this.#members.map((member, at) => {
      const { op, index } = member;
      return { op, index, ...this.#turn(member), span: at === 0 ? this.#members.length : 1, meet };
    });
  }

  /** How threads go through a member. */
  #turn(member: Member): Pick<Turn, 'units' | 'steps' | 'share'> {
    if (this.#batch === 0) return alone(member);
    const [step, unit] = [this.#step, this.#unit];
    return { units: this.#batch / unit, steps: unit / step, share: (member.tasks * step) / this.#batch };
  }

  #with(members: readonly Member[]): { readonly step: number; readonly unit: number } {
    const step = members.map(imagesOfStep).reduce(leastCommonMultiple, this.#step);
    const units = members.map((member) => imagesOfStep(member) * member.sequence);
    return { step, unit: leastCommonMultiple(step, units.reduce(leastCommonMultiple, this.#unit)) };
  }
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));
const leastCommonMultiple = (a: number, b: number): number => (a / greatestCommonDivisor(a, b)) * b;

/** The fewest images that a whole number of tasks goes through. */
const imagesOfStep = ({ images, tasks }: Work): number => images / greatestCommonDivisor(images, tasks);
