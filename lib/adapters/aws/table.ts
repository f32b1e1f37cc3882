/** Names of the attributes of the state table, for the store, the stack that makes the table, and the tests. */
export const ATTRIBUTES = {
  /** String; the partition key, so that a policy can name partitions in `dynamodb:LeadingKeys`. */
  partition: 'pk',
  /** String; the sort key. */
  sort: 'sk',
  /** Number. */
  revision: 'revision',
  /** String of JSON. */
  value: 'value',
  /** Number; seconds since 1970 and never too early: DynamoDB's time to live. */
  expiresAt: 'expires_at',
  /** Number; the exact milliseconds, from which on the store hides the item. */
  expiresAtMs: 'expires_at_ms',
  /** String; made anew for each write, so that a write whose answer was lost is recognised. */
  writeId: 'write_id',
} as const;

/** Key of the state table, as `CreateTable` and `AWS::DynamoDB::Table` both want it. */
export const TABLE_KEY = {
  KeySchema: [
    { AttributeName: ATTRIBUTES.partition, KeyType: 'HASH' },
    { AttributeName: ATTRIBUTES.sort, KeyType: 'RANGE' },
  ],
  AttributeDefinitions: [
    { AttributeName: ATTRIBUTES.partition, AttributeType: 'S' },
    { AttributeName: ATTRIBUTES.sort, AttributeType: 'S' },
  ],
} as const;
