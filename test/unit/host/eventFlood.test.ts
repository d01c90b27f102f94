import { describe, expect, it } from "vitest";
import { EventFlood, FLOOD_EVENTS } from "../../../src/host/eventFlood";

describe("event flood", () => {
  const note = (flood: EventFlood, count: number, at: (i: number) => number): boolean => {
    let last = false;
    for (let i = 0; i < count; i++) last = flood.note(at(i));
    return last;
  };

  it("C7 notices more events in ten seconds than arrive without loss for sure", () => {
    const flood = new EventFlood();
    expect(note(flood, FLOOD_EVENTS, (i) => i)).toBe(false);
    expect(flood.note(FLOOD_EVENTS)).toBe(true);
  });

  it("C7 a steady trickle is none, and a flood is over after ten quiet seconds", () => {
    const flood = new EventFlood();
    expect(note(flood, 10 * FLOOD_EVENTS, (i) => i * 3)).toBe(false);
    const end = 10 * FLOOD_EVENTS * 3;
    expect(note(flood, 2 * FLOOD_EVENTS, () => end)).toBe(true);
    expect(flood.note(end + 10_000)).toBe(false);
  });

  it("C7 survives a clock that is set back", () => {
    const flood = new EventFlood();
    note(flood, 2 * FLOOD_EVENTS, () => 1_000_000);
    expect(flood.note(5)).toBe(false);
    expect(note(flood, FLOOD_EVENTS, (i) => 5 + i / FLOOD_EVENTS)).toBe(true);
  });
});
