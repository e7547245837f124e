import type { ComponentChildren } from 'preact';
import { local } from '../state/local-server.ts';

/** What a view says while it has nothing to show: what to do. */
export function Empty({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <div class="empty">
      <h3>{title}</h3>
      <p>{children}</p>
    </div>
  );
}

/** What a view of the network says while there is none. */
export function NoNetwork({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <Empty title={title}>
      {children}
      {local.value.run !== null &&
        ' A run on the command line keeps its network there: of it, this page has the curves.'}
    </Empty>
  );
}

/** What went wrong, where it did. */
export function Problem({ text }: { readonly text: string | null }) {
  return text === null ? null : (
    <p class="problem" role="alert">
      {text}
    </p>
  );
}
