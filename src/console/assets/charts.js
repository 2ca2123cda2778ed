// Lines over the last hour, drawn by uPlot in the colours of the style sheet, with times in China.

const HEIGHT = 220;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function options(element, series, format) {
  const axis = {
    stroke: colour("--muted"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1, size: 4 },
    font: "12px system-ui, sans-serif",
  };
  const clock = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit" });
  const time = (seconds) => clock.format(new Date(seconds * 1000));
  return {
    width: element.clientWidth,
    height: HEIGHT,
    tzDate: (seconds) => window.uPlot.tzDate(new Date(seconds * 1000), "Asia/Shanghai"),
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    scales: { y: { range: (_, low, high) => [0, Math.max(high || 0, 1) * 1.1] } },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map(time), space: 60, size: 30 },
      { ...axis, values: (_, ticks) => ticks.map(format), size: 44 },
    ],
    series: [
      { label: element.dataset.time, value: (_, seconds) => (seconds == null ? "" : time(seconds)) },
      ...series.map(({ label, stroke, fill, points }) => ({
        label,
        stroke: colour(stroke),
        fill: fill ? colour(fill) : undefined,
        width: 2,
        spanGaps: false,
        // A minute between two without traffic is no line.
        points: { show: Boolean(points), size: 6, fill: colour(stroke) },
        value: (_, value) => (value == null ? "" : format(value)),
      })),
    ],
  };
}

// A chart that is drawn anew when its numbers, its width or the colours change.
export class Chart {
  constructor(element, series, format = (value) => String(Math.round(value))) {
    this.element = element;
    this.series = series;
    this.format = format;
    this.data = null;
    this.plot = null;
    new ResizeObserver(() => {
      if (this.plot && this.plot.width !== element.clientWidth && element.clientWidth > 0) {
        this.plot.setSize({ width: element.clientWidth, height: HEIGHT });
      }
    }).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  show(data) {
    this.data = data;
    if (this.plot) {
      this.plot.setData(data);
    } else {
      this.draw();
    }
  }

  draw() {
    if (!this.data) {
      return;
    }
    this.plot?.destroy();
    this.plot = new window.uPlot(options(this.element, this.series, this.format), this.data, this.element);
  }
}
