// In Billhook's own repository its sources are used, elsewhere the installed package: a copy of the example needs no such file.
import { existsSync } from "node:fs";
import { registerHooks } from "node:module";

const kit = new URL("../../kit/verify/verify.ts", import.meta.url);

if (existsSync(kit)) {
  registerHooks({
    resolve: (specifier, context, next) => next(specifier === "billhook/verify" ? kit.href : specifier, context),
  });
}
