import { describeBackend } from '../src/describe-backend.ts';
import { F32Backend } from './f32-backend.ts';

// A right backend passes: the bounds are not too tight for plain f32.
describeBackend({ name: 'reference rounded to f32', create: () => new F32Backend() });
