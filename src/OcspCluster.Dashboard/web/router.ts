import { Store } from "./store";

// The page's places are behind the '#': the server knows one page.

export interface Place {
  page: string;
  parts: string[];
  query: URLSearchParams;
}

function read(): Place {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const [page = "", ...parts] = path.split("/").filter(Boolean).map(decode);
  return { page: page || "overview", parts, query: new URLSearchParams(query) };
}

// What somebody typed into the address bar need not be well-formed.
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const place = new Store<Place>(read());

window.addEventListener("hashchange", () => place.set(read()));

export const certificateLink = (issuer: string, serial: string): string => `#/certificates/${encodeURIComponent(issuer)}/${encodeURIComponent(serial)}`;

export function go(hash: string): void {
  location.hash = hash;
}
