// The head of a page and the blocks below it: title, what can be done here, sections, facts, empty places.
import { Skeleton } from "@mantine/core";
import type { ReactNode } from "react";

import { Icon } from "./icons.tsx";
import { PageLink } from "./page-link.tsx";

export interface PageHeaderProps {
  title: ReactNode;
  /** From the list that the page belongs to, downwards. */
  crumbs?: readonly { label: string; to: string }[];
  /** Beside the title: a status. */
  beside?: ReactNode;
  /** One line below the title. */
  children?: ReactNode;
  /** Buttons, on the right. */
  actions?: ReactNode;
}

export function PageHeader({ title, crumbs = [], beside, children, actions }: PageHeaderProps): ReactNode {
  return (
    <header className="bh-page-header">
      <div>
        {crumbs.length > 0 && (
          <nav aria-label="Breadcrumbs" className="bh-crumbs">
            {crumbs.map(({ label, to }) => (
              <span key={to}>
                <PageLink to={to}>{label}</PageLink>
                <Icon name="right" size={10} />
              </span>
            ))}
          </nav>
        )}
        <div className="bh-title">
          <h1>{title}</h1>
          {beside}
        </div>
        {children !== undefined && <div className="bh-dim bh-lead">{children}</div>}
      </div>
      {actions !== undefined && <div className="bh-actions">{actions}</div>}
    </header>
  );
}

export interface SectionProps {
  title: string;
  actions?: ReactNode;
  children: ReactNode;
}

export function Section({ title, actions, children }: SectionProps): ReactNode {
  return (
    <section className="bh-section" aria-label={title}>
      <div className="bh-section-head">
        <h2>{title}</h2>
        {actions}
      </div>
      {children}
    </section>
  );
}

/** Facts of one object, each with its name. Undefined ones are left out. */
export function KeyValue({ facts }: { facts: readonly (readonly [label: string, value: ReactNode])[] }): ReactNode {
  return (
    <dl className="bh-facts">
      {facts
        .filter(([, value]) => value !== undefined)
        .map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value === null || value === "" ? <span className="bh-dim">–</span> : value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** Figures side by side, each with its name. */
export function FigureRow({ children }: { children: ReactNode }): ReactNode {
  return <dl className="bh-figures">{children}</dl>;
}

/** Without children its figure is on its way. */
export function FigureTile({ label, children }: { label: string; children?: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children ?? <Skeleton height={16} width="40%" />}</dd>
    </div>
  );
}

export interface EmptyProps {
  /** What is not there. */
  title: string;
  /** What to do about it. */
  children?: ReactNode;
}

export function Empty({ title, children }: EmptyProps): ReactNode {
  return (
    <div className="bh-empty">
      <p className="bh-strong">{title}</p>
      {children !== undefined && <div className="bh-dim">{children}</div>}
    </div>
  );
}
