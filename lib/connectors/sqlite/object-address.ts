/** `s3://BUCKET/KEY`. */
export const OBJECT_ADDRESS = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.+)$/;
