/**
 * A row with what its table shows beyond its fields: texts made of several of them. They are inherited, so that forms
 * of output that show every field have the fields alone.
 */
export function withCells<Row extends object, Cells extends object>(row: Row, cells: Cells): Row & Cells {
  return Object.assign<Cells, Row>(Object.create(cells), row);
}
