// The look in one place: one accent, the system's own letters, small type. Colours that Mantine names follow colours.css.
import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

const ACCENT: MantineColorsTuple = [
  ...(["#eef3fd", "#dbe6fb", "#b5cbf6", "#8cb0f1", "#6a98ec", "#3f79e2"] as const),
  ...(["#1f5fd6", "#1a53bd", "#1546a1", "#0f3780"] as const),
];

/** The dark scheme's greys: text, dimmed, lines, raised, ground. */
const DARK: MantineColorsTuple = [
  ...(["#e4e7eb", "#c8cdd4", "#9ea6b0", "#8b939e", "#30363e", "#272c33"] as const),
  ...(["#1c2025", "#131619", "#0e1013", "#090b0d"] as const),
];

export const theme = createTheme({
  primaryColor: "accent",
  primaryShade: { light: 6, dark: 6 },
  colors: { accent: ACCENT, dark: DARK },
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace",
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.25rem" },
  defaultRadius: "sm",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: "sm" } },
    TextInput: { defaultProps: { size: "sm" } },
    PasswordInput: {
      defaultProps: { size: "sm", visibilityToggleButtonProps: { "aria-label": "Show or hide the password" } },
    },
    Modal: { defaultProps: { closeButtonProps: { "aria-label": "Close" }, transitionProps: { duration: 0 } } },
    Drawer: { defaultProps: { closeButtonProps: { "aria-label": "Close" }, transitionProps: { duration: 0 } } },
    Menu: { defaultProps: { transitionProps: { duration: 0 }, shadow: "md" } },
    Tooltip: { defaultProps: { transitionProps: { duration: 0 } } },
  },
});

/** White on Mantine's own red is 3.3 : 1. */
const RED = { "--mantine-color-red-filled": "#c92a2a", "--mantine-color-red-filled-hover": "#a82020" };

export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    ...RED,
    "--mantine-color-dimmed": "var(--bh-dim)",
    "--mantine-color-text": "var(--bh-text)",
    "--mantine-color-placeholder": "var(--bh-dim)",
    "--mantine-color-default-border": "var(--bh-line-strong)",
    "--mantine-color-error": "var(--bh-bad)",
  },
  dark: {
    ...RED,
    "--mantine-color-dimmed": "var(--bh-dim)",
    "--mantine-color-text": "var(--bh-text)",
    "--mantine-color-placeholder": "var(--bh-dim)",
    "--mantine-color-default-border": "var(--bh-line-strong)",
    "--mantine-color-anchor": "var(--bh-accent)",
    "--mantine-color-error": "var(--bh-bad)",
  },
});
