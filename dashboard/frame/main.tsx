// The dashboard's first file: what every page stands in.
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./colours.css";
import "./frame.css";
import "../parts/parts.css";

import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { queries } from "./asking.ts";
import { router } from "./router.tsx";
import { isSignedIn, subscribe } from "./session.ts";
import { styleNonce } from "./settings.ts";
import { theme, variables } from "./theme.ts";

// Of the package by which open dialogs keep the page behind them still: it writes a <style> of its own.
Object.assign(globalThis, { __webpack_nonce__: styleNonce });

// Nothing that was read for one person is there for the next.
subscribe(() => {
  if (!isSignedIn()) queries.clear();
});

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root.");
createRoot(root).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      defaultColorScheme="auto"
      getStyleNonce={() => styleNonce}
    >
      <Notifications position="bottom-right" />
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
