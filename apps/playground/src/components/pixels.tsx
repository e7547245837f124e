import { useEffect, useRef } from 'preact/hooks';

interface PixelsProps {
  readonly width: number;
  readonly height: number;
  /** RGBA, row by row. */
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
  readonly label: string;
  /** A layer over another picture, not a picture of its own. */
  readonly smooth?: boolean;
}

/** A small picture, drawn as it is; the style sheet says how large it is shown. */
export function Pixels({ width, height, rgba, label, smooth = false }: PixelsProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    canvas.current?.getContext('2d')?.putImageData(new ImageData(rgba, width, height), 0, 0);
  }, [rgba, width, height]);
  return (
    <canvas
      ref={canvas}
      class={smooth ? 'pixels smooth' : 'pixels'}
      {...{ width, height }}
      role="img"
      aria-label={label}
    />
  );
}
