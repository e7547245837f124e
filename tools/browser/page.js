/** The page that is measured: a trainer, and what a page does while it trains. */
import { createTrainer } from '@skiplane/browser';

const loaded = performance.now();

/** Trains once. Draws every event, and looks for delays of the page meanwhile: a timer of 4 ms, and the browser's own list of long tasks. */
globalThis.trainHere = async (backend, data, run) => {
  const trainer = await createTrainer(backend);
  const opened = performance.now();
  await trainer.loadData(data);
  const started = performance.now();
  const delays = watchDelays();
  let firstStep = 0;
  const speeds = [];
  for await (const event of trainer.train(run)) {
    if (event.type === 'progress') firstStep ||= performance.now();
    if (event.type === 'epoch') speeds.push(event.record.imagesPerSecond);
    document.body.textContent = JSON.stringify(event);
  }
  const { longestGap, longTasks } = delays.end();
  trainer.dispose();
  return {
    device: trainer.info.device,
    openMilliseconds: opened - loaded,
    firstStepMilliseconds: firstStep - started,
    speeds,
    longestGap,
    longTasks,
  };
};

function watchDelays() {
  const tasks = [];
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)));
  observer.observe({ type: 'longtask' });
  let [longestGap, last] = [0, performance.now()];
  const timer = setInterval(() => {
    const now = performance.now();
    longestGap = Math.max(longestGap, now - last);
    last = now;
  }, 4);
  return {
    end() {
      clearInterval(timer);
      tasks.push(...observer.takeRecords().map(({ duration }) => duration));
      observer.disconnect();
      return { longestGap, longTasks: tasks };
    },
  };
}
