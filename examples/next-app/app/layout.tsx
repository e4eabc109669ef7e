// The frame of every page.
import type { ReactNode } from "react";

export const metadata = { title: "Example app" };

export default function Layout({ children }: { children: ReactNode }): ReactNode {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
