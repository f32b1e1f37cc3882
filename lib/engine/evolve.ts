import type { Column, StreamSchema } from '../core/schema';

/** How a stream's shape changed, in words: fields that came, went or got another type, and the key. */
export function shapeChanges(before: StreamSchema, after: StreamSchema): string[] {
  const known = new Map(before.columns.map((column) => [column.name, column]));
  const present = new Set(after.columns.map(({ name }) => name));
  const changes = after.columns.flatMap((column) => fieldChanges(known.get(column.name), column));
  for (const { name } of before.columns) if (!present.has(name)) changes.push(`field ${name} is gone`);
  if (before.key.join('\n') !== after.key.join('\n'))
    changes.push(`the key was ${list(before.key)} and is ${list(after.key)}`);
  return changes;
}

function fieldChanges(before: Column | undefined, after: Column): string[] {
  if (before === undefined) return [`field ${after.name} (${typeName(after)}) is new`];
  const changes: string[] = [];
  if (typeName(before) !== typeName(after)) {
    changes.push(`field ${after.name} was ${typeName(before)} and is ${typeName(after)}`);
  }
  if (!before.nullable && after.nullable) changes.push(`field ${after.name} may be NULL now`);
  return changes;
}

/** The source's own name of a type. */
function typeName({ native, type }: Column): string {
  return native.slice(native.indexOf('/') + 1) || type;
}

function list(key: readonly string[]): string {
  return key.length === 0 ? 'none' : key.join(', ');
}
