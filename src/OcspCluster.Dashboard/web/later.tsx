import type { FunctionComponent, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Problem } from "./api";
import { Failure, Loading } from "./ui";

type Later<P> = FunctionComponent<P> & { prepare: () => Promise<void> };

/** A component whose code is fetched when it is drawn first, or prepared. */
export function later<P extends object>(load: () => Promise<FunctionComponent<P>>): Later<P> {
  let Loaded: FunctionComponent<P> | null = null;
  let loading: Promise<void> | null = null;
  const fetched = (): Promise<void> => loading ??= load().then((component) => { Loaded = component; }, (error: unknown) => {
    loading = null;
    throw error;
  });
  const Shown = (props: P): JSX.Element => {
    const [isReady, setReady] = useState(Loaded !== null);
    const [isLost, setLost] = useState(false);
    useEffect(() => {
      if (!isReady) { // the code may have come since this was drawn: then nothing else would draw it again
        fetched().then(() => setReady(true), () => setLost(true));
      }
    }, []);
    if (Loaded) {
      return <Loaded {...props} />;
    }

    return (
      <div class="page">
        {isLost ? <Failure problem={new Problem(0, "This part of the page could not be loaded", "The responder is away, or was replaced by another version.")} retry={() => location.reload()} /> : <Loading rows={6} />}
      </div>
    );
  };
  return Object.assign(Shown, { prepare: () => fetched().catch(() => {}) });
}
