export { describeBackend, type BackendDescription, type Skip } from './describe-backend.ts';
