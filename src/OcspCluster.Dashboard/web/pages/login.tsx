import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { post, Problem, type Session } from "../api";
import { Failure, Notice } from "../ui";

export function Login({ ended, onEnter }: { ended: boolean; onEnter: (session: Session) => void }): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  useEffect(() => {
    document.title = "Log in · OcspCluster";
    field.current?.focus();
  }, []);

  const enter = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      onEnter(await post<Session>("/session", { key: field.current!.value.trim() }));
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, "Something went wrong", String(error)));
      setBusy(false);
      field.current?.select();
    }
  };

  return (
    <main class="alone">
      <form class="card login" onSubmit={(event) => void enter(event)}>
        <div class="brand"><img src={document.querySelector<HTMLLinkElement>("link[rel=icon]")!.href} alt="" width="32" height="32" /><h1>OcspCluster</h1></div>
        {ended && !problem && <Notice tone="warning" live>Your session has ended. Log in again to go on where you were.</Notice>}
        {problem && <Failure problem={problem} />}
        <label>
          <span>API key</span>
          <input ref={field} type="password" name="key" autocomplete="current-password" spellcheck={false} required placeholder="id.secret" aria-describedby="key-help" />
        </label>
        <p class="faint" id="key-help">The first start wrote one to <code>data/admin.key</code>. It is sent once; a session stands for it afterwards.</p>
        <button type="submit" class="primary" disabled={isBusy}>{isBusy ? "Logging in…" : "Log in"}</button>
      </form>
    </main>
  );
}
