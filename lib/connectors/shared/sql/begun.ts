/** Sets a new session up; where that fails, it is dropped. */
export async function begun<S extends { begin(): Promise<void>; destroy(): void }>(session: S): Promise<S> {
  try {
    await session.begin();
    return session;
  } catch (error) {
    session.destroy();
    throw error;
  }
}
