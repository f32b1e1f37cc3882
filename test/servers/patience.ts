const patience = Number(process.env.TEST_PATIENCE || 1);

/** A time limit in milliseconds, longer where TEST_PATIENCE says that the machine is slow or shared. */
export function patient(ms: number): number {
  return ms * patience;
}
