package model

import "strings"

// looseRows reads lines that all stand between pipes as rows: of the table just
// before them, which an editor tore apart by blank lines, or of a table without
// a separator.
func (r *blockReader) looseRows(raws []string, at []int) bool {
	cols := 0
	for _, l := range raws {
		l = strings.TrimSpace(l)
		if len(l) < 2 || l[0] != '|' || l[len(l)-1] != '|' {
			return false
		}
		n := len(splitRow(l))
		if cols != 0 && n != cols {
			return false
		}
		cols = n
	}
	table := -1
	if k := len(r.pend) - 1; k >= 0 {
		if p := &r.pend[k]; p.Table >= 0 && len(p.cells) == cols {
			table = p.Table
		}
	}
	if cols < 2 || table < 0 && len(raws) < 2 {
		return false
	}
	if table < 0 {
		table = r.newTable()
	}
	for i, l := range raws {
		if delimiterCols(l) == 0 {
			r.row(BlockRow, table, l, at[i], cols)
		}
	}
	return true
}

func (r *blockReader) newTable() int {
	n := 0
	for k := len(r.pend) - 1; k >= 0; k-- {
		if r.pend[k].Table >= 0 {
			n = r.pend[k].Table + 1
			break
		}
	}
	return n
}

func (r *blockReader) row(kind BlockKind, table int, raw string, at, cols int) {
	cells := splitRow(raw)
	if len(cells) > cols {
		cells = cells[:cols]
	}
	r.add(pending{Block: Block{Kind: kind, Parent: -1, Table: table}, cells: cells, list: -1}, at, at)
}

// splitRow cuts a table row at its unescaped pipes.
func splitRow(l string) []string {
	l = strings.TrimSpace(l)
	l = strings.TrimPrefix(l, "|")
	var cells []string
	from := 0
	escaped := false
	for i := 0; i < len(l); i++ {
		switch {
		case escaped:
			escaped = false
		case l[i] == '\\':
			escaped = true
		case l[i] == '|':
			cells = append(cells, strings.TrimSpace(l[from:i]))
			from = i + 1
		}
	}
	if rest := strings.TrimSpace(l[from:]); rest != "" || len(cells) == 0 {
		cells = append(cells, rest)
	}
	return cells
}

// delimiterCols returns the number of columns of a table's separator line, or 0.
func delimiterCols(l string) int {
	if !strings.Contains(l, "|") || !strings.Contains(l, "-") || strings.Trim(l, " \t|:-") != "" {
		return 0
	}
	cells := splitRow(l)
	for _, c := range cells {
		if c = strings.TrimSuffix(strings.TrimPrefix(c, ":"), ":"); c == "" || strings.Trim(c, "-") != "" {
			return 0
		}
	}
	return len(cells)
}
