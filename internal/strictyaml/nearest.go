package strictyaml

import "strings"

// nearest is the name that key is probably a misspelling of, or empty. Of equally near names it is the first.
func nearest(key string, names []string) string {
	best, least := "", len(key)/3+2 // about one slip in three letters
	if len(key) > 64 {
		return ""
	}
	for _, name := range names {
		if n := slips(strings.ToLower(key), strings.ToLower(name)); n < least && n < len(name) {
			best, least = name, n
		}
	}
	return best
}

// slips counts the letters to insert, drop, change or swap with their neighbour to get from a to b.
func slips(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 0
			if a[i-1] != b[j-1] {
				change = 1
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
