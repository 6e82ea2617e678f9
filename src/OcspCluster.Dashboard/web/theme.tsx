import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Store } from "./store";
import { Icon } from "./ui";

/** Rises when the colours change. */
export const themeTurn = new Store(0);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => themeTurn.set(themeTurn.value + 1));

type Theme = "system" | "light" | "dark";
const key = "ocspcluster.theme";

function chosen(): Theme {
  try {
    const value = localStorage.getItem(key);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system"; // a browser that keeps nothing
  }
}

/** Has the style sheet follow the choice; without one, it follows the system. */
export function applyTheme(theme: Theme = chosen()): void {
  const root = document.documentElement;
  if (theme === "system") {
    delete root.dataset["theme"];
  } else {
    root.dataset["theme"] = theme;
  }
}

export function ThemeSwitch(): JSX.Element {
  const [theme, setTheme] = useState(chosen());
  const next: Theme = theme === "system" ? "light" : theme === "light" ? "dark" : "system";
  const take = (): void => {
    setTheme(next);
    try {
      localStorage.setItem(key, next);
    } catch {
      // It holds until the page is left.
    }

    applyTheme(next);
    themeTurn.set(themeTurn.value + 1);
  };
  return <button type="button" class="plain" onClick={take} title={`Colours: ${theme}`} aria-label={`Colours: ${theme}. Change to ${next}`}><Icon name="theme" /></button>;
}
