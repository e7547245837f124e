import { useId, useState } from 'preact/hooks';

interface DropZoneProps {
  readonly label: string;
  /** As an `<input type="file">` takes it. */
  readonly accept: string;
  readonly onFile: (file: File) => void;
}

/** A place to drop a file on; it is a button for a file dialog, too, which the keyboard reaches. */
export function DropZone({ label, accept, onFile }: DropZoneProps) {
  const id = useId();
  const [over, setOver] = useState(false);
  const take = (files: FileList | null | undefined): void => {
    const file = files?.[0];
    if (file !== undefined) onFile(file);
  };
  return (
    <div
      class={over ? 'drop over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files);
      }}
    >
      <input
        id={id}
        type="file"
        accept={accept}
        onChange={({ currentTarget }) => {
          take(currentTarget.files);
          // The same file can be chosen again.
          currentTarget.value = '';
        }}
      />
      <label for={id}>{label}</label>
    </div>
  );
}
