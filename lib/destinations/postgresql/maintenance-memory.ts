import type { Session } from './session';

/** Memory for building keys and indexes. */
const MAINTENANCE_MEMORY = '256MB';

/** Lets the following transaction build indexes fast, unless the server gives more already. */
export async function raiseMaintenanceMemory(session: Session): Promise<void> {
  await session.query(
    `SELECT set_config('maintenance_work_mem', '${MAINTENANCE_MEMORY}', true)
     WHERE pg_size_bytes(current_setting('maintenance_work_mem')) < pg_size_bytes('${MAINTENANCE_MEMORY}')`,
  );
}
