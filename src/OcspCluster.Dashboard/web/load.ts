import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "./api";

export interface Loaded<T> {
  data: T | null;
  problem: Problem | null;
  isLoading: boolean;
  reload: () => void;
}

/** Loads what a function gets, again whenever the key changes, and every so many milliseconds while somebody looks. What was there stays until the new is. */
export function useLoad<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>, every = 0): Loaded<T> {
  const [state, setState] = useState<{ key: string | null; data: T | null; problem: Problem | null; isLoading: boolean }>({ key: null, data: null, problem: null, isLoading: key !== null });
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const reload = useCallback(() => setTurn((n) => n + 1), []);

  useEffect(() => {
    if (key === null) {
      setState({ key, data: null, problem: null, isLoading: false });
      return undefined;
    }

    const controller = new AbortController();
    let timer = 0;
    const run = async (): Promise<void> => {
      try {
        const data = await latest.current(controller.signal);
        if (!controller.signal.aborted) {
          setState({ key, data, problem: null, isLoading: false });
        }
      } catch (error) {
        if (!controller.signal.aborted) {
          const problem = error instanceof Problem ? error : new Problem(0, "Something went wrong", String(error));
          setState((old) => ({ key, data: old.key === key ? old.data : null, problem, isLoading: false }));
        }
      }

      if (every > 0 && !controller.signal.aborted) {
        timer = window.setTimeout(next, every);
      }
    };
    const next = (): void => {
      if (document.hidden) {
        document.addEventListener("visibilitychange", next, { once: true, signal: controller.signal }); // nobody looks
      } else {
        void run();
      }
    };
    setState((old) => ({ ...old, data: old.key === key ? old.data : null, isLoading: true }));
    void run();
    return () => {
      controller.abort();
      window.clearTimeout(timer);
    };
  }, [key, turn, every]);

  return { data: state.key === key ? state.data : null, problem: state.problem, isLoading: state.isLoading, reload };
}
