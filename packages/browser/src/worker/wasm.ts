/** The program of a worker with the wasm backend. */
import { createWasmBackend } from '@skiplane/kernels-wasm';
import { serve } from './serve.ts';

serve(createWasmBackend);
