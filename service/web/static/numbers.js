// Numbers formatted for people.

export const whole = (number) => number.toLocaleString("en-US");

// Never 0 or 100 % for what is only close to it; the space does not break.
export function percent(share) {
  if (share > 0.9999 && share < 1) return "> 99.99\u00a0%";
  if (share > 0 && share < 0.0001) return "< 0.01\u00a0%";
  return `${(share * 100).toFixed(2)}\u00a0%`;
}

export const milliseconds = (duration) => `${duration.toFixed(duration < 10 ? 2 : 0)}\u00a0ms`;

export const shape = (lengths) => `(${lengths.map((length) => length ?? "None").join(", ")})`;

export function bytes(count) {
  const units = ["B", "KB", "MB", "GB"];
  const power = Math.min(units.length - 1, count > 0 ? Math.floor(Math.log2(count) / 10) : 0);
  return `${(count / 1024 ** power).toFixed(2)} ${units[power]}`;
}
