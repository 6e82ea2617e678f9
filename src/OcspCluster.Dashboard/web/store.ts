import { useEffect, useState } from "preact/hooks";

/** A value that parts of the page show, and that changes. */
export class Store<T> {
  private readonly listeners = new Set<() => void>();

  constructor(private current: T) {}

  get value(): T {
    return this.current;
  }

  set(value: T): void {
    if (value !== this.current) {
      this.current = value;
      for (const listener of [...this.listeners]) {
        listener();
      }
    }
  }

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** The value now; the component is drawn anew when it changes. */
export function useStore<T>(store: Store<T>): T {
  const [value, set] = useState(store.value);
  useEffect(() => {
    set(() => store.value); // it may have changed since it was drawn
    return store.listen(() => set(() => store.value));
  }, [store]);
  return value;
}
