import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

// One accent. Green, amber and red are reserved for selected or healthy, soon, and destroying.
const ink: MantineColorsTuple = [
  '#EEF2FB',
  '#DDE5F7',
  '#BCCBEE',
  '#9AB1E5',
  '#7F9ADB',
  '#6480CC',
  '#4B67B5',
  '#37529C',
  '#2C427F',
  '#203162',
];
const gray: MantineColorsTuple = [
  '#F7F8FA',
  '#F0F2F5',
  '#E5E8EC',
  '#D6DAE0',
  '#B9BFC9',
  '#8C94A1',
  '#5D6571',
  '#49505B',
  '#30363F',
  '#1A1E24',
];
const dark: MantineColorsTuple = [
  '#E4E7EB',
  '#C8CDD5',
  '#A3ABB7',
  '#7D8592',
  '#3A4049',
  '#2C3139',
  '#22262D',
  '#181B20',
  '#121418',
  '#0C0E11',
];
const green: MantineColorsTuple = [
  '#EEF8F2',
  '#E0F3E8',
  '#BFE5CF',
  '#93D2AE',
  '#62BA89',
  '#3B9F69',
  '#258754',
  '#1B7046',
  '#165A39',
  '#10422A',
];
const amber: MantineColorsTuple = [
  '#FFF8EA',
  '#FDEFD2',
  '#FADFA8',
  '#F2C871',
  '#E5AE45',
  '#CB8E22',
  '#A87012',
  '#87580A',
  '#6B4506',
  '#4D3103',
];
const red: MantineColorsTuple = [
  '#FDF2F1',
  '#FBE3E1',
  '#F6C6C2',
  '#F0A09A',
  '#E5766E',
  '#D5544B',
  '#C23B32',
  '#AD2A22',
  '#8C211B',
  '#671813',
];

// 'sm' is the one ordinary size, and 32 px high; compact and numeric sizes stay as they are.
const sm = (key: string, vars: object) => (_: unknown, props: { size?: unknown }) =>
  ({ [key]: !props.size || props.size === 'sm' ? vars : {} }) as never;

