import { createSlots } from '../../../../lib/destinations/postgresql/slots';

it('lets so many through, the others in their order', async () => {
  const slots = createSlots(1);
  const order: number[] = [];
  const first = await slots.take(undefined);
  const others = [1, 2].map(async (number) => {
    const giveBack = await slots.take(undefined);
    order.push(number);
    giveBack();
  });
  expect(order).toEqual([]);
  first();
  first();
  await Promise.all(others);
  expect(order).toEqual([1, 2]);
});

it('does not keep one who was interrupted, nor lose a slot over him', async () => {
  const slots = createSlots(1);
  const first = await slots.take(undefined);
  const controller = new AbortController();
  const waiting = slots.take(controller.signal);
  controller.abort();
  await expect(waiting).rejects.toBeDefined();
  first();
  (await slots.take(undefined))();
});
