// Links inside the dashboard: real addresses, opened without loading the page anew.
import { type RouterHistory, useParams, useRouter } from "@tanstack/react-router";
import type { AnchorHTMLAttributes, MouseEvent, ReactNode, Ref } from "react";

export interface PageLinkProps extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, "href"> {
  /** An address inside the dashboard, with its search part: `/operator/stripe-events?status=failed`. */
  to: string;
  children: ReactNode;
  ref?: Ref<HTMLAnchorElement>;
}

export function PageLink({ to, children, onClick, ...rest }: PageLinkProps): ReactNode {
  const go = useGo();
  const clicked = (event: MouseEvent<HTMLAnchorElement>): void => {
    onClick?.(event);
    if (event.defaultPrevented || !isPlain(event)) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a href={to} {...rest} onClick={clicked}>
      {children}
    </a>
  );
}

/** Anything else opens a tab, a window or a menu: that is the browser's. */
export const isPlain = ({ button, metaKey, ctrlKey, shiftKey, altKey }: MouseEvent): boolean =>
  button === 0 && !metaKey && !ctrlKey && !shiftKey && !altKey;

/** Opens a page. `replace`: the one that is left is not gone back to. */
export function useGo(): (to: string, options?: { replace?: boolean }) => void {
  const history = useHistory();
  return (to, { replace = false } = {}) => {
    if (replace) history.replace(to);
    else history.push(to);
  };
}

export function useHistory(): RouterHistory {
  return (useRouter() as { history: RouterHistory }).history;
}

/** A part of the page's address: `$id`. */
export function usePathPart(name: string): string {
  const parts: Record<string, string | undefined> = useParams({ strict: false });
  return parts[name] ?? "";
}
