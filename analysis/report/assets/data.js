// The page's data: arrays out of base64, and numbers in words.

const DATA = JSON.parse(document.getElementById("data").textContent);

const ARRAYS = { float32: Float32Array, uint8: Uint8Array, uint16: Uint16Array };

function unpack(packed) {
  const text = atob(packed.bytes);
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  return new ARRAYS[packed.type](bytes.buffer);
}

function signed(value, digits = 2) {
  return value.toFixed(digits).replace("-", "\u2212");
}

function short(value) {
  return Number(value.toPrecision(4)).toString().replace("-", "\u2212");
}

// A value of a map as a reader says it: exact zeros and what is undefined by their names.
function said(value, kind) {
  if (Number.isNaN(value)) return "undefined";
  if (kind === "decades") return value === -Infinity ? "exactly zero" : `10^${signed(value)}`;
  if (value === Infinity) return "never";
  return kind === "share" ? `${(100 * value).toFixed(1)} %` : short(value);
}

function saidBetween(low, high, kind) {
  if (Number.isNaN(low) || Number.isNaN(high)) return "undefined";
  return `${said(low, kind)} to ${said(high, kind)}`;
}

// Where a value lies among so many colours; null where it is no number.
function shade(value, low, high, count, log) {
  if (!Number.isFinite(value)) return null;
  const place = log
    ? Math.log(Math.max(value, low) / low) / Math.log(high / low)
    : (value - low) / (high - low);
  return Math.max(0, Math.min(count - 1, Math.floor(place * count)));
}

// A map's data: [facets, y, x], looked up by place.
class Cells {
  constructor(map) {
    Object.assign(this, { x: map.x, y: map.y, menus: map.menus, facets: map.facets, interval: map.interval });
    this.columns = Object.keys(map.values);
    this.values = {};
    for (const [column, value] of Object.entries(map.values)) {
      const arrays = { median: unpack(value.median), low: unpack(value.low), high: unpack(value.high) };
      this.values[column] = { ...value, ...arrays };
    }
    this.seeds = unpack(map.seeds);
    this.theory = map.theory && { ...map.theory };
    for (const name of ["predicted", "error", "z", "verdict"]) {
      if (this.theory) this.theory[name] = unpack(map.theory[name]);
    }
  }

  at(facet, row, column) {
    return (facet * this.y.values.length + row) * this.x.values.length + column;
  }

  // The facet of these places in the menus, or the nearest that the run holds: the changed menu counts most.
  facet(places, changed = 0) {
    const agreed = (facet) =>
      facet.reduce((sum, place, menu) => sum + (place === places[menu] ? (menu === changed ? 100 : 1) : 0), 0);
    let best = 0;
    this.facets.forEach((facet, number) => {
      if (agreed(facet) > agreed(this.facets[best])) best = number;
    });
    return best;
  }
}
