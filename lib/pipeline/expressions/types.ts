import { wrong } from '../step';

/** @throws Fault `config`/`invalid_config` when an expression that decides gives anything but true or false */
export function mustBeBool(type: string, path: string): void {
  if (type !== 'bool' && type !== 'dyn') throw wrong(path, `it gives ${type}, and has to be true or false`);
}
