// A page with one card: for who is not signed in, and for what has no place in the navigation.
import type { ReactNode, SubmitEvent } from "react";

import { productName } from "./settings.ts";

export interface CardPageProps {
  title: string;
  lead?: ReactNode;
  children: ReactNode;
  /** Links below. */
  foot?: ReactNode;
  wide?: boolean;
}

export function CardPage({ title, lead, children, foot, wide = false }: CardPageProps): ReactNode {
  return (
    <main className="bh-card-page">
      <div className="bh-card" data-wide={wide || undefined}>
        <p className="bh-card-brand">{productName}</p>
        <h1>{title}</h1>
        {lead !== undefined && <p className="bh-card-lead">{lead}</p>}
        {children}
        {foot !== undefined && <div className="bh-card-foot">{foot}</div>}
      </div>
    </main>
  );
}

/** The form's fields by name, as text; for uncontrolled forms, which password managers fill best. */
export function fieldsOf(event: SubmitEvent<HTMLFormElement>): Record<string, string> {
  event.preventDefault();
  const fields = new FormData(event.currentTarget);
  return Object.fromEntries([...fields].map(([name, value]) => [name, typeof value === "string" ? value : ""]));
}
