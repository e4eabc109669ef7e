// Runs before the tests: says in one sentence that the Node in use cannot run them. Plain JavaScript for an old Node.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 24 || (major === 24 && minor < 7)) {
  process.stderr.write(
    `The tests need Node 24.7 or newer; npm found ${process.versions.node} (${process.platform}-${process.arch}).\n` +
      "`npm ci` brings a pinned Node 24 for Linux and Windows on x64 and for Linux on arm64: run it without " +
      "--omit=optional. On another platform install Node 24 from https://nodejs.org.\n",
  );
  process.exit(1);
}
