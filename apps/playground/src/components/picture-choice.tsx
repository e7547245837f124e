import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { chosen } from '../state/look.ts';
import { messageOf } from '../state/resource.ts';
import { data } from '../state/session.ts';
import { DropZone } from './drop-zone.tsx';
import { Problem } from './notice.tsx';

/** Which picture to look at: a test image by its number, a file, or what the camera sees. */
export function PictureChoice() {
  const total = data.value?.test?.count ?? 200;
  const current = chosen.value;
  const index = current.kind === 'test' ? current.index : 0;
  const show = (next: number): void => void (chosen.value = { kind: 'test', index: (next + total) % total });
  return (
    <div class="picture-choice">
      <div class="buttons" role="group" aria-label="Test images">
        <button type="button" aria-label="Previous test image" onClick={() => show(index - 1)}>
          ‹
        </button>
        <span class="which">{current.kind === 'test' ? `Test image ${index}` : current.name}</span>
        <button type="button" aria-label="Next test image" onClick={() => show(index + 1)}>
          ›
        </button>
        <button type="button" onClick={() => show(Math.floor(Math.random() * total))}>
          Any
        </button>
      </div>
      <DropZone
        label="Or drop a picture, or choose one"
        accept="image/*"
        onFile={(file) => (chosen.value = { kind: 'own', name: file.name, picture: file })}
      />
      <Camera />
    </div>
  );
}

/** Asks for the camera when it is wanted, and lets go of it with the view. */
function Camera() {
  const video = useRef<HTMLVideoElement>(null);
  const stream = useSignal<MediaStream | null>(null);
  const wrong = useSignal<string | null>(null);
  const close = (): void => {
    for (const track of stream.peek()?.getTracks() ?? []) track.stop();
    stream.value = null;
  };
  useEffect(() => close, []);
  const open = async (): Promise<void> => {
    wrong.value = null;
    try {
      const opened = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
      stream.value = opened;
      if (video.current !== null) video.current.srcObject = opened;
    } catch (error) {
      wrong.value = `There is no camera to use (${messageOf(error)}). Allow it in the browser, or drop a picture.`;
    }
  };
  const take = async (): Promise<void> => {
    const { videoWidth, videoHeight } = video.current ?? { videoWidth: 0, videoHeight: 0 };
    const canvas = new OffscreenCanvas(Math.max(1, videoWidth), Math.max(1, videoHeight));
    if (video.current !== null) canvas.getContext('2d')?.drawImage(video.current, 0, 0);
    chosen.value = { kind: 'own', name: 'From the camera', picture: await canvas.convertToBlob() };
  };
  const isOpen = stream.value !== null;
  return (
    <div class="camera">
      <video ref={video} autoPlay playsInline muted hidden={!isOpen} aria-label="What the camera sees" />
      <div class="buttons">
        <button type="button" onClick={() => (isOpen ? close() : void open())}>
          {isOpen ? 'Close the camera' : 'Use the camera'}
        </button>
        {isOpen && (
          <button type="button" class="primary" onClick={() => void take()}>
            Take this picture
          </button>
        )}
      </div>
      <Problem text={wrong.value} />
    </div>
  );
}
