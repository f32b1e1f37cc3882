/** The checks of the three `source-feed` files by what they are about, so that a fixture can waive them. */
export const FEED = {
  changes: 'changes come in order, with the values of a scan, and none from before the head',
  scan: 'what is written while a stream is read is among its rows or its changes',
  late: 'a transaction that is older than the head and commits behind it is not lost',
  key: 'a changed key is a delete and an insert',
  truncate: 'a stream that is emptied at once is a truncate, in its place among the changes',
  column: 'a column that is added among changes shows as another schema from there on',
  resume: 'changes resume after every batch exactly',
  several: 'changes of several streams resume after every batch exactly',
  size: 'a large transaction comes in batches within their size, and resumes in its middle',
  others: 'changes of other streams do not come, and the position moves past them',
  acknowledged: 'what was acknowledged may be forgotten, and nothing behind it: another process goes on from there',
  older: 'changes from before what was acknowledged are lost, or all there',
  end: 'a read of changes ends at the head it found, whether anybody writes or not',
  wait: 'who follows is given what is written meanwhile, and ends within five seconds of an abort',
  lost: 'a record of changes that is gone is lost, with a hint, and can begin anew',
  forgotten: 'what was made to follow changes is removed, once or twice',
  added: 'a stream that is followed later begins then, or was recorded before',
  anew: 'a stream that was made anew begins anew, and nothing of the old one comes',
  early: 'leaving changes early, and closing, leave no connection behind',
  slow: 'a slow reader of changes bounds the memory',
} as const;

/** Waivers for all of them, for one reason. */
export function noFeed(reason: string): { readonly [title: string]: string } {
  return Object.fromEntries(Object.values(FEED).map((title) => [title, reason]));
}
