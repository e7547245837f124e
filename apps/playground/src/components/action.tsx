import type { ComponentChildren } from 'preact';

interface ActionProps {
  readonly children: ComponentChildren;
  readonly primary?: boolean;
  /** It rests, and says so; unlike a disabled button it keeps the keyboard's focus, so that nobody loses their place. */
  readonly off: boolean;
  readonly onAct: () => void;
}

/** A button whose action is not always to be had. */
export function Action({ children, primary = false, off, onAct }: ActionProps) {
  return (
    <button type="button" class={primary ? 'primary' : ''} aria-disabled={off} onClick={off ? undefined : onAct}>
      {children}
    </button>
  );
}
