// Places that names take, in pixels.
class Room {
  constructor(letter) {
    this.height = letter * 1.4;
    this.rows = new Map();
  }

  // Take the place of a name around `middle`, above `base`; false where another stands.
  claim(middle, base, width, letter) {
    const high = Math.max(this.height, letter * 1.4);
    const row = Math.floor(base / this.height);
    const [left, right] = [middle - width / 2, middle + width / 2];
    for (let near = row - 2; near <= row + 2; near++) {
      for (const other of this.rows.get(near) ?? []) {
        const apart = left >= other.right || right <= other.left;
        if (!apart && Math.abs(base - other.base) < high) return false;
      }
    }
    if (!this.rows.has(row)) this.rows.set(row, []);
    this.rows.get(row).push({ left, right, base });
    return true;
  }
}