export const theme = createTheme({
  colors: { ink, gray, dark, green, amber, red },
  primaryColor: 'ink',
  primaryShade: { light: 7, dark: 6 },
  autoContrast: false,
  black: '#1A1E24',
  fontFamily:
    '-apple-system, BlinkMacSystemFont, "Segoe UI Variable Text", "Segoe UI", Inter, Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "SF Mono", "Cascadia Mono", Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace',
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  lineHeights: { xs: '1.3334', sm: '1.5385', md: '1.4286', lg: '1.5', xl: '1.4' },
  headings: {
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '1.25rem', lineHeight: '1.75rem' },
      h2: { fontSize: '1rem', lineHeight: '1.5rem' },
      h3: { fontSize: '0.875rem', lineHeight: '1.25rem' },
    },
  },
  spacing: { xs: '0.5rem', sm: '0.75rem', md: '1rem', lg: '1.5rem', xl: '2rem' },
  radius: { xs: '2px', sm: '4px', md: '6px', lg: '8px', xl: '12px' },
  defaultRadius: 'md',
  shadows: {
    xs: '0 1px 1px rgba(16,20,26,.05)',
    sm: '0 1px 2px rgba(16,20,26,.08)',
    md: '0 4px 16px rgba(16,20,26,.12)',
    lg: '0 12px 32px rgba(16,20,26,.18)',
    xl: '0 24px 64px rgba(16,20,26,.24)',
  },
  cursorType: 'pointer',
  focusRing: 'auto',
  respectReducedMotion: true,
  components: {
    Button: {
      vars: sm('root', {
        '--button-height': '2rem',
        '--button-padding-x': '0.75rem',
        '--button-fz': '0.8125rem',
      }),
      styles: { label: { fontWeight: 500 } },
    },
    ActionIcon: {
      defaultProps: { variant: 'subtle', color: 'gray' },
      vars: sm('root', { '--ai-size': '2rem' }),
    },
    Input: { vars: sm('wrapper', { '--input-height': '2rem', '--input-fz': '0.8125rem' }) },
    InputWrapper: {
      styles: {
        label: { fontSize: '0.8125rem', fontWeight: 500, marginBottom: 4 },
        description: { fontSize: '0.75rem' },
        error: { fontSize: '0.75rem' },
      },
    },
    // Long lists of options scroll by themselves: the scroll area around them would have to be
    // reached by keyboard, which the options' own arrows make needless.
    Select: {
      defaultProps: { allowDeselect: false, checkIconPosition: 'right', withScrollArea: false },
      styles: { options: { maxHeight: 220, overflowY: 'auto' } },
    },
    MultiSelect: {
      defaultProps: { withScrollArea: false },
      styles: { options: { maxHeight: 220, overflowY: 'auto' } },
    },
    Badge: {
      defaultProps: { variant: 'light', size: 'sm', radius: 'sm' },
      styles: { root: { textTransform: 'none', fontWeight: 500, letterSpacing: 0, flex: 'none' } },
    },
    Modal: {
      defaultProps: {
        radius: 'lg',
        padding: 'lg',
        size: 480,
        centered: false,
        yOffset: '12vh',
        overlayProps: { backgroundOpacity: 0.45, blur: 0 },
        transitionProps: { duration: 120, transition: 'fade' },
        shadow: 'xl',
      },
      styles: { title: { fontSize: '1rem', fontWeight: 600, lineHeight: '1.5rem' } },
    },
    Tooltip: {
      defaultProps: {
        openDelay: 300,
        withArrow: false,
        fz: 'xs',
        radius: 'sm',
        events: { hover: true, focus: true, touch: true },
      },
    },
    Menu: {
      // Its placeholder would have the focus first, which is nothing, in a list that may hold entries only.
      defaultProps: {
        shadow: 'md',
        radius: 'md',
        width: 220,
        transitionProps: { duration: 80 },
        withInitialFocusPlaceholder: false,
      },
    },
    Paper: { defaultProps: { radius: 'lg' } },
    Checkbox: { defaultProps: { size: 'xs', radius: 'sm' }, styles: { label: { fontSize: '0.8125rem' } } },
    Radio: { defaultProps: { size: 'xs' }, styles: { label: { fontSize: '0.8125rem' } } },
    Switch: { defaultProps: { withThumbIndicator: false } },
    SegmentedControl: {
      vars: () => ({ root: { '--sc-padding': '0.125rem 0.625rem', '--sc-font-size': '0.8125rem' } }) as never,
    },
    Tabs: { styles: { tab: { fontSize: '0.8125rem' } } },
  },
});

// Mantine derives tints from the shades; these set them where a derived one misses 4.5:1 or
// vanishes on the canvas.
const tint = (color: string, background: string, text: string) => ({
  [`--mantine-color-${color}-light`]: background,
  [`--mantine-color-${color}-light-hover`]: background,
  [`--mantine-color-${color}-light-color`]: text,
  [`--mantine-color-${color}-outline`]: text,
});

export const resolver: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#FFFFFF',
    '--mantine-color-dimmed': '#5D6571',
    '--mantine-color-placeholder': '#69717D',
    '--mantine-color-default-border': '#D6DAE0',
    '--mantine-color-anchor': '#37529C',
    '--mantine-color-error': '#AD2A22',
    ...tint('ink', '#DDE5F7', '#2C427F'),
    ...tint('gray', '#F0F2F5', '#49505B'),
    ...tint('green', '#E0F3E8', '#165A39'),
    ...tint('amber', '#FDEFD2', '#6B4506'),
    ...tint('red', '#FBE3E1', '#AD2A22'),
  },
  dark: {
    '--mantine-color-body': '#181B20',
    '--mantine-color-dimmed': '#A3ABB7',
    '--mantine-color-placeholder': '#8D95A2',
    '--mantine-color-default-border': '#3A4049',
    '--mantine-color-default': '#22262D',
    '--mantine-color-anchor': '#9AB1E5',
    '--mantine-color-error': '#F2938C',
    ...tint('ink', '#2A3553', '#BCCBEE'),
    ...tint('gray', '#2C3139', '#C8CDD5'),
    ...tint('green', '#1B3A29', '#93D2AE'),
    ...tint('amber', '#3D2E12', '#F2C871'),
    ...tint('red', '#45211F', '#F2938C'),
  },
});
