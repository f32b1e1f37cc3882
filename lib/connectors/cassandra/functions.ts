/** Names of the server's functions: renamed in version 5, which still knows the older ones. */
export interface Functions {
  /** A value of any type as JSON text. */
  readonly toJson: string;
  readonly fromJson: string;
  /** The bytes of a value of a native type. */
  asBlob(type: string): string;
  readonly unixTimestamp: string;
  /** The function that gives the write time of columns; `multiCell`: of collections too, as the newest of their cells. */
  readonly writeTime: { readonly name: string; readonly multiCell: boolean };
}

/** The functions of a server by its version. */
export function functionsOf(version: string): Functions {
  const modern = Number.parseInt(version, 10) >= 5;
  return {
    toJson: modern ? 'to_json' : 'toJson',
    fromJson: modern ? 'from_json' : 'fromJson',
    asBlob: (type) => (modern ? `${type}_as_blob` : `${type}AsBlob`),
    unixTimestamp: modern ? 'to_unix_timestamp' : 'toUnixTimestamp',
    writeTime: modern ? { name: 'maxwritetime', multiCell: true } : { name: 'writetime', multiCell: false },
  };
}
