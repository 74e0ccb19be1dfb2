// Unpacks the browser that npm brought, and the libraries that a machine without a desktop lacks, beside the package itself.
// Where it would not run there is none: tests of pages are skipped then, and say so.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

const packed = join(import.meta.dirname, "node_modules", "@sparticuz", "chromium", "bin");
const target = join(import.meta.dirname, "node_modules", ".unpacked");
const content = (name) => brotliDecompressSync(readFileSync(join(packed, name)));

mkdirSync(target, { recursive: true });
try {
  for (const archive of ["al2023.tar.br", "fonts.tar.br", "swiftshader.tar.br"]) {
    execFileSync("tar", ["-x", "--no-same-owner", "-C", target], { input: content(archive) });
  }
  const browser = join(target, "chromium");
  writeFileSync(browser, content("chromium.br"));
  chmodSync(browser, 0o755);
  execFileSync(browser, ["--version"], { env: { ...process.env, LD_LIBRARY_PATH: join(target, "lib") }, stdio: "ignore" });
} catch (problem) {
  rmSync(target, { recursive: true });
  console.log(`no browser for tests of pages: ${problem.message}`);
}
