// Bundles web/ into assets/, the same bytes on every machine: exact versions, no dates, no paths. 'node build.mjs DIR' writes elsewhere, to compare.
import { build } from "esbuild";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "assets");
mkdirSync(out, { recursive: true });
readdirSync(out).filter((name) => name.endsWith(".js")).forEach((name) => rmSync(join(out, name))); // the names change with the content
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: { app: "web/main.tsx" },
  outdir: out,
  bundle: true,
  splitting: true,
  chunkNames: "[name]-[hash]",
  metafile: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
  charset: "utf8",
  legalComments: "none", // LICENSES.txt has them whole
  logLevel: "warning",
});
copyFileSync(join(here, "web", "favicon.svg"), join(out, "favicon.svg"));

// What the first script imports at once is asked for together with it.
const first = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === "web/main.tsx")[1];
const preloads = first.imports.filter(({ kind }) => kind === "import-statement").map(({ path }) => `<link rel="modulepreload" href="/assets/${basename(path)}">\n`);
writeFileSync(join(out, "index.html"), readFileSync(join(here, "web", "index.html"), "utf8").replace("</head>", `${preloads.join("")}</head>`));

const parts = ["preact", "uplot"].map((name) => {
  const { version } = JSON.parse(readFileSync(join(here, "node_modules", name, "package.json"), "utf8"));
  return `${name} ${version}\n\n${readFileSync(join(here, "node_modules", name, "LICENSE"), "utf8").trim()}\n`;
});
writeFileSync(join(out, "LICENSES.txt"), `The dashboard contains:\n\n${parts.join("\n\n")}`.replaceAll("\r\n", "\n"));
